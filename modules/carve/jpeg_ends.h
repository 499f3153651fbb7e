#pragma once
// Where a JPEG ends that its own chain of segments doesn't lead to.

#include <cstdint>
#include <optional>

#include "carve/content.h"

namespace exhibit::carve::jpeg {

// The marker that ends the entropy-coded data at `from` (ITU-T T.81, B.1.1.5); the content's end if none does.
std::uint64_t end_of_data(const Content& content, std::uint64_t from);

// The end of the last of the pictures that follow in the same file, as an MPF index tells (CIPA DC-007, 5.2), whose
// TIFF header is at `index`; `end`, where the first one ends, if there are none.
std::uint64_t end_of_pictures(const Content& content, std::uint64_t index, std::uint64_t end);

// Where in a segment [begin, end) that leads astray foreign bytes begin, as far as that can be seen: at the border of
// an allocation unit where text or anything turns into something else; `end` if nowhere.
std::uint64_t end_of_segment(const Content& content, std::uint64_t begin, std::uint64_t end);

// How a picture broke within its entropy-coded data.
struct Breaking {
  std::uint64_t at = 0;                  // where decoding couldn't go on
  std::uint64_t data = 0;                // where the scan's data begins
  std::uint64_t decoded = 0, units = 0;  // MCUs that were decoded, of so many
  bool is_exact = false;                 // foreign bytes begin at `at`
  bool is_progressive = false;           // other scans follow
};
struct Ending {
  std::uint64_t length = 0;  // of the picture
  std::uint64_t doubt = 0, doubt_length = 0;
};
// The picture's own end behind a damaged stretch, if it can be told; else where it broke.
Ending end_of_broken(const Content& content, const Breaking& breaking);

}  // namespace exhibit::carve::jpeg
