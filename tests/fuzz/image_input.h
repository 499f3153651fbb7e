#pragma once
// Segment files out of one input: it is cut wherever the separator stands.

#include "fuzz/fuzz.h"
#include "image/image.h"

namespace exhibit::fuzz {

inline constexpr std::string_view separator = "--next-segment--";
inline constexpr std::size_t most_segments = 8;

// `name`: of the segment with that number, from 1.
template <typename Name>
std::vector<image::SegmentFile> segments_of(std::string_view text, const Name& name) {
  std::vector<image::SegmentFile> segments;
  while (segments.size() < most_segments) {
    const std::size_t end = std::min(text.find(separator), text.size());
    image::SegmentFile segment;
    segment.name = name(segments.size() + 1);
    segment.size = end;
    segment.fd = MemoryFile(text.substr(0, end)).take();
    segments.push_back(std::move(segment));
    if (end == text.size()) break;
    text.remove_prefix(end + separator.size());
  }
  return segments;
}

inline std::vector<image::SegmentFile> segments_of(std::string_view text) {
  return segments_of(text, [](std::size_t number) { return "fuzz.E0" + std::to_string(number); });
}

inline void read_part(image::Image& image, std::uint64_t from, std::uint64_t to) {
  std::vector<std::byte> buffer(50000);  // across the chunks
  for (std::uint64_t offset = from; offset < to;) {
    const auto got = image.read_at(offset, buffer);
    if (!got.ok()) {
      offset += buffer.size();
      continue;
    }
    FUZZ_CHECK(*got <= buffer.size() && (*got == buffer.size() || offset + *got == image.size()));
    if (*got == 0) break;
    offset += *got;
  }
}

// Whatever is read is there or in doubt.
inline void read_image(std::vector<image::SegmentFile> segments) {
  constexpr std::uint64_t most_read = std::uint64_t{4} << 20;
  auto image = image::open_image(std::move(segments));
  if (!image.ok()) {
    FUZZ_CHECK(!image.error().message.empty());
    return;
  }
  image::Image& medium = **image;
  FUZZ_CHECK(medium.description().size == medium.size());
  const std::uint64_t end = medium.size();
  read_part(medium, 0, std::min(end, most_read));
  read_part(medium, end > most_read ? end - 200000 : 0, end);
  std::uint64_t reached = 0;
  for (const Doubt& doubt : medium.doubts(0, end)) {
    FUZZ_CHECK(doubt.length > 0 && doubt.offset >= reached && doubt.length <= end - doubt.offset);
    reached = doubt.offset + doubt.length;
  }
  (void)medium.tail();
}

}  // namespace exhibit::fuzz
