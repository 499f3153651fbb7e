// NIST's NSRL Reference Data Set version 2: NSRLFile.txt, comma-separated with quoted fields. Two orders of columns
// are about (RDS 1.5 and 2.x), so the header's names decide.

#include <algorithm>
#include <vector>

#include "hashset/format.h"

namespace exhibit::hashset {
namespace {

// Splits a line of RFC 4180; a doubled quote in a quoted field stands for one. False where the quoting is broken.
// The fields live until the next call.
class CsvLine {
 public:
  bool split(std::string_view line) {
    fields_.clear();
    unquoted_.clear();
    unquoted_.reserve(line.size());  // so that the views into it stay
    while (true) {
      if (!take_field(line)) return false;
      if (line.empty()) return true;
      if (line.front() != ',') return false;
      line.remove_prefix(1);
    }
  }
  const std::vector<std::string_view>& fields() const { return fields_; }

 private:
  bool take_field(std::string_view& line) {
    if (line.empty() || line.front() != '"') {
      const std::string_view field = line.substr(0, line.find(','));
      fields_.push_back(field);
      line.remove_prefix(field.size());
      return field.find('"') == std::string_view::npos;
    }
    line.remove_prefix(1);
    const std::size_t begin = unquoted_.size();
    while (true) {
      const std::size_t quote = line.find('"');
      if (quote == std::string_view::npos) return false;
      unquoted_ += line.substr(0, quote);
      line.remove_prefix(quote + 1);
      if (line.empty() || line.front() != '"') break;
      unquoted_ += '"';
      line.remove_prefix(1);
    }
    fields_.push_back(std::string_view(unquoted_).substr(begin));
    return true;
  }

  std::vector<std::string_view> fields_;
  std::string unquoted_;
};

struct Columns {
  std::size_t sha1, md5, name, count;
};

std::optional<Columns> columns_of(std::string_view line) {
  CsvLine header;
  if (!header.split(line)) return std::nullopt;
  const auto& fields = header.fields();
  const auto position = [&](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(fields, name) - fields.begin());
  };
  const Columns columns{position("SHA-1"), position("MD5"), position("FileName"), fields.size()};
  if (std::max({columns.sha1, columns.md5, columns.name}) == fields.size()) return std::nullopt;
  return columns;
}

class NsrlParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    if (const auto columns = columns_of(line)) {
      columns_ = columns;
      return Line(NoEntry{});
    }
    if (!columns_) return Line(Refusal{"it comes before the line that names the columns"});
    if (!line_.split(line)) return Line(Refusal{"its quotes don't match"});
    const auto& fields = line_.fields();
    if (fields.size() != columns_->count) {
      return Line(Refusal{std::to_string(fields.size()) + " columns where the header names " +
                          std::to_string(columns_->count)});
    }
    Entry entry;
    entry[Algorithm::sha1] = fields[columns_->sha1];
    entry[Algorithm::md5] = fields[columns_->md5];
    entry.name = fields[columns_->name];
    return Line(entry);
  }

 private:
  std::optional<Columns> columns_;
  CsvLine line_;
};

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"sha1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "a, \"b\".txt"},
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "a, \"b\".txt"},
    {"sha1", "e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98", "b"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "b"},
};

}  // namespace

extern constinit const FormatRow nsrl_rds2_row = {
    .name = "nsrl-rds2",
    .begins_with = [](std::string_view line) { return columns_of(line).has_value(); },
    .parser = []() -> std::unique_ptr<Parser> { return std::make_unique<NsrlParser>(); },
    .sample = R"("SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode")"
              "\r\n"
              R"("86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8","0CC175B9C0F1B6A831C399E269772661",)"
              R"("E8B7BE43","a, ""b"".txt",1,1,"358","")"
              "\r\n"
              R"("E9D71F5EE7C92D6DC9E92FFDAD17B8BD49418F98","92EB5FFEE6AE2FEC3AD71C777531578F",)"
              R"("71BEEFF9","b",1,1,"358","")"
              "\r\n"
              R"("84A516841BA77A5B4648DE2CD0DFCB30EA46DBB4","4A8A08F09D37B73795649038408B5F33","06B9DF6F","c)"
              "\r\n",
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
