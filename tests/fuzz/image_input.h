#pragma once
// Segment files out of one input: it is cut wherever the separator stands.

#include "fuzz/fuzz.h"
#include "image/image.h"

namespace exhibit::fuzz {

inline constexpr std::string_view separator = "--next-segment--";
inline constexpr std::size_t most_segments = 8;

inline std::vector<image::SegmentFile> segments_of(std::string_view text) {
  std::vector<image::SegmentFile> segments;
  while (segments.size() < most_segments) {
    const std::size_t end = std::min(text.find(separator), text.size());
    image::SegmentFile segment;
    segment.name = "fuzz.E0" + std::to_string(segments.size() + 1);
    segment.size = end;
    segment.fd = MemoryFile(text.substr(0, end)).take();
    segments.push_back(std::move(segment));
    if (end == text.size()) break;
    text.remove_prefix(end + separator.size());
  }
  return segments;
}

}  // namespace exhibit::fuzz
