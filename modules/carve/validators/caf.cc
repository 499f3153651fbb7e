// Core Audio Format (Apple, "Apple Core Audio Format Specification 1.0"): chunks with 64-bit lengths; no length of the
// whole. Packets of varying length have a table that their sum can be checked against.

#include <algorithm>
#include <array>

#include "carve/alac_frame.h"
#include "carve/riff.h"
#include "carve/space.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t file_header = 8, chunk_header = 12;  // bytes
constexpr std::uint64_t description_length = 32;
constexpr std::uint64_t edit_count = 4;  // bytes before the sound in the data chunk
constexpr std::uint64_t table_header = 24;
constexpr unsigned most_chunks = 256;  // rows of heads, each of which a chunk covers, aren't gone through from each

struct Sound {
  std::uint32_t packet_bytes = 0;           // 0: they vary
  std::uint64_t data = 0, data_length = 0;  // where the sound lies; bytes
  bool is_alac = false, has_data = false, is_proved = false;
  std::optional<AlacConfig> alac;
  std::optional<Run> wrong;  // the first packet that isn't one
};

bool is_known(std::uint32_t name) {
  static constexpr std::array names = {
      four_letters("desc"), four_letters("data"), four_letters("pakt"), four_letters("chan"), four_letters("kuki"),
      four_letters("strg"), four_letters("mark"), four_letters("regn"), four_letters("inst"), four_letters("MIDI"),
      four_letters("ovvw"), four_letters("peak"), four_letters("edct"), four_letters("info"), four_letters("umid"),
      four_letters("uuid"), four_letters("free"), four_letters("ldat")};
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The description: rate, format, bytes and frames of a packet, channels, bits.
bool read_description(const Content& content, Sound& sound) {
  Reader reader(content, file_header);
  if (!reader.take("desc") || reader.be64() != description_length) return false;
  const std::uint64_t rate = reader.be64();  // a double
  const bool is_rate = (rate >> 52) > 1023 && (rate >> 52) < 1023 + 24;
  sound.is_alac = reader.be32() == four_letters("alac");
  reader.be32();
  sound.packet_bytes = reader.be32();
  const std::uint32_t frames = reader.be32(), channels = reader.be32(), bits = reader.be32();
  return reader.ok() && is_rate && channels > 0 && channels <= 256 && bits <= 64 && frames <= 1U << 20;
}

// The decoder's settings: as they are, or within the boxes that older programs wrote (Apple, "ALAC Magic Cookie
// Description").
std::optional<AlacConfig> read_cookie(const Content& content, std::uint64_t body) {
  constexpr std::uint64_t boxes = 24;  // bytes: frma, and the head of the box that follows
  return read_alac_config(content, letters_at(content, body + 4) == four_letters("frma") ? body + boxes : body);
}

// Whether the packets' lengths (seven bits a byte) add up to the sound's (chapter 3, packet table). Those of Apple
// Lossless are looked into.
bool adds_up(const Content& content, std::uint64_t body, std::uint64_t end, Sound& sound) {
  Reader reader(content, body);
  const std::uint64_t packets = reader.be64();
  std::uint64_t sum = 0, at = body + table_header, value = 0, seen = 0;
  while (at < end && seen < packets) {
    ByteSpan bytes = content.at(at, 1);
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - at));
    if (bytes.empty()) return false;
    for (const std::uint8_t byte : bytes) {
      ++at;
      value = (value << 7 | (byte & 0x7f)) & 0xffffffff;
      if ((byte & 0x80) != 0) continue;
      const bool lies_within = value <= sound.data_length - std::min(sound.data_length, sum);
      if (sound.alac && lies_within && !sound.wrong &&
          !is_alac_frame(content, sound.data + sum, sound.data + sum + value, *sound.alac))
        sound.wrong = Run{sound.data + sum, value};
      sum += value;
      value = 0;
      if (++seen == packets) break;
    }
  }
  return seen == packets && sum == sound.data_length;
}

Verdict judge(const Sound& sound, std::uint64_t end) {
  if (sound.is_proved && sound.wrong) {
    const auto& [offset, length] = *sound.wrong;
    Verdict verdict = Verdict::broken(offset, offset + length, end, DoubtCause::missing_segment);
    verdict.doubts = {{offset, length, DoubtCause::missing_segment}};
    return verdict;
  }
  Verdict verdict = Verdict::whole(end);
  if (!sound.is_proved) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory&) {
  Reader head(content);
  Sound sound;
  if (!head.take("caff") || head.be16() != 1 || head.be16() != 0 || !read_description(content, sound)) return {};
  std::uint64_t position = file_header;
  for (unsigned chunks = 0;; ++chunks) {
    Reader reader(content, position);
    const std::uint32_t name = reader.be32();
    const std::uint64_t length = reader.be64(), body = position + chunk_header;
    // The description and the sound are there once.
    const bool is_again = name == four_letters("desc") ? chunks > 0 : name == four_letters("data") && sound.has_data;
    if (!reader.ok() || !is_known(name) || is_again || chunks == most_chunks) {
      if (sound.has_data) return judge(sound, position);
      return Verdict::broken(position, std::min(position + chunk_header, content.size()), position,
                             DoubtCause::missing_segment);
    }
    if (length > content.size() - body) {
      // The sound may be the last chunk, of a length that was never written: nothing tells its end.
      if (sound.has_data) return judge(sound, position);
      return {Tier::header_only, position, position, 0, {}, 0, {}};
    }
    if (name == four_letters("data")) {
      if (length < edit_count) return {};
      sound.has_data = true;
      sound.data = body + edit_count;
      sound.data_length = length - edit_count;
    } else if (name == four_letters("kuki") && sound.is_alac) {
      sound.alac = read_cookie(content, body);
    } else if (name == four_letters("pakt") && sound.packet_bytes == 0 && length >= table_header) {
      sound.is_proved = sound.has_data && adds_up(content, body, body + length, sound);
    } else if (sound.has_data && sound.packet_bytes != 0) {
      sound.is_proved = true;  // a chunk lies where the sound ends
    }
    position = body + length;
  }
}

}  // namespace

extern const Validator caf_validator;
const Validator caf_validator = {"caf", validate};

}  // namespace exhibit::carve
