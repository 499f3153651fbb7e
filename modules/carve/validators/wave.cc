// WAVE (RIFF 1991, chapter 3; EBU Tech 3306 for RF64). PCM has no redundancy: what proves the end is a chunk that lies
// where the data are said to end.

#include <algorithm>
#include <array>

#include "carve/pcm.h"
#include "carve/riff.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 12;           // RIFF, length, WAVE
constexpr std::uint32_t unknown_length = 0xffffffff;  // RF64, and programs that write to a pipe
constexpr std::uint32_t longest_format = 4096;        // bytes of "fmt "; real ones have 16 to 70
constexpr unsigned most_channels = 256;
constexpr std::uint64_t farthest_chunk = std::uint64_t{1} << 20;       // bytes behind its place
constexpr std::uint16_t pcm = 1, ieee_float = 3, extensible = 0xfffe;  // wFormatTag

struct Wave {
  bool is_big_endian = false, is_long = false;  // RIFX, RF64
  std::uint64_t end = 0;                        // by the header
  std::uint64_t long_data = 0;                  // of ds64: the data's length
  bool has_format = false, has_data = false, has_chunk_behind = false;
  PcmFormat samples;
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
bool is_format(const Content& content, const RiffChunk& chunk, bool is_big_endian, PcmFormat& samples) {
  if (chunk.length < 14 || chunk.length > longest_format) return false;
  Reader reader(content, chunk.data);
  const auto two = [&] { return is_big_endian ? reader.be16() : reader.le16(); };
  const auto four = [&] { return is_big_endian ? reader.be32() : reader.le32(); };
  const unsigned tag = two(), channels = two();
  const std::uint32_t rate = four(), bytes_per_second = four();
  const unsigned block = two(), bits = chunk.length >= 16 ? two() : 0;
  samples.channels = channels;
  const unsigned kind = tag == extensible && chunk.length >= 26 ? Reader(content, chunk.data + 24).u8() : tag;
  samples.bytes = kind == pcm && bits % 8 == 0 ? bits / 8 : 0;
  samples.is_big_endian = is_big_endian;
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
    if (wave.has_format || !is_format(content, chunk, wave.is_big_endian, wave.samples)) return false;
    wave.has_format = true;
  } else if (chunk.name == four_letters("data") && !wave.has_data) {
    if (!wave.has_format) return false;
    wave.has_data = true;
    wave.samples.begin = chunk.data;
    wave.samples.end = chunk.end();
  } else {
    wave.has_chunk_behind |= wave.has_data;
  }
  return true;
}

// What foreign blocks among the samples make of an object that would end at `end`.
Verdict with_foreign(const ForeignRun& foreign, std::uint64_t end, bool has_chunk_behind, bool is_incomplete) {
  const bool is_cut = foreign.reaches_end && !has_chunk_behind;
  const std::uint64_t begin = foreign.run.offset;
  // Where the sound doesn't go on behind them they lie over it: there is no join to look for.
  const std::uint64_t suspect = foreign.sound_goes_on || is_incomplete ? begin : 1;
  Verdict broken = Verdict::broken(begin, begin, is_cut ? begin : end, DoubtCause::missing_segment);
  broken.suspect = suspect;
  broken.doubts = {{begin, is_cut ? 0 : foreign.run.length, DoubtCause::missing_segment}};
  return broken;
}

// No field contradicts another one up to `end`: what remains is whether the samples sound like some.
Verdict judge(const Content& content, const Wave& wave, std::uint64_t end) {
  if (!wave.has_data) return {};
  if (const auto foreign = find_foreign_run(content, wave.samples))
    return with_foreign(*foreign, end, wave.has_chunk_behind, false);
  Verdict verdict = Verdict::whole(end);
  // The end of data that nothing follows is only what the header says.
  if (!wave.has_chunk_behind) verdict.tier = Tier::plausible;
  verdict.misfit = misfit_of_sound(content, wave.samples);
  return verdict;
}

// No chunk begins at `position`, though the file should go on there.
Verdict broken(const Content& content, const Wave& wave, std::uint64_t position) {
  const std::uint64_t suspect = std::min(content.size(), position + riff_chunk_header);
  if (wave.has_chunk_behind) return Verdict::broken(position, suspect, position, DoubtCause::missing_segment);
  if (const auto foreign = find_foreign_run(content, wave.samples))
    return with_foreign(*foreign, position, false, true);
  Verdict verdict = Verdict::broken(wave.samples.begin, suspect, position, DoubtCause::missing_segment);
  verdict.doubts = {{position, 0, DoubtCause::missing_segment}};
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
      return broken(content, wave, position);
    }
    if (chunk->name == four_letters("data") && chunk->length == unknown_length) {
      if (!wave.is_long) {
        Verdict verdict = Verdict::whole(chunk->data);
        verdict.tier = Tier::header_only;
        return verdict;
      }
      chunk->length = wave.long_data;
      wave.samples.end = chunk->end();
    }
    if (chunk->end() > content.size()) {
      if (!wave.has_data) return {};
      // Nothing tells where in the medium's rest the samples stop.
      return {Tier::header_only, wave.samples.begin, wave.samples.begin, 0, {}, 0, {}};
    }
    if (chunk->end() == wave.end) return judge(content, wave, wave.end);  // some leave the padding out
    position = std::min(chunk->next(), content.size());
  }
  if (position == wave.end) return judge(content, wave, position);
  // A length that ends within a chunk: the chunks are believed.
  return Verdict::broken(position, position, position, DoubtCause::missing_segment);
}

// How much later than it should lies the chunk that follows the samples and ends the file?
void find_chunks_behind(const Content& content, const Wave& wave, std::vector<std::uint64_t>& gaps) {
  const std::uint64_t expected = wave.samples.end + (wave.samples.end & 1);
  if (wave.end <= expected || expected >= content.size()) return;
  const std::uint64_t limit = std::min(content.size(), expected + farthest_chunk);
  for (const std::string_view name : {"LIST", "id3 ", "bext", "iXML", "fact", "cue ", "smpl", "_PMX", "JUNK"}) {
    for (std::uint64_t at = find(content, name, expected, limit); at < limit; at = find(content, name, at + 1, limit)) {
      const auto chunk = read_chunk(content, at, wave.is_big_endian);
      const std::uint64_t gap = at - expected;
      if (gap > 0 && chunk && (chunk->end() == wave.end + gap || chunk->next() == wave.end + gap)) gaps.push_back(gap);
    }
  }
}

std::vector<std::uint64_t> gaps(const Content& content, const Verdict&) {
  Wave wave;
  std::uint64_t position = header_length;
  std::vector<std::uint64_t> gaps;
  if (!read_header(content, wave)) return gaps;
  while (!wave.has_data) {
    const auto chunk = read_chunk(content, position, wave.is_big_endian);
    if (!chunk || !take(content, *chunk, wave)) return gaps;
    position = chunk->next();
  }
  // Blocks of something else among the samples, without which the sound goes on.
  const auto foreign = find_foreign_run(content, wave.samples);
  if (foreign && foreign->sound_goes_on) gaps.push_back(foreign->run.length);
  find_chunks_behind(content, wave, gaps);
  return gaps;
}

}  // namespace

extern const Validator wave_validator;
const Validator wave_validator = {"wave", validate, nullptr, nullptr, gaps, true};

}  // namespace exhibit::carve
