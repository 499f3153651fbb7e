#include "carve/matroska_tracks.h"

#include <algorithm>

namespace exhibit::carve {
namespace {

enum Id : std::uint32_t {  // RFC 9559, 27.1
  id_void = 0xec,
  id_crc = 0xbf,
  id_entry = 0xae,
  id_number = 0xd7,
  id_type = 0x83,
  id_codec = 0x86,
  id_private = 0x63a2,
  id_encodings = 0x6d80,
};
constexpr std::uint64_t most_entries = 64;
constexpr std::uint64_t least_block = 4;      // bytes: track, time, flags
constexpr unsigned lacing = 0x06;             // of a block's flags
constexpr std::uint64_t least_extent = 2048;  // shorter frames hold no sector that could be told

// The kind of frames by the codec's name (RFC 9559, 5.1.4.1.21, and the codec registry).
MatroskaTracks::Track track_of(const Content& content, const EbmlElement& codec, const EbmlElement* parameters) {
  const ByteSpan name = content.at(codec.data, codec.length);
  const auto is = [&](std::string_view text) { return name.size() >= codec.length && starts_with(name, text); };
  const auto length_size = [&](std::uint64_t at) {  // of avcC or hvcC: its last two bits, less one
    if (parameters == nullptr || parameters->length <= at) return 0U;
    return (Reader(content, parameters->data + at).u8() & 3U) + 1;
  };
  if (is("V_MPEG4/ISO/AVC")) return {MatroskaTracks::units, {length_size(4), false}};
  if (is("V_MPEGH/ISO/HEVC")) return {MatroskaTracks::units, {length_size(21), true}};
  if (is("V_VP8") || is("V_VP9") || is("V_AV1") || is("V_MPEG4/ISO/ASP")) return {MatroskaTracks::packed, {}};
  return {MatroskaTracks::other, {}};
}

bool read_entry(const Content& content, const EbmlElement& entry, MatroskaTracks& tracks) {
  std::uint64_t number = 0;
  std::optional<EbmlElement> codec, parameters;
  bool is_encoded = false;  // packed or encrypted once more
  for (std::uint64_t at = entry.data; at < entry.end();) {
    const auto element = read_ebml(content, at);
    if (!element || element->is_open || element->end() > entry.end()) return false;
    if (element->id == id_number) number = ebml_number(content, *element);
    if (element->id == id_type) tracks.has_video |= ebml_number(content, *element) == 1;
    if (element->id == id_codec && element->length < 256) codec = element;
    if (element->id == id_private) parameters = element;
    is_encoded |= element->id == id_encodings;
    at = element->end();
  }
  if (number == 0 || !codec) return false;
  auto& track = tracks.tracks[std::min<std::uint64_t>(number, MatroskaTracks::most - 1)];
  track = track_of(content, *codec, parameters ? &*parameters : nullptr);
  if (is_encoded || (track.kind == MatroskaTracks::units && track.format.length_size == 0))
    track = {MatroskaTracks::other, {}};
  return true;
}

}  // namespace

std::optional<MatroskaTracks> read_matroska_tracks(const Content& content, const EbmlElement& element) {
  MatroskaTracks tracks;
  std::uint64_t count = 0;
  for (std::uint64_t at = element.data; at < element.end();) {
    const auto entry = read_ebml(content, at);
    if (!entry || entry->is_open || entry->end() > element.end() || ++count > most_entries) return std::nullopt;
    const bool is_entry = entry->id == id_entry;
    if (!is_entry && entry->id != id_void && entry->id != id_crc) return std::nullopt;
    if (is_entry && !read_entry(content, *entry, tracks)) return std::nullopt;
    at = entry->end();
  }
  return tracks;
}

bool is_matroska_block(const Content& content, const EbmlElement& block, const MatroskaTracks& tracks) {
  if (block.length < least_block) return false;
  Reader reader(content, block.data);
  unsigned number = reader.u8();
  if (number < 0x40) return false;  // numbers of more than two bytes aren't met
  number = number >= 0x80 ? number & 0x7f : (number & 0x3fU) << 8 | reader.u8();
  reader.le16();
  const unsigned flags = reader.u8();
  const auto& track = tracks.tracks[std::min<std::size_t>(number, MatroskaTracks::most - 1)];
  if (!reader.ok() || track.kind == MatroskaTracks::none) return false;
  if ((flags & lacing) != 0 || track.kind == MatroskaTracks::other || block.end() > content.size()) return true;
  if (track.kind == MatroskaTracks::units) return has_units(content, reader.position(), block.end(), track.format);
  return block.length < least_extent || !has_foreign_sector(content, reader.position(), block.end());
}

}  // namespace exhibit::carve
