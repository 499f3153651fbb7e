#pragma once
// Reads a file of any known format, entry by entry. What isn't taken is told by its number; a file that can't be read
// to its end is an Error, never half a set.

#include <exhibit/result.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "hashset/builder.h"
#include "hashset/format.h"

namespace exhibit::hashset {

// What was not taken, so that nobody believes in a set that was half read.
struct Refused {
  std::uint64_t line = 0;  // or row, or record: what the format counts
  std::string why;
};

struct ImportOptions {
  const FormatRow* format = nullptr;      // nullptr: recognised by content
  bool refuse_trivial = false;            // Builder::take
  std::vector<std::string> categories{};  // only entries of these; all where it's empty
};

struct Imported {
  InputFacts facts;
  std::vector<Refused> refused;  // the first refused_listed
  std::string category_profile;  // FormatRow::category_profile
};
inline constexpr std::size_t refused_listed = 1000;

// Error: invalid_argument where it isn't a regular file.
Result<base::UniqueFd> open_input(const std::string& path);
// The name of a file for messages, facts and records: its base name as valid UTF-8.
std::string input_name(const std::string& path);
// The format whose sign comes first. Error: unsupported, ambiguous.
Result<const FormatRow*> recognise(const InputFile& file);

// Error: corrupt where none of its entries was taken.
Result<Imported> import(const InputFile& file, const ImportOptions& options, Builder& builder);

}  // namespace exhibit::hashset
