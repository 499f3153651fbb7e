#include "carve/tiff_walk.h"

#include <algorithm>
#include <array>

namespace exhibit::carve {
namespace {

constexpr unsigned most_directories = 512, most_fields = 4096;
constexpr std::uint64_t most_parts = std::uint64_t{1} << 20;  // strips or tiles

// TIFF 6.0, section 2; BigTIFF's 16 to 18; 13 is IFD (Adobe PageMaker 6.0 technical notes).
constexpr std::array<std::uint8_t, 19> type_bytes = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};

enum Tag : std::uint16_t {
  image_width = 0x100,
  image_length = 0x101,
  bits_per_sample = 0x102,
  compression = 0x103,
  make = 0x10f,
  strip_offsets = 0x111,
  samples_per_pixel = 0x115,
  rows_per_strip = 0x116,
  strip_lengths = 0x117,
  planar = 0x11c,
  tile_width = 0x142,
  tile_length = 0x143,
  tile_offsets = 0x144,
  tile_lengths = 0x145,
  sub_directories = 0x14a,
  thumbnail_offset = 0x201,
  thumbnail_bytes = 0x202,
  exif = 0x8769,
  gps = 0x8825,
  interoperability = 0xa005,
  dng_version = 0xc612,
  panasonic_raw_offset = 0x118
};

}  // namespace

std::uint64_t TiffWalk::number(std::uint64_t at, unsigned bytes) const {
  Reader reader(content_, at);
  switch (bytes) {
    case 1:
      return reader.u8();
    case 2:
      return is_little_ ? reader.le16() : reader.be16();
    case 4:
      return is_little_ ? reader.le32() : reader.be32();
    default:
      return is_little_ ? reader.le64() : reader.be64();
  }
}

std::uint64_t TiffWalk::value(const TiffField& field, std::uint64_t index) const {
  const unsigned bytes = type_bytes[field.type];
  return index < field.count ? number(field.values + index * bytes, bytes) : 0;
}

void TiffWalk::reach(std::uint64_t end) { end_ = std::max(end_, end); }

void TiffWalk::refer(std::uint64_t at) {
  if (at == 0 || seen_.size() >= most_directories || !seen_.insert(at).second) return;
  queue_.push_back(at);
}

bool TiffWalk::run() {
  const ByteSpan head = content_.at(0, 16);
  if (head.size() < 16) return false;
  is_little_ = head[0] == 'I';
  if (head[0] != head[1] || (head[0] != 'I' && head[0] != 'M')) return false;
  const std::uint64_t version = number(2, 2);
  is_panasonic_ = version == 0x55;
  is_olympus_ = version == 0x4f52 || version == 0x5352;  // 'RO', 'RS'
  is_big_ = version == 43;
  if (version != 42 && !is_big_ && !is_panasonic_ && !is_olympus_) return false;
  if (is_big_ && number(4, 4) != 8) return false;
  is_canon_raw_ = head[8] == 'C' && head[9] == 'R';
  reach(is_big_ ? 16 : 8);
  const std::uint64_t first = is_big_ ? number(8, 8) : number(4, 4);
  refer(first);
  if (is_canon_raw_) refer(number(12, 4));  // CR2: the raw picture's directory
  std::size_t held = 0;
  while (!queue_.empty()) {
    const std::uint64_t at = queue_.back();
    queue_.pop_back();
    if (directory(at)) {
      ++held;
    } else if (broken_ == 0) {
      broken_ = at;
    }
  }
  return held > 0 || broken_ == first;
}

bool TiffWalk::directory(std::uint64_t at) {
  const unsigned count_bytes = is_big_ ? 8 : 2, field_bytes = is_big_ ? 20 : 12, link_bytes = is_big_ ? 8 : 4;
  if (at < 8 || at >= content_.size()) return false;
  const std::uint64_t fields = number(at, count_bytes);
  if (fields == 0 || fields > most_fields) return false;
  const std::uint64_t end = at + count_bytes + fields * field_bytes;
  if (end + link_bytes > content_.size()) return false;
  TiffPicture picture;
  std::vector<TiffField> all;
  for (std::uint64_t i = 0; i < fields; ++i) {
    const std::uint64_t entry = at + count_bytes + i * field_bytes;
    TiffField field;
    field.tag = static_cast<std::uint16_t>(number(entry, 2));
    field.type = static_cast<std::uint16_t>(number(entry + 2, 2));
    field.count = number(entry + 4, is_big_ ? 8 : 4);
    const bool is_known = field.type < type_bytes.size() && type_bytes[field.type] != 0;
    if (!is_known || field.count > (std::uint64_t{1} << 32)) return false;
    const std::uint64_t bytes = field.count * type_bytes[field.type];
    const std::uint64_t place = entry + 4 + (is_big_ ? 8 : 4);
    field.values = bytes <= link_bytes ? place : number(place, link_bytes);
    all.push_back(field);
  }
  std::uint64_t thumbnail = 0, thumbnail_length = 0;
  for (const TiffField& field : all) {
    const std::uint64_t bytes = field.count * type_bytes[field.type];
    if (bytes > link_bytes && bytes <= content_.size()) {
      reach(field.values + bytes);
      values_end_ = std::max(values_end_, field.values + bytes);
    }
    take(field, picture, thumbnail, thumbnail_length);
  }
  directories_end_ = std::max(directories_end_, end + link_bytes);
  reach(end + link_bytes);
  values_end_ = std::max(values_end_, end + link_bytes);
  if (thumbnail != 0) reach(thumbnail + thumbnail_length);
  reach_data(picture);
  refer(number(end, link_bytes));
  return true;
}

void TiffWalk::take(const TiffField& field, TiffPicture& picture, std::uint64_t& thumbnail,
                    std::uint64_t& thumbnail_length) {
  const std::uint64_t first = type_bytes[field.type] <= 8 ? value(field, 0) : 0;
  switch (field.tag) {
    case image_width:
      picture.width = first;
      break;
    case image_length:
      picture.height = first;
      break;
    case bits_per_sample:
      picture.bits = first;
      break;
    case compression:
      picture.compression = static_cast<unsigned>(first);
      break;
    case samples_per_pixel:
      picture.samples = first;
      break;
    case rows_per_strip:
      picture.rows = first;
      break;
    case planar:
      picture.planar = static_cast<unsigned>(first);
      break;
    case tile_width:
      picture.tile_width = first;
      break;
    case tile_length:
      picture.tile_height = first;
      break;
    case strip_offsets:
    case tile_offsets:
      picture.offsets = field;
      break;
    case strip_lengths:
    case tile_lengths:
      picture.lengths = field;
      break;
    case thumbnail_offset:
      thumbnail = first;
      break;
    case thumbnail_bytes:
      thumbnail_length = first;
      break;
    case exif:
    case gps:
    case interoperability:
      refer(first);
      break;
    case dng_version:
      is_dng_ = true;
      break;
    case panasonic_raw_offset:
      if (is_panasonic_) reach(first);
      break;
    case sub_directories:
      has_sub_ = true;
      for (std::uint64_t i = 0; i < std::min<std::uint64_t>(field.count, 16); ++i) refer(value(field, i));
      break;
    case make: {
      const ByteSpan text = content_.at(field.values, std::min<std::uint64_t>(field.count, 16));
      if (maker_.empty())
        maker_.assign(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(
                                                       text.size(), std::min<std::uint64_t>(field.count, 16))));
      break;
    }
    default:
      break;
  }
}

void TiffWalk::reach_data(const TiffPicture& picture) {
  const std::uint64_t parts = std::min({picture.offsets.count, picture.lengths.count, most_parts});
  for (std::uint64_t i = 0; i < parts; ++i) {
    const std::uint64_t length = value(picture.lengths, i);
    if (length > 0) reach(value(picture.offsets, i) + length);
  }
  if (parts > 0) pictures_.push_back(picture);
}

std::string TiffWalk::extension() const {
  if (is_panasonic_) return "rw2";
  if (is_olympus_) return "orf";
  if (is_canon_raw_) return "cr2";
  if (is_dng_) return "dng";
  if (maker_.starts_with("NIKON") && has_sub_) return "nef";
  if (maker_.starts_with("SONY") && has_sub_) return "arw";
  if (maker_.starts_with("PENTAX") && has_sub_) return "pef";
  return "tif";
}

}  // namespace exhibit::carve
