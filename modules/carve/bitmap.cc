#include "carve/bitmap.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace exhibit::carve {
namespace {

constexpr std::uint32_t core_header = 12, info_header = 40;
constexpr std::int64_t longest_side = 1 << 20;  // pixels; none known is near
constexpr std::array<std::uint32_t, 7> header_lengths = {12, 40, 52, 56, 64, 108, 124};
constexpr std::array<unsigned, 6> depths = {1, 4, 8, 16, 24, 32};

bool is_side(std::int64_t pixels) { return pixels > 0 && pixels <= longest_side; }

}  // namespace

std::optional<Bitmap> read_bitmap(const Content& content, std::uint64_t offset) {
  Reader reader(content, offset);
  Bitmap bitmap;
  bitmap.header_length = reader.le32();
  const bool is_core = bitmap.header_length == core_header;
  const std::int64_t width = is_core ? reader.le16() : static_cast<std::int32_t>(reader.le32());
  const std::int64_t height = is_core ? reader.le16() : static_cast<std::int32_t>(reader.le32());
  const unsigned planes = reader.le16();
  bitmap.bits = reader.le16();
  std::uint32_t used = 0;
  if (!is_core) {
    bitmap.compression = reader.le32();
    bitmap.image_length = reader.le32();
    reader.le32(), reader.le32();  // resolution
    used = reader.le32();
    reader.le32();
  }
  const bool is_known =
      std::find(header_lengths.begin(), header_lengths.end(), bitmap.header_length) != header_lengths.end() &&
      std::find(depths.begin(), depths.end(), bitmap.bits) != depths.end();
  if (!reader.ok() || !is_known || planes != 1 || bitmap.compression > 6) return std::nullopt;
  if (!is_side(width) || !is_side(std::abs(height)) || used > 256) return std::nullopt;
  bitmap.width = static_cast<std::uint64_t>(width);
  bitmap.height = static_cast<std::uint64_t>(std::abs(height));
  const std::uint64_t colours = used != 0 || bitmap.bits > 8 ? used : std::uint64_t{1} << bitmap.bits;
  bitmap.palette_length = colours * (is_core ? 3 : 4);
  if (bitmap.header_length == info_header && bitmap.compression == 3) bitmap.palette_length += 12;  // BI_BITFIELDS
  if (bitmap.header_length == info_header && bitmap.compression == 6) bitmap.palette_length += 16;
  return bitmap;
}

}  // namespace exhibit::carve
