#pragma once
// Which entries of libmagic's database may match a content at all: those whose own test, the first of each, isn't ruled
// out by a condition that it implies (docs/decisions/0010). libmagic decides about the rest.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "match/byte_runs.h"
#include "match/magic_database.h"

namespace exhibit::match {

// The size of the text that libmagic tries its entries for text on, where that is a beginning of the content, byte for
// byte. 0: it surely tries none. nullopt: it may be text that libmagic converts first (ISO 8859, UTF-16, EBCDIC, …).
// `limit`: libmagic's parameter of how many bytes it looks at (encoding_max).
std::optional<std::size_t> text_size(std::span<const std::byte> head, std::size_t limit);

class EntrySieve {
 public:
  // The database must outlive the sieve.
  EntrySieve(const MagicDatabase& database, std::size_t regex_limit);
  // Entries in their order. `text`: of text_size().
  void sift(std::span<const std::byte> head, std::size_t text, std::vector<std::uint32_t>& entries);
  // Whether this entry's test is so weak (two bytes, zeros, a comparison) that many contents pass it; or unknown here.
  bool weak(std::uint32_t entry) const { return weak_[entry]; }
  bool always(std::uint32_t entry) const { return always_[entry]; }

 private:
  // Eight bytes at an offset, as a number that begins with the lowest byte; those behind the content's end are zeros.
  struct Pattern {
    std::uint64_t mask = 0, value = 0;
    std::uint32_t entry = 0, offset = 0;
  };
  // A number that isn't asked to be equal.
  struct Comparison {
    std::uint32_t entry = 0;
    const MagicRecord* test = nullptr;
  };
  // The entries that libmagic tries on binary content, and those for text alone.
  struct Side {
    std::vector<std::vector<Pattern>> by_first_byte = std::vector<std::vector<Pattern>>(256);
    std::vector<Pattern> elsewhere;
    std::vector<Comparison> comparisons;
    std::vector<std::uint32_t> always;
  };
  static std::vector<Pattern> patterns_of(const MagicRecord& test);
  void add(std::uint32_t entry, const MagicRecord& test, std::size_t regex_limit);
  static void add_pattern(Side& side, const Pattern& pattern);
  void add_runs(std::uint32_t entry, const MagicRecord& test, const RequiredRuns& required);
  static void sift_side(const Side& side, std::span<const std::byte> content, std::vector<std::uint32_t>& entries);

  Side binary_, text_;
  RunScanner binary_runs_, all_runs_;  // the second one has both sides', to look at most text only once
  std::vector<bool> weak_, always_;
};

}  // namespace exhibit::match
