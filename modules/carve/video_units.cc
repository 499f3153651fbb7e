#include "carve/video_units.h"

#include <algorithm>
#include <bit>

#include "carve/foreign_sector.h"

namespace exhibit::carve {
namespace {

// Whether a unit's first byte says that it codes a part of a picture (14496-10, table 7-1; 23008-2, table 7-1).
bool codes_picture(unsigned first, bool is_hevc) {
  const unsigned type = is_hevc ? first >> 1 & 63 : first & 31;
  return is_hevc ? type < 32 : type >= 1 && type <= 5;
}

}  // namespace

bool has_units(const Content& content, std::uint64_t begin, std::uint64_t end, const UnitFormat& format) {
  for (std::uint64_t at = begin; at < end;) {
    Reader reader(content, at);
    std::uint64_t length = 0;
    for (unsigned byte = 0; byte < format.length_size; ++byte) length = length << 8 | reader.u8();
    const std::uint64_t body = at + format.length_size;
    const unsigned first = reader.u8();
    // The first bit of a unit is always 0 (14496-10, 7.4.1; 23008-2, 7.4.2.2).
    if (!reader.ok() || length == 0 || first >= 0x80 || body > end || length > end - body) return false;
    if (codes_picture(first, format.is_hevc) && has_foreign_sector(content, body, body + length)) return false;
    at = body + length;
  }
  return true;
}

bool has_foreign_sector(const Content& content, std::uint64_t begin, std::uint64_t end, bool zeros_count) {
  for (std::uint64_t at = begin; end >= sector_bytes && at <= end - sector_bytes;) {
    ByteSpan bytes = content.at(at, sector_bytes);
    if (bytes.size() < sector_bytes) return false;
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - at));
    std::size_t i = 0;
    for (; i + sector_bytes <= bytes.size(); i += sector_bytes) {
      const ByteSpan sector = bytes.subspan(i, sector_bytes);
      if ((zeros_count && is_zero_sector(sector)) || is_text_sector(sector)) return true;
    }
    at += i;
  }
  return false;
}

bool has_aac_end(const Content& content, std::uint64_t begin, std::uint64_t end) {
  if (end - begin < 2) return false;
  const unsigned last = Reader(content, end - 2).be16();
  const int zeros = std::countr_zero(last | 0x10000U);
  return zeros <= 7 && (last >> zeros & 7) == 7;
}

}  // namespace exhibit::carve
