// RealMedia (RealNetworks, "RealMedia File Format", Helix DNA): chunks with lengths; the data chunk counts its packets,
// each of which tells its own.

#include <algorithm>
#include <array>

#include "carve/riff.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t chunk_header = 10, data_header = 18, packet_header = 12;  // bytes
constexpr std::uint64_t id3v1_length = 128;

struct Media {
  std::uint64_t position = 0;  // of the next chunk
  bool has_properties = false, has_stream = false, has_packets = false, is_odd = false;
};

bool is_known(std::uint32_t name) {
  static constexpr std::array names = {four_letters(".RMF"), four_letters("PROP"), four_letters("MDPR"),
                                       four_letters("CONT"), four_letters("DATA"), four_letters("INDX"),
                                       four_letters("RMMD"), four_letters("RMJD"), four_letters("RMJE")};
  return std::find(names.begin(), names.end(), name) != names.end();
}

struct Packets {
  std::uint64_t end = 0;  // where they stop
  bool all = false;
};

// The packets of the data chunk (DATA, Media_Packet_Header).
Packets follow_packets(const Content& content, const RiffChunk& chunk) {
  Reader reader(content, chunk.begin + chunk_header);
  const std::uint64_t count = reader.be32();
  std::uint64_t position = chunk.begin + data_header;
  for (std::uint64_t i = 0; i < count; ++i) {
    reader.seek(position);
    const unsigned version = reader.be16(), length = reader.be16(), stream = reader.be16();
    const bool is_packet = reader.ok() && version <= 1 && length >= packet_header && stream < 256;
    if (!is_packet || length > content.size() - position) return {position, false};
    position += length;
  }
  return {position, count > 0};
}

// The footer that begins with RJMD, and ID3v1 behind it: written by RealPlayer.
std::uint64_t tags_end(const Content& content, std::uint64_t offset) {
  const ByteSpan behind = content.at(offset, id3v1_length);
  return behind.size() >= id3v1_length && starts_with(behind, "TAG") ? offset + id3v1_length : offset;
}

Verdict end(const Content& content, const Media& media) {
  Verdict verdict = Verdict::whole(tags_end(content, media.position));
  if (!media.has_packets || media.is_odd) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory&) {
  Media media;
  if (letters_at(content, 0) != four_letters(".RMF")) return {};
  for (;;) {
    // Their length is of all, where RIFF's is of the data.
    auto chunk = read_chunk(content, media.position, true);
    const bool is_chunk = chunk && is_known(chunk->name) && chunk->length >= chunk_header &&
                          (chunk->name == four_letters(".RMF")) == (media.position == 0);
    const std::uint64_t next = is_chunk ? media.position + chunk->length : 0;
    const bool is_data = is_chunk && chunk->name == four_letters("DATA");
    if (!is_chunk || (next > content.size() && !is_data)) {
      if (!media.has_properties) return {};
      if (media.has_packets) return end(content, media);
      const std::uint64_t suspect = std::min(content.size(), media.position + chunk_header);
      return Verdict::broken(media.position, suspect, media.position, DoubtCause::missing_segment);
    }
    media.has_properties |= chunk->name == four_letters("PROP");
    if (!is_data) {
      media.position = next;
      continue;
    }
    const Packets packets = follow_packets(content, *chunk);
    if (!packets.all && packets.end != next) {
      const bool is_there = next < content.size() && read_chunk(content, next) && is_known(letters_at(content, next));
      const std::uint64_t suspect = std::min(content.size(), packets.end + packet_header);
      Verdict verdict =
          Verdict::broken(media.position, suspect, is_there ? next : packets.end, DoubtCause::missing_segment);
      return verdict;
    }
    media.has_packets = true;
    // Some writers' length is off by their headers: the packets are counted, too.
    media.is_odd |= packets.end != next;
    media.position = packets.end;
    // FFmpeg's length is off by the header, and it ends with a header of zeros.
    const ByteSpan behind = content.at(packets.end, 8);
    if (next == packets.end + data_header && starts_with(behind, std::string_view("\0\0\0\0\0\0\0\0", 8)))
      media.position += 8;
  }
}

}  // namespace

extern const Validator realmedia_validator;
const Validator realmedia_validator = {"realmedia", validate};

}  // namespace exhibit::carve
