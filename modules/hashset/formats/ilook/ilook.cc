// ILook's .hsh of versions 3 and 4: comma-separated without quotes; a header that begins V3Hash or V4Hash, which is
// the MD5 column. A file's name may hold commas: what stands too many is its.

#include "hashset/format.h"
#include "hashset/name_with_commas.h"

namespace exhibit::hashset {
namespace {

constexpr std::string_view headers[] = {"V3Hash,HashSHA1,FileName,FilePath,FileSize,HashSHA256,HashSHA384,HashSHA512",
                                        "V4Hash,HashSHA1,FileName,FilePath,FileSize,HashSHA256,HashSHA384,HashSHA512,"
                                        "CreateTime,ModTime,LastAccessTime"};
constexpr std::size_t before_name = 2, sha256 = 2, sha512 = 4;  // the last two count from after the name
constexpr std::size_t after_name[] = {5, 8};

class IlookParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    for (const std::string_view& header : headers) {
      if (line != header) continue;
      after_ = after_name[&header - headers];
      return Line(NoEntry{});
    }
    if (after_ == 0) return Line(Refusal{"it comes before the line that names the columns"});
    if (!line_.split(line, before_name, after_)) return Line(Refusal{"fewer columns than the header names"});
    Entry& entry = new_entry();
    entry[Algorithm::md5] = line_.before()[0];
    entry[Algorithm::sha1] = line_.before()[1];
    entry[Algorithm::sha256] = line_.after()[sha256];
    entry[Algorithm::sha512] = line_.after()[sha512];
    entry.name = line_.name();
    return Line(&entry);
  }

 private:
  std::size_t after_ = 0;
  NameWithCommas line_;
};

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "a.tar.gz"},
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "a.tar.gz"},
    {"sha256", "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d", "b, and more"},
};

}  // namespace

extern constinit const FormatRow ilook_row = {
    .name = "ilook",
    .begins_with = [](std::string_view line) { return line.starts_with("V3Hash,") || line.starts_with("V4Hash,"); },
    .parser = []() -> std::unique_ptr<Parser> { return std::make_unique<IlookParser>(); },
    .sample = []() -> std::string {
      return std::string(headers[1]) +
             "\r\n0CC175B9C0F1B6A831C399E269772661,86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8,a.tar.gz,D:\\x\\,1,,,,"
             "16.4.2008 14:29:24,16.4.2008 10:24:28,18.4.2008\r\n"
             "92EB5FFEE6AE2FEC3AD71C777531578F,,b, and more,D:\\x\\,1,"
             "3E23E8160039594A33894F6564E1B1348BBD7A0088D42C4ACB73EEAED59C009D,,,,,\r\n"
             "4A8A08F09D37B73795649038408B5F33,,c,D:\\x\\,1\r\n";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
