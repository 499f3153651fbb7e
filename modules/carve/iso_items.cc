#include "carve/iso_items.h"

#include <map>

#include "base/checked.h"

namespace exhibit::carve::iso {
namespace {

constexpr std::size_t most_items = std::size_t{1} << 16;

struct Parts {
  std::map<std::uint32_t, std::uint32_t> types;  // letters by item (infe)
  std::map<std::uint32_t, std::vector<Chunk>> places;
  std::size_t count = 0;     // of places
  bool has_places = false;   // an iloc box
  unsigned length_size = 0;  // bytes before each unit of HEVC and AVC
};

std::uint64_t sized(Reader& reader, unsigned size) { return size == 8 ? reader.be64() : size == 4 ? reader.be32() : 0; }

// 8.11.3. Data that lie in the box itself or in other items (construction methods 1 and 2) are left out.
bool read_locations(const Content& content, const Box& box, Parts& parts) {
  Reader reader(content, box.body);
  const unsigned version = reader.u8();
  reader.be24();
  const unsigned sizes = reader.u8(), more = reader.u8();
  const unsigned offset_size = sizes >> 4, length_size = sizes & 15, base_size = more >> 4;
  const unsigned index_size = version == 0 ? 0 : more & 15;
  const std::uint32_t items = version < 2 ? reader.be16() : reader.be32();
  for (std::uint32_t i = 0; i < items && reader.ok() && reader.position() < box.end; ++i) {
    const std::uint32_t id = version < 2 ? reader.be16() : reader.be32();
    const unsigned method = version == 0 ? 0 : reader.be16() & 15;
    const bool is_here = reader.be16() == 0;  // not in another file
    const std::uint64_t base = sized(reader, base_size);
    const unsigned extents = reader.be16();
    for (unsigned j = 0; j < extents && reader.ok() && reader.position() <= box.end; ++j) {
      sized(reader, index_size);
      const auto offset = base::checked_add(base, sized(reader, offset_size));
      const std::uint64_t length = sized(reader, length_size);
      if (!offset || ++parts.count > most_items) return false;
      if (method == 0 && is_here) parts.places[id].push_back({*offset, length, 0, 0});
    }
  }
  parts.has_places = true;
  return version <= 2 && reader.ok() && reader.position() <= box.end;
}

// 8.11.6: versions 2 and 3 of `infe` have a type.
void read_types(const Content& content, const Box& box, Parts& parts) {
  const bool is_short = Reader(content, box.body).u8() == 0;
  for_each_box(content, box.body + (is_short ? 6 : 8), box.end, [&](const Box& entry) {
    Reader reader(content, entry.body);
    const unsigned version = reader.u8();
    if (entry.type != four_letters("infe") || (version != 2 && version != 3)) return true;
    reader.be24();
    const std::uint32_t id = version == 2 ? reader.be16() : reader.be32();
    reader.be16();  // protection
    parts.types[id] = reader.be32();
    return reader.ok() && parts.types.size() <= most_items;
  });
}

// The decoder's settings are among the properties (23008-12, 9.3; 14496-15, 8.3.3.1 and 5.3.3.1).
void read_properties(const Content& content, const Box& box, Parts& parts) {
  for_each_box(content, box.body, box.end, [&](const Box& container) {
    if (container.type != four_letters("ipco")) return true;
    for_each_box(content, container.body, container.end, [&](const Box& property) {
      const bool is_hevc = property.type == four_letters("hvcC"), is_avc = property.type == four_letters("avcC");
      if (is_hevc || is_avc) parts.length_size = (Reader(content, property.body + (is_hevc ? 21 : 4)).u8() & 3U) + 1;
      return true;
    });
    return true;
  });
}

// Where the last of the units begins that fill an item, each behind its length.
std::optional<std::uint64_t> last_unit(const Content& content, const Chunk& place, unsigned length_size) {
  std::uint64_t at = place.offset, last = at;
  for (const std::uint64_t end = place.offset + place.length; at < end;) {
    Reader reader(content, at);
    std::uint64_t length = 0;
    for (unsigned byte = 0; byte < length_size; ++byte) length = length << 8 | reader.u8();
    const std::uint64_t body = at + length_size;
    // The first bit of a unit is always 0 (ISO/IEC 14496-10, 7.4.1; 23008-2, 7.4.2.2).
    if (reader.u8() >= 0x80 || !reader.ok() || length == 0 || body > end || length > end - body) return std::nullopt;
    last = at;
    at = body + length;
  }
  return last;
}

// The same for AV1's open bitstream units (AV1 Bitstream & Decoding Process Specification, 5.3).
std::optional<std::uint64_t> last_obu(const Content& content, const Chunk& place) {
  std::uint64_t at = place.offset, last = at;
  for (const std::uint64_t end = place.offset + place.length; at < end;) {
    Reader reader(content, at);
    const unsigned head = reader.u8(), type = head >> 3 & 15;
    const bool is_reserved = type == 0 || (type > 8 && type < 15);
    if ((head & 0x81) != 0 || is_reserved) return std::nullopt;
    if ((head & 4) != 0) reader.u8();
    last = at;
    if ((head & 2) == 0) return last;  // the last one may leave its size out
    std::uint64_t length = 0;
    for (unsigned shift = 0; shift < 56; shift += 7) {  // 4.10.5
      const std::uint64_t byte = reader.u8();
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (!reader.ok() || reader.position() > end || length > end - reader.position()) return std::nullopt;
    at = reader.position() + length;
  }
  return last;
}

bool is_jpeg(const Content& content, const Chunk& place) {
  return place.length >= 4 && Reader(content, place.offset).be16() == 0xffd8 &&
         Reader(content, place.offset + place.length - 2).be16() == 0xffd9;
}

// Whether an item's data look like its type; what that proves goes to `items`.
bool judge(const Content& content, std::uint32_t type, const Chunk& place, const Parts& parts, Items& items) {
  std::optional<std::uint64_t> mark;
  switch (type) {
    case four_letters("hvc1"):
    case four_letters("avc1"):
      if (parts.length_size == 0 || parts.length_size == 3) return true;
      mark = last_unit(content, place, parts.length_size);
      break;
    case four_letters("av01"):
      mark = last_obu(content, place);
      break;
    case four_letters("jpeg"):
      if (is_jpeg(content, place)) mark = place.offset + place.length - 1;
      break;
    case four_letters("Exif"): {  // 23008-12, A.2.1: how far off the TIFF header is
      const std::uint64_t tiff = place.offset + 4 + Reader(content, place.offset).be32();
      const std::uint32_t header = Reader(content, tiff).be32();
      return header == 0x49492a00 || header == 0x4d4d002a;
    }
    default:
      return true;
  }
  if (!mark || has_foreign_sector(content, place.offset, place.offset + place.length)) return false;
  items.proved = std::max(items.proved, *mark);
  return true;
}

}  // namespace

std::optional<Items> read_items(const Content& content, const Box& meta, std::uint64_t end) {
  Parts parts;
  bool holds = meta.end <= end;
  const bool filled = holds && for_each_box(content, meta.body + 4, meta.end, [&](const Box& box) {
                        if (box.type == four_letters("iloc")) holds = read_locations(content, box, parts);
                        if (box.type == four_letters("iinf")) read_types(content, box, parts);
                        if (box.type == four_letters("iprp")) read_properties(content, box, parts);
                        return holds;
                      });
  if (!filled || !holds || !parts.has_places) return std::nullopt;
  Items items;
  std::uint64_t looked_at = 0;  // items may share bytes: no more than a file of separate ones would have
  for (const auto& [id, places] : parts.places) {
    const auto type = parts.types.find(id);
    for (const Chunk& place : places) {
      if (!base::within(place.offset, place.length, end)) return std::nullopt;
      items.places.push_back(place);
      // An item in pieces isn't put together here.
      const bool is_known = type != parts.types.end() && places.size() == 1;
      if (!is_known || place.length > end - looked_at) continue;
      looked_at += place.length;
      if (judge(content, type->second, place, parts, items)) continue;
      if (!items.wrong || place.offset < items.wrong->offset) items.wrong = place;
    }
  }
  return items;
}

}  // namespace exhibit::carve::iso
