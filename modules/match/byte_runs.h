#pragma once
// What content must hold for a search or a regular expression of libmagic's database to match: a run of bytes, each of
// a set. Never more than that: content that holds the run may still not match.

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "match/magic_database.h"

namespace exhibit::match {

using ByteSet = std::bitset<256>;
using ByteRun = std::vector<ByteSet>;  // two or more

// How a line goes on behind the '\n' that is a run's first byte: any number of `skipped`, then one of `then`, which
// have none in common.
struct LineStart {
  ByteSet skipped, then;
};

// At least one of `runs` must be there, and end at or before `end` (bytes from the content's first).
struct RequiredRuns {
  std::vector<ByteRun> runs;
  std::size_t end = std::numeric_limits<std::size_t>::max();
  std::optional<LineStart> line;
};

// Of the test of an entry of type search or regex. nullopt: nothing that can be told. A regular expression's `^` is a
// run's first byte '\n'; content is to be read as if a '\n' came before it. `regex_limit`: libmagic's parameter.
std::optional<RequiredRuns> runs_of_search(const MagicRecord& test);
std::optional<RequiredRuns> runs_of_regex(const MagicRecord& test, std::size_t regex_limit);

ByteSet both_cases(ByteSet set);
// A guess at how often content has the run's rarest pair of bytes; only good for comparing.
std::uint64_t run_frequency(const ByteRun& run);

// Looks for many runs at once: each place's pair of bytes says which runs are to be compared there.
class RunScanner {
 public:
  RunScanner() : near_(pairs / 64), far_(pairs / 64) {}
  void add(std::uint32_t owner, const RequiredRuns& required);
  std::size_t end() const { return end_; }  // of the run that may end last
  // Appends each owner that has one of its runs in `content`, once.
  void scan(std::span<const std::byte> content, std::vector<std::uint32_t>& owners);

 private:
  struct Needle {
    std::uint32_t owner = 0;
    std::size_t pair_at = 0, end = 0;
    ByteRun run;
    std::optional<LineStart> line;
  };
  static constexpr std::size_t pairs = 65536;
  // Most runs end below this (libmagic's regex limit and its longest common search, and a pattern's length); behind it
  // only the others are looked for.
  static constexpr std::size_t near_end = 8192 + 512;

  void compare_at(std::span<const std::byte> content, std::size_t second, std::vector<std::uint32_t>& owners);
  bool holds(const Needle& needle, std::span<const std::byte> content, std::size_t second) const;

  std::vector<std::uint64_t> near_, far_;  // one bit a pair
  std::size_t end_ = 0;
  std::vector<std::vector<std::uint16_t>> lists_{{}};
  std::vector<std::uint16_t> list_of_pair_ = std::vector<std::uint16_t>(pairs);
  std::vector<Needle> needles_;
  std::vector<bool> seen_;  // by owner
};

}  // namespace exhibit::match
