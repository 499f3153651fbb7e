// NIST's NSRL Reference Data Set version 2: NSRLFile.txt, comma-separated with quoted fields. Two orders of columns
// are about (RDS 1.5 and 2.x), so the header's names decide. The category is the SpecialCode as it stands.

#include "hashset/csv_line.h"

namespace exhibit::hashset {
namespace {

constexpr ColumnNames names = {
    .separator = ',', .md5 = "MD5", .sha1 = "SHA-1", .name = "FileName", .category = "SpecialCode"};

// The digests of "a", "b" and "d".
constexpr ExpectedEntry expected[] = {
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "a, \"b\".txt"},
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "a, \"b\".txt"},
    {"sha1", "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98", "b"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "b"},
    {"sha1", "3c363836cf4e16666669a25da280a1865c2d2874", "d", "M"},
};

}  // namespace

extern constinit const FormatRow nsrl_rds2_row = {
    .name = "nsrl-rds2",
    .begins_with = [](std::string_view line) { return names_columns(line, names); },
    .parser = []() -> std::unique_ptr<Parser> { return column_parser(names); },
    .sample = []() -> std::string {
      return R"("SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode")"
             "\r\n"
             R"("86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8","0CC175B9C0F1B6A831C399E269772661",)"
             R"("E8B7BE43","a, ""b"".txt",1,1,"358","")"
             "\r\n"
             R"("E9D71F5EE7C92D6DC9E92FFDAD17B8BD49418F98","92EB5FFEE6AE2FEC3AD71C777531578F",)"
             R"("71BEEFF9","b",1,1,"358","")"
             "\r\n"
             R"("84A516841BA77A5B4648DE2CD0DFCB30EA46DBB4","4A8A08F09D37B73795649038408B5F33","06B9DF6F","c)"
             "\r\n"
             R"("3C363836CF4E16666669A25DA280A1865C2D2874","8277E0910D750195B448797616E091AD",)"
             R"("98DD4ACC","d",1,1,"358","M")"
             "\r\n";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
