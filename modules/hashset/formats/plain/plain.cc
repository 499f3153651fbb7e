// One digest a line and nothing else; whatever follows a digest on its line is taken for a file's name.

#include "hashset/digest_line.h"

namespace exhibit::hashset {
namespace {

bool begins_with(std::string_view line) {
  const auto read = read_digest_line(line);
  const auto* digest = std::get_if<DigestLine>(&read);
  return digest != nullptr && digest->style == DigestLine::Style::bare;
}

// The digests of "a", "b" and "c".
constexpr ExpectedEntry expected[] = {
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},
    {"sha1", "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98", "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98"},
    {"sha1", "84a516841ba77a5b4648de2cd0dfcb30ea46dbb4", "third.bin"},
};

}  // namespace

extern constinit const FormatRow plain_row = {.name = "plain",
                                              .begins_with = begins_with,
                                              .parser = digest_line_parser,
                                              .sample = []() -> std::string {
                                                return "# known files\n"
                                                       "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\n"
                                                       "\n"
                                                       "E9D71F5EE7C92D6DC9E92FFDAD17B8BD49418F98  \r\n"
                                                       "not a digest\n"
                                                       "84a516841ba77a5b4648de2cd0dfcb30ea46dbb4\tthird.bin";
                                              },
                                              .expected = expected,
                                              .sample_refused = 1};

}  // namespace exhibit::hashset
