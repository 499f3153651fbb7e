// What md5sum, sha1sum, sha256sum and sha512sum write, with --tag too, and BSD's and OpenSSL's like of it.

#include "hashset/digest_line.h"

namespace exhibit::hashset {
namespace {

bool begins_with(std::string_view line) {
  const auto read = read_digest_line(line);
  const auto* digest = std::get_if<DigestLine>(&read);
  return digest != nullptr && digest->style != DigestLine::Style::bare;
}

// The digests of "a", "b", "c", "d" and "e".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "folder/a file"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "b"},
    {"md5", "4a8a08f09d37b73795649038408b5f33", "two\nlines\\"},
    {"sha1", "3c363836cf4e16666669a25da280a1865c2d2874", "d (copy)"},
    {"sha256", "3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea", "e"},
};

}  // namespace

extern constinit const FormatRow md5sum_row = {
    .name = "md5sum",
    .begins_with = begins_with,
    .parser = digest_line_parser,
    .sample = []() -> std::string {
      return "0cc175b9c0f1b6a831c399e269772661  folder/a file\n"
             "92eb5ffee6ae2fec3ad71c777531578f *b\n"
             "\\4a8a08f09d37b73795649038408b5f33  two\\nlines\\\\\n"
             "SHA1 (d (copy)) = 3c363836cf4e16666669a25da280a1865c2d2874\n"
             "SHA2-256(e)= 3f79bb7b435b05321651daefd374cdc681dc06faa65e374e38337b88ca046dea\n"
             "BLAKE2b (f) = 00\n";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
