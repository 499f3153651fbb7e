// hashdeep's known-file format (hashdeep FILEFORMAT): a banner, a line that names the columns, then one file a line.
// The name is the last column and may hold commas.

#include <algorithm>
#include <vector>

#include "hashset/format.h"

namespace exhibit::hashset {
namespace {

constexpr std::string_view banner = "%%%% HASHDEEP-1.0";
constexpr std::string_view any_banner = "%%%% HASHDEEP-";
constexpr std::string_view header = "%%%% ";

bool begins_with(std::string_view line) { return line.starts_with(any_banner); }

// What a column holds, in the order of the columns; the name comes after the last.
enum class Column : std::uint8_t { md5, sha1, sha256, sha512, size, other };

Column column_of(std::string_view name) {
  if (name == "size") return Column::size;
  const auto found = std::ranges::find(algorithm_facts, name, &AlgorithmFacts::name);
  return found == algorithm_facts.end() ? Column::other : static_cast<Column>(found - algorithm_facts.begin());
}

class HashdeepParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    if (line.starts_with(header)) return read_header(line);
    if (line.front() == '#') return Line(NoEntry{});
    if (columns_.empty()) return Line(Refusal{"it comes before the line that names the columns"});
    return Line(read_entry(line));
  }

 private:
  Result<Line> read_header(std::string_view line) {
    if (line.starts_with(any_banner)) {
      if (line == banner) return Line(NoEntry{});
      return Error{ErrorCode::unsupported, "a version of hashdeep's format that isn't 1.0", {}, {}};
    }
    columns_.clear();
    std::string_view names = line.substr(header.size());
    for (std::size_t comma; (comma = names.find(',')) != std::string_view::npos; names.remove_prefix(comma + 1)) {
      columns_.push_back(column_of(names.substr(0, comma)));
    }
    const auto is_digest = [](Column column) { return column <= Column::sha512; };
    if (names != "filename" || std::ranges::none_of(columns_, is_digest)) {
      return Error{
          ErrorCode::unsupported, "hashdeep's columns must name md5, sha1 or sha256 and end with filename", {}, {}};
    }
    return Line(NoEntry{});
  }

  Line read_entry(std::string_view line) {
    Entry& entry = new_entry();
    for (const Column column : columns_) {
      const std::size_t comma = line.find(',');
      if (comma == std::string_view::npos) return Refusal{"fewer columns than the header names"};
      const std::string_view field = line.substr(0, comma);
      line.remove_prefix(comma + 1);
      if (column == Column::size) {
        const bool number = !field.empty() && std::ranges::all_of(field, [](char c) { return c >= '0' && c <= '9'; });
        if (!number) return Refusal{"its size isn't a number"};
      } else if (column != Column::other) {
        entry.digests[static_cast<std::size_t>(column)] = field;
      }
    }
    entry.name = line;
    return &entry;
  }

  std::vector<Column> columns_;
};

// The digests of "a" and "b".
constexpr ExpectedEntry expected[] = {
    {"md5", "0cc175b9c0f1b6a831c399e269772661", "/known/a, b, and c"},
    {"sha256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", "/known/a, b, and c"},
    {"md5", "92eb5ffee6ae2fec3ad71c777531578f", "/known/b"},
    {"sha256", "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d", "/known/b"},
};

}  // namespace

extern constinit const FormatRow hashdeep_row = {
    .name = "hashdeep",
    .begins_with = begins_with,
    .parser = []() -> std::unique_ptr<Parser> { return std::make_unique<HashdeepParser>(); },
    .sample = []() -> std::string {
      return "%%%% HASHDEEP-1.0\n"
             "%%%% size,md5,sha256,filename\n"
             "## Invoked from: /known\n"
             "1,0cc175b9c0f1b6a831c399e269772661,ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb,"
             "/known/a, b, and c\n"
             "1,92eb5ffee6ae2fec3ad71c777531578f,3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d,"
             "/known/b\r\n"
             "1,4a8a08f09d37b73795649038408b5f33,/known/c\n";
    },
    .expected = expected,
    .sample_refused = 1};

}  // namespace exhibit::hashset
