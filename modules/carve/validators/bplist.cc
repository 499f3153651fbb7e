// Apple's binary property lists (Core Foundation, CFBinaryPList.c): objects, a table of their offsets, a trailer of 32
// bytes. The trailer has no mark; it is where the table that it describes leads exactly to it, and every object holds.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 8, trailer_length = 32;  // bytes
constexpr std::uint64_t most_length = 16 << 20;                  // bytes
constexpr std::uint64_t most_objects = 1 << 22;

struct Trailer {
  std::uint64_t offset_size = 0, reference_size = 0, objects = 0, top = 0, table = 0;
};

std::uint64_t big(ByteSpan bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

// The trailer that would lie at `at`, if it leads back to itself.
bool read_trailer(ByteSpan bytes, std::uint64_t at, Trailer& trailer) {
  if (big(bytes.first(5)) != 0) return false;
  trailer.offset_size = bytes[6];
  trailer.reference_size = bytes[7];
  trailer.objects = big(bytes.subspan(8, 8));
  trailer.top = big(bytes.subspan(16, 8));
  trailer.table = big(bytes.subspan(24, 8));
  return trailer.offset_size >= 1 && trailer.offset_size <= 8 && trailer.reference_size >= 1 &&
         trailer.reference_size <= 8 && trailer.objects > 0 && trailer.objects <= most_objects &&
         trailer.top < trailer.objects && trailer.table > header_length &&
         trailer.table + trailer.objects * trailer.offset_size == at;
}

// The end of the object at `at`; 0: there is none.
std::uint64_t end_of_object(const Content& content, std::uint64_t at, const Trailer& trailer) {
  Reader reader(content, at);
  const unsigned marker = reader.u8(), kind = marker >> 4;
  std::uint64_t count = marker & 0x0f;
  if (kind == 0) return marker == 0x00 || marker == 0x08 || marker == 0x09 || marker == 0x0f ? at + 1 : 0;
  if (kind == 1 || kind == 2) return count <= 4 ? at + 1 + (std::uint64_t{1} << count) : 0;
  if (kind == 3) return marker == 0x33 ? at + 9 : 0;
  if (kind == 8) return at + 2 + count;
  if (count == 0x0f) {
    const unsigned size = reader.u8();
    if (size >> 4 != 1 || (size & 0x0f) > 3) return 0;
    count = big(reader.bytes(std::size_t{1} << (size & 0x0f)));
  }
  if (!reader.ok() || count > most_length) return 0;
  const std::uint64_t unit = kind == 4 || kind == 5 || kind == 7            ? 1
                             : kind == 6                                    ? 2
                             : kind == 0x0a || kind == 0x0b || kind == 0x0c ? trailer.reference_size
                             : kind == 0x0d                                 ? 2 * trailer.reference_size
                                                                            : 0;
  return unit == 0 ? 0 : reader.position() + count * unit;
}

// Whether each object lies before the table, and the furthest ends there.
bool objects_hold(const Content& content, const Trailer& trailer) {
  std::uint64_t furthest = 0;
  for (std::uint64_t i = 0; i < trailer.objects; ++i) {
    Reader reader(content, trailer.table + i * trailer.offset_size);
    const std::uint64_t at = big(reader.bytes(trailer.offset_size));
    if (!reader.ok() || at < header_length || at >= trailer.table) return false;
    const std::uint64_t end = end_of_object(content, at, trailer);
    if (end == 0 || end > trailer.table) return false;
    furthest = std::max(furthest, end);
  }
  return furthest == trailer.table;
}

Verdict validate(const Content& content, Memory&) {
  if (!starts_with(content.at(0, header_length), "bplist0")) return {};
  const std::uint64_t limit = std::min(content.size(), most_length);
  std::uint64_t at = header_length + 1;
  unsigned tries = 0;
  while (at + trailer_length <= limit) {
    ByteSpan bytes = content.at(at, std::min<std::uint64_t>(limit - at, Content::window));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), limit - at));
    if (bytes.size() < trailer_length) break;
    std::uint64_t step = bytes.size() - trailer_length + 1;
    for (std::uint64_t i = 0; i < step; ++i) {
      Trailer trailer;
      // Five zeros, and the table must end where the trailer begins.
      if (bytes[i] != 0 || bytes[i + 4] != 0 || !read_trailer(bytes.subspan(i, trailer_length), at + i, trailer))
        continue;
      if (objects_hold(content, trailer)) return Verdict::whole(at + i + trailer_length);
      if (++tries > 16) return {};
      step = i + 1;  // the bytes aren't valid any more
    }
    at += step;
  }
  return {};
}

}  // namespace

extern const Validator bplist_validator;
const Validator bplist_validator = {"bplist", validate};

}  // namespace exhibit::carve
