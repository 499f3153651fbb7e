#pragma once
// Lines of separated values whose columns a header names (RFC 4180, with any separator).

#include <string>
#include <string_view>
#include <vector>

#include "hashset/format.h"

namespace exhibit::hashset {

// Splits a line; a doubled quote in a quoted field stands for one. The fields live until the next call.
class CsvLine {
 public:
  explicit CsvLine(char separator) : separator_(separator) {}
  // False where the quoting is broken.
  bool split(std::string_view line);
  const std::vector<std::string_view>& fields() const { return fields_; }

 private:
  bool take_field(std::string_view& line);

  char separator_;
  std::vector<std::string_view> fields_;
  std::string unquoted_;
};

// What a header calls the columns that we read; empty where a format lacks one.
struct ColumnNames {
  char separator = ',';
  std::string_view md5, sha1, name, category;
  // The category from what stands in its column; nullptr: as it is.
  std::string_view (*category_of)(std::string_view field) = nullptr;
};

// Whether the line is a header that has all these columns.
bool names_columns(std::string_view line, const ColumnNames& names);
// Lines before the header, and lines of another number of fields, are refused. `names` must outlive the parser.
std::unique_ptr<Parser> column_parser(const ColumnNames& names);

}  // namespace exhibit::hashset
