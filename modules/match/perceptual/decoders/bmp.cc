// Windows bitmaps (BITMAPINFOHEADER and its successors, and OS/2's BITMAPCOREHEADER): [MS-WMF] 2.2.2. Their own
// reading, as the libraries that decode the other formats don't.

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "base/checked.h"
#include "match/perceptual/picture.h"

namespace exhibit::match {
namespace {

constexpr std::size_t file_header = 14, core_header = 12, info_header = 40;
enum Compression : std::uint32_t { rgb = 0, rle8 = 1, rle4 = 2, bit_fields = 3, alpha_bit_fields = 6 };

struct Bitmap {
  std::span<const std::uint8_t> file;
  std::uint64_t width = 0, height = 0, points_at = 0;
  bool bottom_up = true;
  unsigned bits = 0;
  std::uint32_t compression = rgb;
  std::vector<std::array<std::uint8_t, 3>> palette;  // red, green, blue
  std::array<std::uint32_t, 3> masks{};              // red, green, blue
};

std::uint32_t number(std::span<const std::uint8_t> file, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | file[at + i];
  return value;
}

Error broken(const char* what) { return {ErrorCode::corrupt, what, {}, {}}; }

void read_palette(Bitmap& bitmap, std::size_t at, std::size_t each, std::uint32_t used) {
  const std::size_t most = std::size_t{1} << bitmap.bits;
  const std::size_t count = used == 0 ? most : std::min<std::size_t>(used, most);
  bitmap.palette.resize(most);
  for (std::size_t i = 0; i < count && at + each <= bitmap.file.size(); ++i, at += each)
    bitmap.palette[i] = {bitmap.file[at + 2], bitmap.file[at + 1], bitmap.file[at]};
}

Result<Bitmap> read_header(std::span<const std::uint8_t> file) {
  if (file.size() < file_header + core_header) return broken("the bitmap ends in its header");
  Bitmap bitmap;
  bitmap.file = file;
  bitmap.points_at = number(file, 10, 4);
  const std::uint32_t header = number(file, file_header, 4);
  std::uint32_t colours = 0;
  const bool core = header == core_header;
  if (core) {
    bitmap.width = number(file, 18, 2);
    bitmap.height = number(file, 20, 2);
    bitmap.bits = number(file, 24, 2);
  } else {
    if (header < info_header || file.size() < file_header + info_header)
      return broken("the bitmap has no known header");
    const auto width = static_cast<std::int32_t>(number(file, 18, 4)),
               height = static_cast<std::int32_t>(number(file, 22, 4));
    if (width <= 0 || height == 0 || height == INT32_MIN) return broken("the bitmap has no size");
    bitmap.width = static_cast<std::uint64_t>(width);
    bitmap.bottom_up = height > 0;
    bitmap.height = static_cast<std::uint64_t>(height > 0 ? height : -height);
    bitmap.bits = number(file, 28, 2);
    bitmap.compression = number(file, 30, 4);
    colours = number(file, 46, 4);
  }
  const unsigned bits = bitmap.bits;
  const bool has_palette = bits == 1 || bits == 4 || bits == 8;
  const bool has_masks = bitmap.compression == bit_fields || bitmap.compression == alpha_bit_fields;
  const bool fits = (bitmap.compression == rgb && (has_palette || bits == 16 || bits == 24 || bits == 32)) ||
                    (bitmap.compression == rle8 && bits == 8) || (bitmap.compression == rle4 && bits == 4) ||
                    (has_masks && (bits == 16 || bits == 32));
  if (!fits) return Error{ErrorCode::unsupported, "a kind of bitmap that isn't decoded", {}, {}};
  if (has_palette) read_palette(bitmap, file_header + header, core ? 3 : 4, colours);
  bitmap.masks = bits == 16 ? std::array<std::uint32_t, 3>{0x7c00, 0x03e0, 0x001f}
                            : std::array<std::uint32_t, 3>{0xff0000, 0xff00, 0xff};
  if (has_masks) {
    // Behind a header of 40 bytes, or within a longer one: the same place.
    if (file.size() < file_header + info_header + 12) return broken("the bitmap ends in its header");
    for (std::size_t i = 0; i < 3; ++i) bitmap.masks[i] = number(file, file_header + info_header + 4 * i, 4);
  }
  return bitmap;
}

std::uint8_t channel(std::uint32_t point, std::uint32_t mask) {
  if (mask == 0) return 0;
  const std::uint64_t most = mask >> std::countr_zero(mask), value = (point & mask) >> std::countr_zero(mask);
  return static_cast<std::uint8_t>(value * 255 / most);
}

class Rows {
 public:
  Rows(const Bitmap& bitmap, Canvas& canvas) : bitmap_(bitmap), canvas_(canvas), row_(3 * bitmap.width) {}

  // False where the file ends before the picture.
  bool read_plain() {
    const std::uint64_t bytes = (bitmap_.width * bitmap_.bits + 31) / 32 * 4;
    for (std::uint64_t i = 0; i < bitmap_.height; ++i) {
      const auto begin = base::checked_add(bitmap_.points_at, i * bytes);
      if (!begin || !base::within(*begin, bytes, bitmap_.file.size())) return false;
      if (!canvas_.wants(place_of(i))) continue;
      const auto line = bitmap_.file.subspan(*begin, bytes);
      for (std::size_t x = 0; x < bitmap_.width; ++x) put_point(x, line);
      canvas_.row(place_of(i), row_, 3);
    }
    return true;
  }

  // Runs: a count and what is repeated; 0 and a command (end of line, of bitmap, a jump) or a count of plain points.
  bool read_runs() {
    std::uint64_t at = bitmap_.points_at, x = 0, y = 0;
    const auto next = [&]() -> unsigned { return bitmap_.file[at++]; };
    while (base::within(at, 2, bitmap_.file.size())) {
      const unsigned count = next(), value = next();
      if (count != 0) {
        for (unsigned i = 0; i < count; ++i) put_colour(x++, half(value, i));
      } else if (value == 0) {
        end_row(y++);
        x = 0;
        if (y >= bitmap_.height) return true;
      } else if (value == 1) {
        while (y < bitmap_.height) end_row(y++);
        return true;
      } else if (value == 2) {
        if (!base::within(at, 2, bitmap_.file.size())) break;
        x += next();
        for (unsigned down = next(); down > 0 && y < bitmap_.height; --down) end_row(y++);
      } else {
        const std::uint64_t bytes = bitmap_.compression == rle8 ? value : (value + 1) / 2;
        if (!base::within(at, bytes + bytes % 2, bitmap_.file.size())) break;
        for (unsigned i = 0; i < value; ++i)
          put_colour(x++, half(bitmap_.file[at + (bitmap_.compression == rle8 ? i : i / 2)], i));
        at += bytes + bytes % 2;
      }
    }
    while (y < bitmap_.height) end_row(y++);
    return false;
  }

 private:
  std::size_t place_of(std::uint64_t line) const {
    return static_cast<std::size_t>(bitmap_.bottom_up ? bitmap_.height - 1 - line : line);
  }
  unsigned half(unsigned value, unsigned i) const {
    if (bitmap_.compression == rle8) return value;
    return i % 2 == 0 ? value >> 4 : value & 0xfU;
  }
  void put_colour(std::uint64_t x, unsigned colour) {
    if (x < bitmap_.width)
      std::copy_n(bitmap_.palette[colour].begin(), 3, row_.begin() + static_cast<std::ptrdiff_t>(3 * x));
  }
  void end_row(std::uint64_t y) {
    canvas_.row(place_of(y), row_, 3);
    std::ranges::fill(row_, std::uint8_t{0});
  }
  void put_point(std::size_t x, std::span<const std::uint8_t> line) {
    if (bitmap_.bits <= 8) {
      const std::size_t bit = x * bitmap_.bits;
      put_colour(x, line[bit / 8] >> (8 - bitmap_.bits - bit % 8) & ((1U << bitmap_.bits) - 1));
    } else if (bitmap_.bits == 24) {
      for (std::size_t i = 0; i < 3; ++i) row_[3 * x + i] = line[3 * x + 2 - i];
    } else {
      const std::uint32_t point = number(line, x * bitmap_.bits / 8, bitmap_.bits / 8);
      for (std::size_t i = 0; i < 3; ++i) row_[3 * x + i] = channel(point, bitmap_.masks[i]);
    }
  }

  const Bitmap& bitmap_;
  Canvas& canvas_;
  std::vector<std::uint8_t> row_;
};

Result<bool> decode(std::span<const std::uint8_t> file, Canvas& canvas) {
  const Bitmap bitmap = EXHIBIT_TRY(read_header(file));
  EXHIBIT_TRY(canvas.begin(bitmap.width, bitmap.height, Canvas::most_points));
  Rows rows(bitmap, canvas);
  return bitmap.compression == rle8 || bitmap.compression == rle4 ? rows.read_runs() : rows.read_plain();
}

}  // namespace

extern const PictureDecoder bmp_decoder;
const PictureDecoder bmp_decoder = {.name = "exhibit-bmp",
                                    .types = {"image/bmp", "image/x-ms-bmp"},
                                    .version = []() -> std::string { return "1"; },
                                    .prepare = nullptr,
                                    .decode = decode};

}  // namespace exhibit::match
