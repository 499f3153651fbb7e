// A plain image in pieces that are numbered by their extension: .001 .002 … or .000 .001 …

#include <algorithm>
#include <optional>

#include "image/format.h"
#include "image/raw_image.h"

namespace exhibit::image {
namespace {

// The number that the extension says: three digits or more, nothing else.
std::optional<std::uint64_t> piece_number(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string digits = name.substr(dot + 1);
  if (digits.size() < 3 || digits.size() > 9) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return std::stoull(digits);
}

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
