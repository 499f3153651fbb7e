#pragma once
// What tells where an object of a format ends, and how far that is proved. A validator is a row: validators/NAME.cc.

#include <exhibit/byte_source.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve {

// How far an object is proved (findings.md, `tier`).
enum class Tier {
  none,         // not of this format
  header_only,  // begins like it; where it ends is a guess
  plausible,    // holds in part, or nothing in the format could tell
  validated,    // the format's own structure or checksums held to the end
};

struct Verdict {
  Tier tier = Tier::none;
  // Bytes from the object's first to its end: for a broken object as far as it can be told to reach.
  std::uint64_t length = 0;
  // How many bytes from the first are surely the object's: a gap can't begin before. At most `length`. A format without
  // checksums is humble here: what decodes isn't proved.
  std::uint64_t sound = 0;
  // For a broken object: a gap can't begin behind this byte. Where a checksum failed: the end of what it covers; where
  // a field can't be: behind that field. 0: at the object's end.
  std::uint64_t suspect = 0;
  // Where in the object the structure doesn't hold. crc_error: a checksum contradicts. missing_segment: what belongs
  // there lies elsewhere or nowhere (cut, overwritten). Empty where `validated`.
  std::vector<Doubt> doubts;
  // How badly the two sides of the content's seam fit together, where nothing in the format proves that they belong
  // together: of all joins that hold the one with the least is taken. 0: there is no question, the first is taken.
  std::uint32_t misfit = 0;
  // The extension of what it turned out to be, where that is more than the signature says: docx of zip.
  std::string extension;

  // An object that holds to its end.
  static Verdict whole(std::uint64_t length, std::string extension = {}) {
    Verdict verdict;
    verdict.tier = Tier::validated;
    verdict.length = verdict.sound = length;
    verdict.extension = std::move(extension);
    return verdict;
  }
  // One that is surely the object up to `sound` and contradicts its format in [sound, suspect), which is what is
  // doubted; it is taken to end at `length`.
  static Verdict broken(std::uint64_t sound, std::uint64_t suspect, std::uint64_t length, DoubtCause cause) {
    Verdict verdict;
    verdict.tier = Tier::plausible;
    verdict.length = length;
    verdict.sound = std::min(sound, length);
    verdict.suspect = suspect;
    const std::uint64_t end = std::clamp(suspect, verdict.sound, length);
    verdict.doubts = {{verdict.sound, end - verdict.sound, cause}};
    return verdict;
  }
};

// What a validator keeps of a content's beginning, so that a search for fragments doesn't go over it again and again.
// A state at an offset may depend on nothing but the bytes before that offset.
class Memory {
 public:
  struct State {
    virtual ~State() = default;
  };
  // Remembers `state` for [0, offset). Dear states: every 64 KiB or so is enough.
  void keep(std::uint64_t offset, std::shared_ptr<const State> state) { states_[offset] = std::move(state); }
  // The one furthest in; nullptr: none.
  const State* latest() const { return states_.empty() ? nullptr : states_.rbegin()->second.get(); }
  std::uint64_t offset() const { return states_.empty() ? 0 : states_.rbegin()->first; }
  // What is still true of a content that has only its first `length` bytes in common: the last such state.
  Memory before(std::uint64_t length) const {
    Memory kept;
    const auto behind = states_.upper_bound(length);
    if (behind != states_.begin()) kept.states_.insert(*std::prev(behind));
    return kept;
  }

 private:
  std::map<std::uint64_t, std::shared_ptr<const State>> states_;
};

struct Validator {
  const char* name;

  // Judges the object that would begin with the content's first byte. Reads nothing outside the content, allocates
  // nothing by a length that it hasn't checked, and ends after work in proportion to what it calls `length`.
  Verdict (*validate)(const Content& content, Memory& memory);

  // A cheap first look at what follows a hit, for signatures whose patterns are weak: false is final. `head` has at
  // least 64 bytes except at the end of the medium, and may have more. nullptr: each hit is worth validating.
  bool (*glance)(ByteSpan head) = nullptr;

  // Where the object begins whose end, or some part in the midst, is the pattern at `anchor` of `before` (signature
  // patterns with "anchor": true). Nothing: none, or its beginning's own pattern finds it. It may lack its head: then
  // the first byte that is still there, and validate() must know what to do with it. nullptr: no such patterns.
  std::optional<std::uint64_t> (*begin_of)(const Content& before, std::uint64_t anchor) = nullptr;

  // For an object that doesn't hold as it lies there: lengths of a gap (bytes) that the format's own offsets speak for,
  // such as the distance between where a directory lies and where it says it lies. The likeliest first. nullptr: the
  // format says nothing of it. `gaps_are_final`: where it names some, no other is tried.
  std::vector<std::uint64_t> (*gaps)(const Content& content, const Verdict& verdict) = nullptr;
  bool gaps_are_final = false;
};

// All rows, sorted by name; made from validators/.
std::span<const Validator* const> validator_table();
// nullptr: none of that name.
const Validator* find_validator(std::string_view name);

}  // namespace exhibit::carve
