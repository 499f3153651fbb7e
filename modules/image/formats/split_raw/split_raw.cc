// A plain image in pieces that are numbered by their extension: .001 .002 … or .000 .001 …

#include <algorithm>
#include <optional>

#include "image/format.h"
#include "image/raw_image.h"
#include "image/segment_file.h"

namespace exhibit::image {
namespace {

Recognition recognise(const std::vector<SegmentFile>& segments) {
  if (segments.size() < 2) return Recognition::not_mine;
  std::optional<std::uint64_t> expected;
  for (const SegmentFile& segment : segments) {
    const auto number = piece_number(segment.name);
    if (!number) return Recognition::not_mine;
    if (segment.size == 0 || *number != expected.value_or(*number)) return Recognition::damaged;
    expected = *number + 1;
  }
  return *expected - segments.size() <= 1 ? Recognition::mine : Recognition::damaged;
}

// A gap in the numbers would move every byte after it.
Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) {
  std::optional<std::uint64_t> expected;
  for (const SegmentFile& segment : segments) {
    const auto number = piece_number(segment.name);
    if (!number) continue;  // the caller's own order and names
    if (!expected && *number > 1) {
      return Error{ErrorCode::not_found,
                   segment.name + ": the pieces before it are missing; put them beside it and name the first one",
                   segment.name,
                   {}};
    }
    if (expected && *number != *expected) {
      return Error{ErrorCode::not_found,
                   segments.front().name + ": piece " + std::to_string(*expected) + " is missing before " +
                       segment.name + "; put it beside " + segments.front().name,
                   segment.name,
                   {}};
    }
    expected = *number + 1;
  }
  return open_raw(std::move(segments));
}

}  // namespace

extern const Format split_raw_format;
const Format split_raw_format = {"split-raw", recognise, open};

}  // namespace exhibit::image
