// What CIRCL's hashlookup service tells of files, one JSON object a line (draft-dulaunoy-hashlookup-format): MD5,
// SHA-1, SHA-256, SHA-512, FileName, and more. A list with an object a line is taken, too. What the service doesn't
// know has a "message" and no digest.

#include <array>
#include <string>

#include "base/json.h"
#include "hashset/format.h"

namespace exhibit::hashset {
namespace {

using base::Json;

struct Column {
  const char* key;
  Algorithm algorithm;
};
constexpr std::array columns = {Column{"MD5", Algorithm::md5}, Column{"SHA-1", Algorithm::sha1},
                                Column{"SHA-256", Algorithm::sha256}, Column{"SHA-512", Algorithm::sha512}};

// A list's brackets and commas around its lines.
std::string_view object_of(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t[,");
  if (begin == std::string_view::npos) return {};
  const std::size_t end = line.find_last_not_of(" \t,]");
  return end == std::string_view::npos || end < begin ? std::string_view() : line.substr(begin, end - begin + 1);
}

class HashlookupJsonParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    const std::string_view text = object_of(line);
    if (text.empty()) return Line(NoEntry{});
    auto object = base::parse_json(text);
    if (!object.ok() || !object->is_object()) return Line(Refusal{"it isn't one JSON object on one line"});
    object_ = object.take();
    if (object_.contains("message")) return Line(NoEntry{});
    Entry& entry = new_entry();
    bool digested = false;
    for (const Column& column : columns) {
      entry[column.algorithm] = text_of(column.key);
      digested = digested || !entry[column.algorithm].empty();
    }
    if (!digested) return Line(Refusal{"it has none of MD5, SHA-1, SHA-256 and SHA-512"});
    entry.name = text_of("FileName");
    return Line(&entry);
  }

 private:
  std::string_view text_of(const char* key) const {
    const auto found = object_.find(key);
    return found != object_.end() && found->is_string() ? found->get_ref<const std::string&>() : std::string_view();
  }

  Json object_;  // the line's: entries point into it
};

bool begins(std::string_view line) {
  const std::string_view text = object_of(line);
  if (line == "[") return false;  // any JSON may begin so
  return text.starts_with('{') &&
         (text.find("\"hashlookup:") != std::string_view::npos ||
          (text.find("\"SHA-1\"") != std::string_view::npos && text.find("\"FileName\"") != std::string_view::npos));
}

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "./usr/bin/a"},
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "./usr/bin/a"},
    {"sha256", "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d", "b"},
};

}  // namespace

extern constinit const FormatRow hashlookup_json_row = {
    .name = "hashlookup-json",
    .begins_with = begins,
    .parser = []() -> std::unique_ptr<Parser> { return std::make_unique<HashlookupJsonParser>(); },
    .sample = []() -> std::string {
      return R"({"FileName":"./usr/bin/a","FileSize":"1","MD5":"0CC175B9C0F1B6A831C399E269772661",)"
             R"("SHA-1":"86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8","hashlookup:trust":75,"source":"NSRL"})"
             "\n"
             R"({"message":"Non existing SHA-1","query":"3C363836CF4E16666669A25DA280A1865C2D2874"})"
             "\n"
             R"({"FileName":"b","SHA-256":"3E23E8160039594A33894F6564E1B1348BBD7A0088D42C4ACB73EEAED59C009D"})"
             "\n"
             R"({"FileName":"c","MD5":"4A8A08F0)"
             "\n"
             R"({"FileName":"no digest"})"
             "\n";
    },
    .expected = expected,
    .sample_refused = 2};

}  // namespace exhibit::hashset
