#pragma once
// Device-independent bitmaps (Microsoft, 'Bitmap Storage'; MS-WMF 2.2.2.3, 2.2.2.9), which BMP and ICO share.

#include <cstdint>
#include <optional>

#include "carve/content.h"

namespace exhibit::carve {

struct Bitmap {
  std::uint32_t header_length = 0;
  std::uint64_t width = 0, height = 0;
  unsigned bits = 0;  // of a pixel
  std::uint32_t compression = 0, image_length = 0;
  std::uint64_t palette_length = 0;  // bytes, with the masks behind the header
  bool is_compressed() const { return compression == 1 || compression == 2 || compression == 4 || compression == 5; }
  // Bytes of the pixels that aren't compressed: rows of whole 32-bit words.
  std::uint64_t pixel_bytes() const { return (width * bits + 31) / 32 * 4 * height; }
};

// The header at `offset`; nothing where its fields can't be.
std::optional<Bitmap> read_bitmap(const Content& content, std::uint64_t offset);

}  // namespace exhibit::carve
