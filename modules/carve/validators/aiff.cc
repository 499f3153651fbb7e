// AIFF and AIFF-C (Apple, "Audio Interchange File Format 1.3" and "AIFF-C draft 8/26/91"), chunks of EA IFF 85. The
// samples have no redundancy: what proves the end is a chunk that lies where they are said to end.

#include <algorithm>
#include <array>

#include "carve/pcm.h"
#include "carve/riff.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t form_header = 12;    // FORM, length, kind
constexpr std::uint64_t common_length = 18;  // least bytes of COMM
constexpr std::uint64_t sound_header = 8;    // offset and block size of SSND
constexpr unsigned most_channels = 256;

struct Sound {
  bool is_compressed = false;
  unsigned channels = 0, bits = 0;
  std::uint64_t frames = 0, data = 0, end = 0;  // of the samples in the content
  bool has_common = false, has_data = false, has_chunk_behind = false;
};

bool is_known(std::uint32_t name) {
  static constexpr std::array names = {
      four_letters("COMM"), four_letters("SSND"), four_letters("FVER"), four_letters("MARK"), four_letters("INST"),
      four_letters("MIDI"), four_letters("AESD"), four_letters("APPL"), four_letters("COMT"), four_letters("NAME"),
      four_letters("AUTH"), four_letters("(c) "), four_letters("ANNO"), four_letters("ID3 "), four_letters("SAXL"),
      four_letters("CHAN"), four_letters("basc"), four_letters("trns"), four_letters("cate"), four_letters("PEAK"),
      four_letters("wave"), four_letters("LIST"), four_letters("FLLR"), four_letters("bext"), four_letters("iXML")};
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool read_common(const Content& content, const RiffChunk& chunk, Sound& sound) {
  if (sound.has_common || chunk.length < common_length + (sound.is_compressed ? 4 : 0)) return false;
  Reader reader(content, chunk.data);
  sound.channels = reader.be16();
  sound.frames = reader.be32();
  sound.bits = reader.be16();
  const unsigned exponent = reader.be16();  // of the rate, an 80-bit float
  const bool is_rate = exponent >= 0x3fff && exponent < 0x3fff + 24 && (reader.u8() & 0x80) != 0;
  sound.has_common = true;
  return reader.ok() && sound.channels > 0 && sound.channels <= most_channels && sound.bits <= 64 && is_rate;
}

bool take(const Content& content, const RiffChunk& chunk, Sound& sound) {
  if (!is_known(chunk.name)) return false;
  if (chunk.name == four_letters("COMM")) return read_common(content, chunk, sound);
  if (chunk.name != four_letters("SSND")) {
    sound.has_chunk_behind |= sound.has_data;
    return true;
  }
  const std::uint64_t samples = sound.frames * sound.channels * ((sound.bits + 7) / 8);
  if (sound.has_data || chunk.length < sound_header) return false;
  // What isn't packed has just as many bytes as COMM says, if that came before.
  if (!sound.is_compressed && sound.has_common && samples > chunk.length - sound_header) return false;
  sound.has_data = true;
  sound.data = chunk.data + sound_header;
  sound.end = chunk.end();
  return true;
}

// Whole blocks of something else among the samples, if they are of more than a byte (AIFF's are signed then).
std::optional<ForeignRun> foreign_run(const Content& content, const Sound& sound) {
  const unsigned bytes = (sound.bits + 7) / 8;
  if (sound.is_compressed || bytes < 2) return std::nullopt;
  return find_foreign_run(content, {sound.data, sound.end, sound.channels, bytes, true});
}

Verdict validate(const Content& content, Memory&) {
  const auto form = read_chunk(content, 0, true);
  if (!form || form->name != four_letters("FORM")) return {};
  Sound sound;
  const std::uint32_t kind = letters_at(content, form->data);
  sound.is_compressed = kind == four_letters("AIFC");
  if (!sound.is_compressed && kind != four_letters("AIFF")) return {};
  std::uint64_t position = form_header;
  while (position < form->end()) {
    const auto chunk = read_chunk(content, position, true);
    if (!chunk || chunk->end() > form->end() || !take(content, *chunk, sound)) {
      if (!sound.has_common) return {};
      return Verdict::broken(position, std::min(position + riff_chunk_header, content.size()), position,
                             DoubtCause::missing_segment);
    }
    if (chunk->end() > content.size()) {
      if (!sound.has_common) return {};
      return {Tier::header_only, chunk->data, chunk->data, 0, {}, 0, {}};
    }
    position = chunk->end() == form->end() ? chunk->end() : std::min(chunk->next(), content.size());
  }
  if (!sound.has_common || position != form->end()) return {};
  if (const auto foreign = foreign_run(content, sound)) {
    Verdict verdict = Verdict::broken(foreign->run.offset, foreign->run.offset, position, DoubtCause::missing_segment);
    verdict.doubts = {{foreign->run.offset, foreign->run.length, DoubtCause::missing_segment}};
    return verdict;
  }
  Verdict verdict = Verdict::whole(position, sound.is_compressed ? "aifc" : "aiff");
  if (!sound.has_chunk_behind) verdict.tier = Tier::plausible;  // the end is only what the header says
  return verdict;
}

}  // namespace

extern const Validator aiff_validator;
const Validator aiff_validator = {"aiff", validate};

}  // namespace exhibit::carve
