#pragma once
// Pictures without a movie: the items of HEIF and AVIF (ISO/IEC 23008-12; AV1 Image File Format 1.1), which a `meta`
// box lists (ISO/IEC 14496-12:2015, 8.11).

#include "carve/iso_boxes.h"

namespace exhibit::carve::iso {

struct Items {
  std::vector<Chunk> places;   // of their data that lie in the file
  std::optional<Chunk> wrong;  // data that aren't what the item's type says, the first in the file
  // The last byte that is known to lie where it belongs: the head of a unit that ends where its item does.
  std::uint64_t proved = 0;
};

// Nothing: the box's parts contradict each other, or speak of what lies behind the file's `end`.
std::optional<Items> read_items(const Content& content, const Box& meta, std::uint64_t end);

}  // namespace exhibit::carve::iso
