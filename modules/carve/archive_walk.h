#pragma once
// What validators of archives have in common that go from one header to the next by the lengths in them.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {

// Bytes of members in a row that nothing vouches for with which an archive is still `validated`: a foreign cluster
// wouldn't be noticed in more.
inline constexpr std::uint64_t most_unproved_data = 2048;

inline Verdict judge_whole(std::uint64_t end, std::uint64_t unproved, std::string extension = {}) {
  Verdict verdict = Verdict::whole(end, std::move(extension));
  if (unproved > most_unproved_data) verdict.tier = Tier::plausible;
  return verdict;
}

// Something else than a header is at `position`. `last`: where the last good header begins, whose data nothing vouches
// for; `members`: how many there are before. What follows the last one's header may be foreign, so it ends there.
inline Verdict judge_cut(const Content& content, std::uint64_t last, std::uint64_t position, std::uint64_t members) {
  const std::uint64_t suspect = std::min(position, content.size());
  Verdict verdict = Verdict::broken(last, suspect, std::min(last, content.size()), DoubtCause::missing_segment);
  verdict.suspect = suspect;
  if (members < 2) verdict.tier = Tier::header_only;
  return verdict;
}

// Whether a header whose pattern is `mark` at `mark_offset` lies before `position` and has its data end there. Each
// header of an archive is a candidate: only the first is worth more than this look. Longer members are walked from
// anew.
template <typename EndOf>
bool has_header_before(const Content& content, std::uint64_t position, std::string_view mark, std::uint64_t mark_offset,
                       const EndOf& end_of) {
  constexpr std::uint64_t farthest = std::uint64_t{1} << 20;  // bytes
  constexpr unsigned most_marks = 16;
  const std::uint64_t floor = position > farthest ? position - farthest : 0;
  std::uint64_t to = position;
  for (unsigned i = 0; i < most_marks && to > floor; ++i) {
    const std::uint64_t at = find_last(content, mark, floor, to);
    if (at >= to) return false;
    if (at >= mark_offset && end_of(at - mark_offset) == position) return true;
    to = at + mark.size() - 1;
  }
  return false;
}

// Whether [offset, offset + length) is wholly one object of the format that `validator` judges, proved to its end.
inline bool is_proved_by(const char* validator, const Content& content, std::uint64_t offset, std::uint64_t length) {
  const Validator* const found = find_validator(validator);
  if (found == nullptr) return false;
  Memory memory;
  const Verdict verdict = found->validate(PartContent(content, offset, length), memory);
  return verdict.tier == Tier::validated && verdict.length == length;
}

// The same, by whichever of the stream formats begins like it.
inline bool is_proved_stream(const Content& content, std::uint64_t offset, std::uint64_t length) {
  const ByteSpan head = content.at(offset, 6);
  const char* const name = starts_with(head, "\x1f\x8b") ? "gzip"
                           : starts_with(head, "BZh")    ? "bzip2"
                           : starts_with(head,
                                         "\xfd"
                                         "7zXZ")
                               ? "xz"
                           : starts_with(head, "\x28\xb5\x2f\xfd") ? "zstd"
                                                                   : nullptr;
  return name != nullptr && is_proved_by(name, content, offset, length);
}

}  // namespace exhibit::carve
