// AAC in ADTS (ISO/IEC 14496-3, 1.A.3): a chain of frames, each telling its own length. Nothing counts them, so the end
// is where they stop.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 7;  // bytes, without CRC
constexpr unsigned proof_frames = 12;       // a chain of so many is no chance
constexpr unsigned glance_frames = 3;

// What all frames of one stream have in common: sync, version, profile, rate, channels (1.A.3.2.1, fixed header).
constexpr std::uint32_t fixed_part = 0xfffffdc0;

struct Frame {
  std::uint32_t fixed = 0;
  std::uint64_t length = 0;  // 0: none
};

Frame frame_of(ByteSpan bytes) {
  if (bytes.size() < header_length || bytes[0] != 0xff || (bytes[1] & 0xf6) != 0xf0) return {};
  Frame frame;
  for (int i = 0; i < 4; ++i) frame.fixed = frame.fixed << 8 | bytes[static_cast<std::size_t>(i)];
  frame.fixed &= fixed_part;
  frame.length = (bytes[3] & 3U) << 11 | static_cast<unsigned>(bytes[4]) << 3 | bytes[5] >> 5;
  const unsigned rate = bytes[2] >> 2 & 15;
  const std::uint64_t least = (bytes[1] & 1) != 0 ? header_length : header_length + 2;
  if (rate > 12 || frame.length <= least) frame.length = 0;
  return frame;
}

// The last element's mark (111) and the zeros that fill its byte: what a whole frame ends with (4.4.2.1).
bool has_end_mark(ByteSpan frame) {
  const unsigned last = static_cast<unsigned>(frame[frame.size() - 2]) << 8 | frame[frame.size() - 1];
  const int zeros = last == 0 ? 16 : __builtin_ctz(last);
  return zeros <= 7 && (last >> zeros & 7) == 7;
}

Verdict validate(const Content& content, Memory&) {
  std::uint64_t position = 0;
  std::uint32_t fixed = 0;
  std::uint64_t frames = 0, marked = 0;
  for (;; ++frames) {
    const Frame frame = frame_of(content.at(position, header_length));
    if (frame.length == 0 || frame.length > content.size() - position) break;
    if (frames > 0 && frame.fixed != fixed) break;
    const ByteSpan bytes = content.at(position, frame.length);
    if (bytes.size() < frame.length) break;
    marked += has_end_mark(bytes.first(frame.length)) ? 1 : 0;
    fixed = frame.fixed;
    position += frame.length;
  }
  if (frames < proof_frames || marked < frames - frames / 4) return {};
  Verdict verdict = Verdict::whole(position);
  verdict.tier = Tier::plausible;
  return verdict;
}

bool glance(ByteSpan head) {
  std::uint32_t fixed = 0;
  for (unsigned i = 0; i < glance_frames; ++i) {
    if (head.size() < header_length) return true;  // what lies there isn't at hand
    const Frame frame = frame_of(head);
    if (frame.length == 0 || (i > 0 && frame.fixed != fixed)) return false;
    if (frame.length >= head.size()) return true;
    fixed = frame.fixed;
    head = head.subspan(frame.length);
  }
  return true;
}

}  // namespace

extern const Validator adts_validator;
const Validator adts_validator = {"adts", validate, glance};

}  // namespace exhibit::carve
