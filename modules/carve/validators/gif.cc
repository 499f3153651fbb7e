// GIF (CompuServe, Graphics Interchange Format 89a, 1990): blocks to the trailer. Each image's LZW codes (Appendix F)
// are gone through: they must exist when they are used, and give exactly the image's pixels.

#include <algorithm>
#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint8_t extension = 0x21, image = 0x2c, trailer = 0x3b;  // 12, Appendix A
constexpr unsigned most_code_bits = 12, codes = 1U << most_code_bits;   // Appendix F
constexpr std::uint64_t screen_end = 13;                                // 18: the logical screen descriptor's end
constexpr std::uint64_t humility = std::uint64_t{32} << 10;             // bytes of foreign data that could hold
constexpr std::uint64_t least_data = 512;                               // bytes of codes that held: no decoy
constexpr std::uint64_t keep_distance = 4096;                           // bytes between states
constexpr std::size_t look = 4096;                                      // bytes asked for at once

// LZW as GIF has it: of each code only how many pixels it stands for.
struct Codes {
  std::array<std::uint16_t, codes> lengths{};
  std::uint32_t bits = 0;
  unsigned count = 0;                        // of bits
  unsigned width = 0, next = 0, before = 0;  // bits of a code; the code to be made; pixels of the last one, 0: none
  unsigned first_width = 0;
  bool ended = false;

  void begin(unsigned minimum) {
    first_width = minimum + 1;
    std::fill_n(lengths.begin(), clear(), std::uint16_t{1});
    bits = count = 0;
    ended = false;
    reset();
  }
  unsigned clear() const { return 1U << (first_width - 1); }
  void reset() {
    width = first_width;
    next = clear() + 2;
    before = 0;
  }
  // False: there is no such code.
  bool take(std::uint8_t byte, std::uint64_t& pixels) {
    bits |= std::uint32_t{byte} << count;
    count += 8;
    while (count >= width && !ended) {
      const unsigned code = bits & ((1U << width) - 1);
      bits >>= width;
      count -= width;
      if (code == clear()) {
        reset();
      } else if (code == clear() + 1) {
        ended = true;
      } else if (!add(code, pixels)) {
        return false;
      }
    }
    return true;
  }
  bool add(unsigned code, std::uint64_t& pixels) {
    if (code > next || code >= codes || (code == next && before == 0) || (before == 0 && code > clear())) return false;
    const unsigned length = code < next ? lengths[code] : before + 1;
    pixels += length;
    if (before != 0 && next < codes) {
      lengths[next++] = static_cast<std::uint16_t>(before + 1);
      if (next == 1U << width && width < most_code_bits) ++width;
    }
    before = length;
    return true;
  }
};

struct State : Memory::State {
  std::uint64_t position = 0;  // of the next block, or sub-block
  bool in_image = false;
  bool is_exact = true;  // all images had all of their pixels
  unsigned images = 0;
  std::uint64_t codes_begin = 0, held = 0;  // of this image; bytes of codes in all
  std::uint64_t pixels = 0, all = 0;        // of this image
  std::uint64_t irregular = 0;  // the first short sub-block that isn't its image's last, where all before were full
  unsigned usual = 0;           // the length of the sub-blocks so far
  Codes lzw;
};

class Walk {
 public:
  Walk(const Content& content, Memory& memory) : content_(content), memory_(memory) {}

  Verdict run() {
    if (const auto* known = static_cast<const State*>(memory_.latest())) {
      state_ = *known;
    } else if (!begin()) {
      return {};
    }
    for (;;) {
      if (state_.in_image && !codes_of_image()) return broken();
      const ByteSpan bytes = content_.at(state_.position, 1);
      if (bytes.empty()) return broken();
      const std::uint8_t kind = bytes[0];
      if (kind == trailer) return whole();
      if (kind == extension ? !extension_block() : kind != image || !image_block()) return broken();
    }
  }

 private:
  bool begin();
  bool extension_block();
  bool image_block();
  bool codes_of_image();
  bool sub_block(ByteSpan bytes);
  Verdict whole() const;
  Verdict broken() const;

  const Content& content_;
  Memory& memory_;
  State state_;
};

std::uint64_t colours(std::uint8_t packed) { return (packed & 0x80) != 0 ? std::uint64_t{3} << ((packed & 7) + 1) : 0; }

// 17, 18
bool Walk::begin() {
  const ByteSpan head = content_.at(0, screen_end);
  if (head.size() < screen_end || !(starts_with(head, "GIF87a") || starts_with(head, "GIF89a"))) return false;
  state_.position = screen_end + colours(head[10]);
  const ByteSpan next = content_.at(state_.position, 1);
  return !next.empty() && (next[0] == extension || next[0] == image);
}

// 23 to 26: a label, and sub-blocks to an empty one.
bool Walk::extension_block() {
  std::uint64_t at = state_.position + 2;
  const ByteSpan label = content_.at(state_.position + 1, 1);
  // Application and comment, plain text, graphic control; others aren't defined.
  constexpr std::array<std::uint8_t, 4> labels = {0x01, 0xf9, 0xfe, 0xff};
  if (label.empty() || std::find(labels.begin(), labels.end(), label[0]) == labels.end()) return false;
  for (;;) {
    const ByteSpan length = content_.at(at, 1);
    if (length.empty()) return false;
    at += 1 + std::uint64_t{length[0]};
    if (at > content_.size()) return false;
    if (length[0] == 0) break;
  }
  state_.position = at;
  return true;
}

// 20, 22
bool Walk::image_block() {
  Reader reader(content_, state_.position + 1);
  reader.le32();
  const std::uint64_t width = reader.le16(), height = reader.le16();
  const std::uint8_t packed = reader.u8();
  reader.skip(colours(packed));
  const std::uint8_t minimum = reader.u8();
  if (!reader.ok() || width == 0 || height == 0 || minimum < 1 || minimum > 8) return false;
  state_.position = state_.codes_begin = reader.position();
  state_.pixels = 0;
  state_.all = width * height;
  state_.in_image = true;
  state_.usual = 0;
  state_.lzw.begin(minimum);
  return true;
}

bool Walk::sub_block(ByteSpan bytes) {
  for (const std::uint8_t byte : bytes) {
    if (state_.lzw.ended) return true;  // what follows within the block isn't looked at by anyone
    if (!state_.lzw.take(byte, state_.pixels) || state_.pixels > state_.all) return false;
  }
  return true;
}

bool Walk::codes_of_image() {
  std::uint64_t next_keep = (state_.position / keep_distance + 1) * keep_distance - 256;
  ByteSpan bytes;
  std::uint64_t begin = 0;  // of bytes
  for (;;) {
    if (state_.position < begin || state_.position + 256 > begin + bytes.size()) {
      begin = state_.position;
      bytes = content_.at(begin, look);
    }
    const ByteSpan here = bytes.subspan(std::min<std::uint64_t>(state_.position - begin, bytes.size()));
    if (here.empty() || here.size() < std::size_t{1} + here[0]) return false;
    const unsigned length = here[0];
    if (length == 0) break;
    if (state_.lzw.ended) return false;  // a whole sub-block that belongs to nothing
    if (state_.usual == 0) state_.usual = length;
    if (!sub_block(here.subspan(1, length))) return false;
    state_.position += 1 + length;
    if (length != state_.usual && !state_.lzw.ended && state_.irregular == 0) state_.irregular = state_.position;
    if (state_.position < next_keep) continue;
    next_keep = (state_.position / keep_distance + 1) * keep_distance - 256;
    if (next_keep <= state_.position) next_keep += keep_distance;
    memory_.keep(state_.position, std::make_shared<State>(state_));
  }
  // Some programs leave out the code that ends the image.
  if (state_.pixels != state_.all) state_.is_exact = false;
  state_.held += state_.position - state_.codes_begin;
  state_.position += 1;
  state_.in_image = false;
  ++state_.images;
  return state_.is_exact;
}

Verdict Walk::whole() const {
  if (state_.images == 0) return {};
  return Verdict::whole(state_.position + 1);
}

Verdict Walk::broken() const {
  const std::uint64_t held = state_.held + (state_.in_image ? state_.position - state_.codes_begin : 0);
  const std::uint64_t reach = std::min(state_.position + 257, content_.size());
  const std::uint64_t data = std::max(screen_end, state_.images == 0 ? state_.codes_begin : screen_end);
  std::uint64_t sound = std::max(data, state_.position > humility ? state_.position - humility : 0);
  std::uint64_t length = std::min(state_.position, content_.size());
  if (state_.irregular != 0 && state_.irregular + humility > state_.position)
    length = std::min(length, state_.irregular);
  // The border of an allocation unit that is close before is where foreign bytes began.
  const std::uint64_t unit = length / keep_distance * keep_distance;
  if (reach < content_.size() && unit > data && length - unit < 1024) length = unit;
  Verdict verdict = Verdict::broken(std::min(sound, length), reach, length, DoubtCause::missing_segment);
  verdict.doubts = {{verdict.length, 0, DoubtCause::missing_segment}};
  if (held < least_data) verdict.tier = Tier::header_only;
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) { return Walk(content, memory).run(); }

}  // namespace

extern const Validator gif_validator;
const Validator gif_validator = {"gif", validate};

}  // namespace exhibit::carve
