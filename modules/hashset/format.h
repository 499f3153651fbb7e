#pragma once
// A row of the table of hash-set formats. formats/NAME/ defines one, with a sample and what it holds; CMake makes the
// table from the folders, sorted by name. The conformance test loads each row's sample.

#include <exhibit/result.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace exhibit::hashset {

// The digests that sets are made of, weakest first.
enum class Algorithm : std::uint8_t { md5, sha1, sha256, sha512 };
inline constexpr std::size_t algorithm_count = 4;

struct AlgorithmFacts {
  std::string_view name;  // as findings.md spells it
  std::size_t bytes;
};
inline constexpr std::array<AlgorithmFacts, algorithm_count> algorithm_facts = {
    {{"md5", 16}, {"sha1", 20}, {"sha256", 32}, {"sha512", 64}}};
inline constexpr const AlgorithmFacts& facts(Algorithm algorithm) {
  return algorithm_facts[static_cast<std::size_t>(algorithm)];
}

// One entry of a set. The views live until the parser's next line.
struct Entry {
  std::array<std::string_view, algorithm_count> digests;  // hex as found, by Algorithm; empty where the entry has none
  std::string_view name;                                  // of the file; empty where the entry has none

  std::string_view& operator[](Algorithm algorithm) { return digests[static_cast<std::size_t>(algorithm)]; }
};

struct NoEntry {};  // a comment or a header

struct Refusal {
  std::string why;
};

using Line = std::variant<Entry, NoEntry, Refusal>;

// Reads one file, line by line.
class Parser {
 public:
  virtual ~Parser() = default;
  // A line without its end and without a byte-order mark; never blank. An Error ends the file: none of it can be read.
  virtual Result<Line> parse(std::string_view line) = 0;
};

struct ExpectedEntry {
  std::string_view algorithm, digest, rule;
};

struct FormatRow {
  std::string_view name;
  // Whether a file whose first telling line is this one is of the format.
  bool (*begins_with)(std::string_view line) = nullptr;
  std::unique_ptr<Parser> (*parser)() = nullptr;
  std::string_view sample;                  // a small file
  std::span<const ExpectedEntry> expected;  // what looking up in the sample must find
  std::uint64_t sample_refused = 0;         // and how many of its lines are refused
};

// Sorted by name.
std::span<const FormatRow* const> format_table();

}  // namespace exhibit::hashset
