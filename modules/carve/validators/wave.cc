// WAVE (RIFF 1991, chapter 3; EBU Tech 3306 for RF64). PCM has no redundancy: what proves the end is a chunk that lies
// where the data are said to end.

#include <algorithm>
#include <array>

#include "carve/riff.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 12;           // RIFF, length, WAVE
constexpr std::uint32_t unknown_length = 0xffffffff;  // RF64, and programs that write to a pipe
constexpr std::uint32_t longest_format = 4096;        // bytes of "fmt "; real ones have 16 to 70
constexpr unsigned most_channels = 256;
constexpr std::uint16_t pcm = 1, ieee_float = 3, extensible = 0xfffe;  // wFormatTag

struct Wave {
  bool is_big_endian = false, is_long = false;  // RIFX, RF64
  std::uint64_t end = 0;                        // by the header
  std::uint64_t long_data = 0;                  // of ds64: the data's length
  bool has_format = false, has_data = false, has_chunk_behind = false;
  std::uint64_t data = 0;  // where they begin
};

// Names that are met in WAVE files; others end a file whose length field isn't trusted.
bool is_known(std::uint32_t name) {
  static constexpr std::array names = {
      four_letters("fmt "), four_letters("data"), four_letters("LIST"), four_letters("fact"), four_letters("bext"),
      four_letters("cue "), four_letters("plst"), four_letters("smpl"), four_letters("inst"), four_letters("JUNK"),
      four_letters("junk"), four_letters("PAD "), four_letters("FLLR"), four_letters("id3 "), four_letters("ID3 "),
      four_letters("iXML"), four_letters("axml"), four_letters("chna"), four_letters("cart"), four_letters("peak"),
      four_letters("PEAK"), four_letters("_PMX"), four_letters("ds64"), four_letters("acid"), four_letters("DISP"),
      four_letters("slnt"), four_letters("wavl"), four_letters("levl"), four_letters("minf"), four_letters("elm1"),
      four_letters("regn"), four_letters("umid"), four_letters("MD5 "), four_letters("afsp"), four_letters("strc"),
      four_letters("Cr8r"), four_letters("AFAn"), four_letters("PXML"), four_letters("qlty"), four_letters("mext"),
      four_letters("SNDM"), four_letters("guan")};
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Whether the fields of "fmt " agree with each other (chapter 3, WAVEFORMAT).
bool is_format(const Content& content, const RiffChunk& chunk, bool is_big_endian) {
  if (chunk.length < 14 || chunk.length > longest_format) return false;
  Reader reader(content, chunk.data);
  const auto two = [&] { return is_big_endian ? reader.be16() : reader.le16(); };
  const auto four = [&] { return is_big_endian ? reader.be32() : reader.le32(); };
  const unsigned tag = two(), channels = two();
  const std::uint32_t rate = four(), bytes_per_second = four();
  const unsigned block = two(), bits = chunk.length >= 16 ? two() : 0;
  if (!reader.ok() || tag == 0 || channels == 0 || channels > most_channels || rate == 0) return false;
  if (tag != pcm && tag != ieee_float && tag != extensible) return block > 0 || bytes_per_second > 0;
  return bits > 0 && bits <= 64 && block == channels * ((bits + 7) / 8) &&
         bytes_per_second == std::uint64_t{rate} * block;
}

// RIFF, RIFX or RF64, and WAVE.
bool read_header(const Content& content, Wave& wave) {
  const std::uint32_t name = letters_at(content, 0);
  wave.is_big_endian = name == four_letters("RIFX");
  wave.is_long = name == four_letters("RF64");
  if (!wave.is_big_endian && !wave.is_long && name != four_letters("RIFF")) return false;
  if (letters_at(content, 8) != four_letters("WAVE")) return false;
  wave.end = riff_chunk_header + read_chunk(content, 0, wave.is_big_endian)->length;
  if (!wave.is_long) return true;
  const auto sizes = read_chunk(content, header_length);  // 'ds64' comes first (EBU Tech 3306, 3.5)
  if (!sizes || sizes->name != four_letters("ds64") || sizes->length < 24) return false;
  Reader reader(content, sizes->data);
  const std::uint64_t length = reader.le64();
  wave.long_data = reader.le64();
  wave.end = riff_chunk_header + length;
  return reader.ok() && length < UINT64_MAX / 2 && wave.long_data < length;
}

// Takes in `chunk`; false where it can't be.
bool take(const Content& content, const RiffChunk& chunk, Wave& wave) {
  if (chunk.name == four_letters("fmt ")) {
    if (wave.has_format || !is_format(content, chunk, wave.is_big_endian)) return false;
    wave.has_format = true;
  } else if (chunk.name == four_letters("data") && !wave.has_data) {
    if (!wave.has_format) return false;
    wave.has_data = true;
    wave.data = chunk.data;
  } else {
    wave.has_chunk_behind |= wave.has_data;
  }
  return true;
}

// No field contradicts another one up to `end`.
Verdict judge(const Wave& wave, std::uint64_t end) {
  if (!wave.has_data) return {};
  Verdict verdict = Verdict::whole(end);
  // The end of data that nothing follows is only what the header says.
  if (!wave.has_chunk_behind) verdict.tier = Tier::plausible;
  return verdict;
}

Verdict validate(const Content& content, Memory&) {
  Wave wave;
  if (!read_header(content, wave)) return {};
  std::uint64_t position = header_length;
  while (position < wave.end || !wave.has_data) {
    auto chunk = read_chunk(content, position, wave.is_big_endian);
    const bool is_unknown = !chunk || (!is_known(chunk->name) && (!wave.has_data || chunk->next() > wave.end));
    if (is_unknown || !take(content, *chunk, wave)) {
      if (!wave.has_data) return {};
      return Verdict::broken(position, position + riff_chunk_header, position, DoubtCause::missing_segment);
    }
    if (chunk->name == four_letters("data") && chunk->length == unknown_length) {
      if (!wave.is_long) {
        Verdict verdict = Verdict::whole(chunk->data);
        verdict.tier = Tier::header_only;
        return verdict;
      }
      chunk->length = wave.long_data;
    }
    if (chunk->end() > content.size()) {
      if (!wave.has_data) return {};
      // Nothing tells where in the medium's rest the samples stop.
      return {Tier::header_only, wave.data, wave.data, 0, {}, 0, {}};
    }
    if (chunk->end() == wave.end) return judge(wave, wave.end);  // some leave the padding out
    position = std::min(chunk->next(), content.size());
  }
  if (position == wave.end) return judge(wave, position);
  // A length that ends within a chunk: the chunks are believed.
  return Verdict::broken(position, position, position, DoubtCause::missing_segment);
}

}  // namespace

extern const Validator wave_validator;
const Validator wave_validator = {"wave", validate};

}  // namespace exhibit::carve
