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

// The digests that sets are made of, weakest first. Where several have one length, a digest that only its length
// tells is of the first. Behind them PDQ, by which pictures are found that are alike: never compared for equality.
enum class Algorithm : std::uint8_t {
  md5,
  sha1,
  sha256,
  sha512,
  sha3_256,
  blake2b,
  streebog256,
  streebog512,
  belt256,
  pdq
};
inline constexpr std::size_t digest_count = 9;
inline constexpr std::size_t algorithm_count = digest_count + 1;

struct AlgorithmFacts {
  std::string_view name;  // as findings.md spells it
  std::size_t bytes;
};
inline constexpr std::array<AlgorithmFacts, algorithm_count> algorithm_facts = {{{"md5", 16},
                                                                                 {"sha1", 20},
                                                                                 {"sha256", 32},
                                                                                 {"sha512", 64},
                                                                                 {"sha3-256", 32},
                                                                                 {"blake2b", 64},
                                                                                 {"streebog256", 32},
                                                                                 {"streebog512", 64},
                                                                                 {"belt256", 32},
                                                                                 {"pdq", 32}}};
inline constexpr std::size_t longest_digest = 64;
inline constexpr const AlgorithmFacts& facts(Algorithm algorithm) {
  return algorithm_facts[static_cast<std::size_t>(algorithm)];
}
std::optional<Algorithm> algorithm_named(std::string_view name);

// One entry of a set. The views live until the parser's next line.
struct Entry {
  std::array<std::string_view, algorithm_count> digests;  // hex as found, by Algorithm; empty where the entry has none
  std::string_view name;      // what the set calls it: of the file, or its number; empty where the entry has none
  std::string_view category;  // as the set writes it, a number or a word: never a meaning; empty where it has none
  std::string_view place;     // said before a refusal, where the line doesn't tell enough: "medium 5: "

  std::string_view& operator[](Algorithm algorithm) { return digests[static_cast<std::size_t>(algorithm)]; }
};

struct NoEntry {};  // a comment or a header

struct Refusal {
  std::string why;
};

// The entry is the parser's, until its next line: it's too large to be handed on by the hundred million.
using Line = std::variant<const Entry*, NoEntry, Refusal>;

// Reads one file, line by line.
class Parser {
 public:
  virtual ~Parser() = default;
  // A line without its end and without a byte-order mark; never blank. An Error ends the file: none of it can be read.
  virtual Result<Line> parse(std::string_view line) = 0;

 protected:
  Entry& new_entry() { return entry_ = Entry(); }

 private:
  Entry entry_;
};

// Where a file that isn't lines puts its entries. `line` numbers what the format counts: lines, rows, records.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<void> take(std::uint64_t line, const Entry& entry) = 0;
  virtual void refuse(std::uint64_t line, std::string why) = 0;
};

// The file at hand: whoever reads it begins at its first byte.
struct InputFile {
  int fd = -1;
  std::string name;  // for messages
};

struct ExpectedEntry {
  std::string_view algorithm, digest, rule;
  std::string_view category = {};
};

struct FormatRow {
  std::string_view name;
  // A format of lines: whether a file whose first telling line is this one is of the format, and who reads the lines.
  bool (*begins_with)(std::string_view line) = nullptr;
  std::unique_ptr<Parser> (*parser)() = nullptr;
  // Any other format: whether a file with these first bytes (beginning_bytes, or all there are; without a byte-order
  // mark) is of the format, and who reads it whole. An Error of `read`: none of it is to be taken.
  bool (*has_beginning)(std::string_view bytes) = nullptr;
  Result<void> (*read)(const InputFile& file, Sink& sink) = nullptr;
  // Whose words the categories are, where the file itself tells (the profile of a VICS file); empty where it doesn't.
  std::string (*category_profile)(std::string_view beginning) = nullptr;
  bool takes_mark = false;                  // a format of no lines that may begin with a byte-order mark
  std::string (*sample)() = nullptr;        // a small file
  std::span<const ExpectedEntry> expected;  // what looking up in the sample must find
  std::uint64_t sample_refused = 0;         // and how many of its lines are refused
};
inline constexpr std::size_t beginning_bytes = 4096;

// Sorted by name.
std::span<const FormatRow* const> format_table();

}  // namespace exhibit::hashset
