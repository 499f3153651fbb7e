// MPEG audio, layer III and II (ISO/IEC 11172-3, 13818-3): a chain of frames, each telling its own length, with ID3v2
// before (id3.org, ID3v2.4.0, 3.1), and ID3v1 or APEv2 behind. Frames have next to no redundancy over their data: what
// proves one is that the next begins where it ends.

#include <array>

#include "base/crc.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t id3_header = 10, id3v1_length = 128, ape_footer = 32;  // bytes
constexpr unsigned proof_frames = 12;                                          // a chain of so many is no chance
constexpr unsigned glance_frames = 3;
constexpr std::uint64_t farthest_resync = std::uint64_t{64} << 10;  // bytes that may be overwritten in the midst
constexpr std::uint64_t bytes_between_states = std::uint64_t{32} << 10;

struct Frame {
  std::uint32_t header = 0;
  std::uint64_t length = 0;
  unsigned side = 0;  // bytes of side information: where Xing's mark lies (layer III)
};

// 11172-3, 2.4.1.3 and 13818-3, 2.4.2.3; `bits` as it stands, big-endian.
std::optional<Frame> frame_of(std::uint32_t bits) {
  static constexpr std::array<std::uint16_t, 15> rates_layer3 = {0,   32,  40,  48,  56,  64,  80, 96,
                                                                 112, 128, 160, 192, 224, 256, 320};
  static constexpr std::array<std::uint16_t, 15> rates_layer2 = {0,   32,  48,  56,  64,  80,  96, 112,
                                                                 128, 160, 192, 224, 256, 320, 384};
  static constexpr std::array<std::uint16_t, 15> rates_low = {0,  8,  16, 24,  32,  40,  48, 56,
                                                              64, 80, 96, 112, 128, 144, 160};
  static constexpr std::array<std::uint32_t, 3> sampling = {44100, 48000, 32000};
  const unsigned version = bits >> 19 & 3, layer = bits >> 17 & 3, rate = bits >> 12 & 15, frequency = bits >> 10 & 3;
  const bool is_mono = (bits >> 6 & 3) == 3, is_low = version != 3;
  if (bits >> 21 != 0x7ff || version == 1 || (layer != 1 && layer != 2)) return std::nullopt;
  if (rate == 0 || rate == 15 || frequency == 3 || (bits & 3) == 2) return std::nullopt;
  const auto& rates = is_low ? rates_low : layer == 1 ? rates_layer3 : rates_layer2;
  const std::uint32_t hertz = sampling[frequency] >> (version == 2 ? 1 : version == 0 ? 2 : 0);
  const unsigned samples_by_8 = is_low && layer == 1 ? 72 : 144;
  Frame frame{bits, samples_by_8 * rates[rate] * 1000ULL / hertz + (bits >> 9 & 1), 0};
  frame.side = is_low ? (is_mono ? 9 : 17) : (is_mono ? 17 : 32);
  return frame;
}

// What all frames of one stream have in common: version, layer, sampling frequency.
bool is_kin(std::uint32_t a, std::uint32_t b) {
  constexpr std::uint32_t same = 0xfffe0c00;
  return (a & same) == (b & same);
}

std::optional<Frame> frame_at(const Content& content, std::uint64_t offset) {
  Reader reader(content, offset);
  const std::uint32_t bits = reader.be32();
  return reader.ok() ? frame_of(bits) : std::nullopt;
}

// Bytes of the ID3v2 tag at the content's begin; 0: none; nothing: one that can't be.
std::optional<std::uint64_t> id3_length(const Content& content) {
  Reader reader(content);
  if (!reader.take("ID3")) return 0;
  const unsigned major = reader.u8(), revision = reader.u8(), flags = reader.u8();
  const std::uint32_t size = reader.be32();
  const bool is_synchsafe = (size & 0x80808080U) == 0;
  if (!reader.ok() || major < 2 || major > 4 || revision == 0xff || !is_synchsafe || (flags & 0x0f) != 0)
    return std::nullopt;
  const std::uint64_t body = (size & 0x7f) | (size >> 1 & 0x3f80) | (size >> 2 & 0x1fc000) | (size >> 3 & 0xfe00000);
  return id3_header + body + ((flags & 0x10) != 0 ? id3_header : 0);
}

// Bytes of the tags that follow the last frame.
std::uint64_t tags_length(const Content& content, std::uint64_t offset) {
  std::uint64_t length = 0;
  if (starts_with(content.at(offset, 8), "APETAGEX")) {
    Reader reader(content, offset + 12);
    const std::uint64_t size = std::uint64_t{ape_footer} + reader.le32();  // of items and footer; the header besides
    if (reader.ok() && size <= content.size() - offset) length = size;
  }
  const ByteSpan behind = content.at(offset + length, id3v1_length);
  if (behind.size() >= id3v1_length && starts_with(behind, "TAG")) length += id3v1_length;
  return length;
}

struct State : Memory::State {
  std::uint64_t position = 0;  // of the next frame
  std::uint32_t header = 0;    // of a frame of this stream
  std::uint64_t frames = 0;
  // Of the frame that a Xing or Info header makes (it is none of sound): how many follow, and their bytes with its own.
  std::uint64_t told_frames = 0, told_bytes = 0, audio = 0;
  std::uint64_t last = 0;  // where the last frame begins
  // LAME's CRC-16 of the frames behind that one, and where they begin; nothing: not written.
  std::optional<std::uint16_t> told_sum;
  std::uint64_t sound = 0;
  bool is_rest = false;  // its first frame refers to others before it
};

// Of [begin, end).
std::uint16_t crc16(const Content& content, std::uint64_t begin, std::uint64_t end) {
  std::uint16_t sum = 0;
  while (begin < end) {
    ByteSpan bytes = content.at(begin, std::min<std::uint64_t>(Content::window, end - begin));
    if (bytes.empty()) break;
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - begin));
    sum = base::crc16(sum, std::as_bytes(bytes));
    begin += bytes.size();
  }
  return sum;
}

// Xing's header lies behind the side information of the first frame (Gabriel Bouvigne, "MP3 Info Tag revision 1").
void read_counts(const Content& content, const Frame& frame, State& state) {
  Reader reader(content, state.position + 4 + frame.side);
  if (!reader.take("Xing") && !reader.take("Info")) return;
  const std::uint32_t flags = reader.be32();
  if ((flags & 1) != 0) state.told_frames = reader.be32();
  if ((flags & 2) != 0) state.told_bytes = reader.be32();
  // The tag of LAME (and of FFmpeg) follows a table of 100 bytes and the quality; its last field is a CRC-16 of the
  // frame up to there, the one before that of all sound.
  constexpr std::uint64_t counted = 0x0f, up_to_tag = 120, sums = 32;
  const std::uint64_t tag = state.position + 4 + frame.side + up_to_tag, end_of_covered = tag + sums + 2;
  if (flags != counted || end_of_covered + 2 > state.position + frame.length) return;
  Reader at_sums(content, tag + sums);
  const std::uint16_t sound = at_sums.be16(), head = at_sums.be16();
  if (!at_sums.ok() || head == 0 || head != crc16(content, state.position, end_of_covered)) return;
  state.told_sum = sound;
  state.sound = state.position + frame.length;
}

// Where, within reach, frames of this stream go on.
std::optional<std::uint64_t> resync(const Content& content, const State& state) {
  if (content.seam() != 0) return std::nullopt;  // in a trial join nobody asks what comes behind
  std::uint64_t end = std::min(content.size(), state.position + farthest_resync);
  for (const std::string_view head : {"ID3\x02", "ID3\x03", "ID3\x04", "Xing", "Info"})
    end = find(content, head, state.position, end);  // another file begins
  for (std::uint64_t at = state.position + 1; at + 4 <= end; ++at) {
    const ByteSpan bytes = content.at(at, 4);
    if (bytes.size() < 4) break;
    if (bytes[0] != 0xff) continue;
    std::uint64_t next = at;
    unsigned chain = 0;
    for (; chain < proof_frames; ++chain) {
      const auto frame = frame_at(content, next);
      if (!frame || !is_kin(frame->header, state.header)) break;
      next += frame->length;
    }
    if (chain == proof_frames) return at;
  }
  return std::nullopt;
}

// Whether a frame's data begin in frames before it (11172-3, 2.4.1.7, main_data_begin): that of a file's first can't.
bool refers_back(const Content& content, const Frame& frame) {
  const bool is_layer3 = (frame.header >> 17 & 3) == 1, has_sum = (frame.header >> 16 & 1) == 0;
  const bool is_low = (frame.header >> 19 & 3) != 3;
  Reader reader(content, 4 + (has_sum ? 2 : 0));
  const unsigned bits = reader.be16();
  return is_layer3 && reader.ok() && (is_low ? bits >> 8 : bits >> 7) != 0;
}

// The frames from the state's position on, as far as they follow each other.
void follow(const Content& content, State& state, Memory* memory) {
  for (;;) {
    const bool is_told_end = state.told_frames > 0 && state.frames == state.told_frames + 1;
    const auto frame = frame_at(content, state.position);
    if (is_told_end || !frame || (state.frames > 0 && !is_kin(frame->header, state.header))) return;
    if (frame->length > content.size() - state.position) return;
    if (state.frames == 0) {
      read_counts(content, *frame, state);
      state.is_rest = state.position == 0 && state.told_frames == 0 && refers_back(content, *frame);
    }
    state.header = frame->header;
    state.last = state.position;
    state.position += frame->length;
    ++state.frames;
    if (memory != nullptr && state.position >= memory->offset() + bytes_between_states)
      memory->keep(state.position, std::make_shared<State>(state));
  }
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else {
    const auto tag = id3_length(content);
    if (!tag || *tag >= content.size()) return {};
    state.position = state.audio = *tag;
    if (*tag > 0) {  // some pad between tag and sound
      while (state.position < content.size() && state.position < *tag + 4096 && content.at(state.position, 1)[0] == 0) {
        ++state.position;
      }
      state.audio = state.position;
    }
  }
  const std::uint64_t begin = state.audio;
  follow(content, state, &memory);
  if (state.frames < proof_frames) return {};
  if (state.is_rest) {
    const std::uint64_t length = state.position + tags_length(content, state.position);
    Verdict verdict = Verdict::broken(0, 1, length, DoubtCause::missing_segment);  // what is missing lies before it
    verdict.doubts = {{0, 0, DoubtCause::missing_segment}};
    return verdict;
  }
  const bool is_counted = state.told_frames > 0 && state.frames == state.told_frames + 1;
  const std::uint64_t tags = tags_length(content, state.position);
  const std::uint64_t end = state.position + tags;
  if (is_counted || (tags > 0 && state.told_frames == 0)) {
    Verdict verdict = Verdict::whole(end);
    // The counts agree to the last byte, or a tag closes the chain; neither is a checksum of the sound.
    if (state.told_bytes > 0 && state.told_bytes != state.position - begin) verdict.tier = Tier::plausible;
    // Frames that nothing heads may be the rest of more.
    if (begin == 0 && state.told_frames == 0) verdict.tier = Tier::plausible;
    if (state.told_sum && *state.told_sum != crc16(content, state.sound, state.position))
      return Verdict::broken(state.sound, state.position, end, DoubtCause::crc_error);
    return verdict;
  }
  if (state.told_frames == 0) {
    if (const auto again = resync(content, state)) {
      State behind = state;
      behind.position = *again;
      follow(content, behind, nullptr);
      Verdict verdict =
          Verdict::broken(state.last, std::min(content.size(), state.position + 4),
                          behind.position + tags_length(content, behind.position), DoubtCause::missing_segment);
      verdict.doubts = {{state.last, *again - state.last, DoubtCause::missing_segment}};
      return verdict;
    }
    Verdict verdict = Verdict::whole(end);
    verdict.tier = Tier::plausible;  // nothing says how many frames there should be
    return verdict;
  }
  // Frames are missing: overwritten if they go on behind, else cut.
  State behind = state;
  const auto again = resync(content, state);
  if (again) {
    behind.position = *again;
    behind.told_frames = 0;
    follow(content, behind, nullptr);
  }
  const std::uint64_t length = again ? behind.position + tags_length(content, behind.position) : state.position;
  Verdict verdict =
      Verdict::broken(state.last, std::min(content.size(), state.position + 4), length, DoubtCause::missing_segment);
  if (again) verdict.doubts = {{state.last, *again - state.last, DoubtCause::missing_segment}};
  return verdict;
}

// A tag's header, or frames that follow each other as far as they are at hand.
bool glance(ByteSpan head) {
  if (starts_with(head, "ID3"))
    return head.size() < id3_header ||
           (head[3] >= 2 && head[3] <= 4 && ((head[6] | head[7] | head[8] | head[9]) & 0x80) == 0);
  std::uint64_t at = 0;
  std::uint32_t first = 0;
  for (unsigned i = 0; i < glance_frames; ++i) {
    if (at + 4 > head.size()) return true;
    const std::uint8_t* b = head.data() + at;
    const auto frame =
        frame_of(std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3]);
    if (!frame || (i > 0 && !is_kin(first, frame->header))) return false;
    first = frame->header;
    at += frame->length;
  }
  return true;
}

}  // namespace

extern const Validator mp3_validator;
const Validator mp3_validator = {"mp3", validate, glance};

}  // namespace exhibit::carve
