// Windows icons and cursors (Microsoft, 'Icons in Win32'): a directory, and bitmaps or PNGs of exactly the lengths that
// it tells, one behind the other.

#include <algorithm>

#include "carve/bitmap.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 6, entry_length = 16;
constexpr unsigned most_images = 64;
constexpr std::uint64_t most_image_bytes = std::uint64_t{16} << 20;

struct Entry {
  unsigned width = 0, height = 0;  // 0: 256
  std::uint64_t length = 0, offset = 0;
};

unsigned count_of(ByteSpan head) { return static_cast<unsigned>(head[4] | head[5] << 8); }

// The first entry of the directory can be one: its image follows the directory.
bool glance(ByteSpan head) {
  if (head.size() < header_length + entry_length) return false;
  const bool is_header = head[0] == 0 && head[1] == 0 && (head[2] == 1 || head[2] == 2) && head[3] == 0;
  const std::uint64_t count = count_of(head);
  const std::uint64_t offset = head[18] | head[19] << 8 | head[20] << 16 | std::uint64_t{head[21]} << 24;
  return is_header && count >= 1 && count <= most_images && head[9] == 0 && head[17] == 0 &&
         offset == header_length + count * entry_length;
}

// Whether the image is one that fills its entry: 1: a bitmap, 2: a PNG that holds; 0: neither.
int kind_of(const Content& content, const Entry& entry) {
  if (starts_with(content.at(entry.offset, 8), "\x89PNG\r\n\x1a\n")) {
    Memory memory;
    const PartContent part(content, entry.offset, entry.length);
    const Verdict verdict = find_validator("png")->validate(part, memory);
    return verdict.tier == Tier::validated && verdict.length == entry.length ? 2 : 0;
  }
  auto bitmap = read_bitmap(content, entry.offset);
  if (!bitmap || bitmap->header_length != 40 || bitmap->compression != 0 || bitmap->height % 2 != 0) return 0;
  bitmap->height /= 2;  // colours, and a mask of one bit a pixel
  const unsigned width = entry.width == 0 ? 256 : entry.width;
  if (bitmap->width != width && entry.width != 0) return 0;
  const std::uint64_t mask = (bitmap->width + 31) / 32 * 4 * bitmap->height;
  const std::uint64_t colours = bitmap->header_length + bitmap->palette_length + bitmap->pixel_bytes();
  // The mask may be missing where the pixels have an alpha channel; some programs write a larger one.
  return entry.length >= colours && entry.length <= colours + mask + bitmap->width * bitmap->height ? 1 : 0;
}

Verdict validate(const Content& content, Memory&) {
  const ByteSpan head = content.at(0, 64);
  if (!glance(head)) return {};
  const bool is_cursor = head[2] == 2;
  const unsigned count = count_of(head);
  std::uint64_t end = header_length + count * entry_length;
  bool is_proved = true;
  for (unsigned i = 0; i < count; ++i) {
    Reader reader(content, header_length + i * entry_length);
    Entry entry;
    entry.width = reader.u8(), entry.height = reader.u8();
    reader.skip(6);
    entry.length = reader.le32(), entry.offset = reader.le32();
    // The images lie one behind the other, as all programs write them.
    const bool follows = entry.offset == end && entry.length > 40 && entry.length <= most_image_bytes;
    if (!reader.ok() || !follows || entry.offset + entry.length > content.size()) return {};
    const int kind = kind_of(content, entry);
    if (kind == 0) return {};
    is_proved &= kind == 2;
    end = entry.offset + entry.length;
  }
  Verdict verdict = Verdict::whole(end, is_cursor ? "cur" : "ico");
  if (!is_proved) verdict.tier = Tier::plausible;  // nothing tells whether a bitmap's pixels are its own
  return verdict;
}

}  // namespace

extern const Validator ico_validator;
const Validator ico_validator = {"ico", validate, glance};

}  // namespace exhibit::carve
