#include "hashset/csv_line.h"

#include <algorithm>

namespace exhibit::hashset {
namespace {

struct Columns {
  std::optional<std::size_t> md5, sha1, name, category;
  std::size_t count = 0;
};

std::optional<Columns> columns_of(std::string_view line, const ColumnNames& names) {
  CsvLine header(names.separator);
  if (!header.split(line)) return std::nullopt;
  const auto& fields = header.fields();
  Columns columns;
  columns.count = fields.size();
  bool all = true;
  const auto position = [&](std::string_view name) -> std::optional<std::size_t> {
    if (name.empty()) return std::nullopt;
    const auto found = std::ranges::find(fields, name);
    all = all && found != fields.end();
    return static_cast<std::size_t>(found - fields.begin());
  };
  columns.md5 = position(names.md5);
  columns.sha1 = position(names.sha1);
  columns.name = position(names.name);
  columns.category = position(names.category);
  if (!all) return std::nullopt;
  return columns;
}

class ColumnParser final : public Parser {
 public:
  explicit ColumnParser(const ColumnNames& names) : names_(names), line_(names.separator) {}

  Result<Line> parse(std::string_view line) override {
    if (const auto columns = columns_of(line, names_)) {
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
    Entry& entry = new_entry();
    if (columns_->md5) entry[Algorithm::md5] = fields[*columns_->md5];
    if (columns_->sha1) entry[Algorithm::sha1] = fields[*columns_->sha1];
    if (columns_->name) entry.name = fields[*columns_->name];
    if (columns_->category) entry.category = fields[*columns_->category];
    if (names_.category_of != nullptr) entry.category = names_.category_of(entry.category);
    return Line(&entry);
  }

 private:
  const ColumnNames& names_;
  std::optional<Columns> columns_;
  CsvLine line_;
};

}  // namespace

bool CsvLine::split(std::string_view line) {
  fields_.clear();
  unquoted_.clear();
  unquoted_.reserve(line.size());  // so that the views into it stay
  while (true) {
    if (!take_field(line)) return false;
    if (line.empty()) return true;
    if (line.front() != separator_) return false;
    line.remove_prefix(1);
  }
}

bool CsvLine::take_field(std::string_view& line) {
  if (line.empty() || line.front() != '"') {
    const std::string_view field = line.substr(0, line.find(separator_));
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

bool names_columns(std::string_view line, const ColumnNames& names) { return columns_of(line, names).has_value(); }

std::unique_ptr<Parser> column_parser(const ColumnNames& names) { return std::make_unique<ColumnParser>(names); }

}  // namespace exhibit::hashset
