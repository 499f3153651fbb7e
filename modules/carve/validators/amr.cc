// AMR and AMR-WB (RFC 4867, 5): frames whose first byte tells their length. Nothing counts or checks them, so the end
// is where they stop.

#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view narrow = "#!AMR\n", wide = "#!AMR-WB\n";  // 5.1
constexpr unsigned least_frames = 10;                                // a fifth of a second
constexpr int none = -1;
// Bytes of a frame behind its first, by its type (3GPP TS 26.101, annex A; 26.201, annex A).
constexpr std::array<int, 16> narrow_lengths = {12, 13,   15,   17,   19,   20,   26,   31,
                                                5,  none, none, none, none, none, none, 0};
constexpr std::array<int, 16> wide_lengths = {17, 23, 32, 36, 40, 46, 50, 58, 60, 5, none, none, none, none, 0, 0};

Verdict validate(const Content& content, Memory&) {
  const bool is_wide = starts_with(content.at(0, wide.size()), wide);
  if (!is_wide && !starts_with(content.at(0, narrow.size()), narrow)) return {};
  const auto& lengths = is_wide ? wide_lengths : narrow_lengths;
  std::uint64_t position = is_wide ? wide.size() : narrow.size();
  for (std::uint64_t frames = 0;; ++frames) {
    const ByteSpan head = content.at(position, 1);
    // Padding bits are 0, and a frame of good quality says so: recorders write no other (5.3).
    const bool is_frame = !head.empty() && (head[0] & 0x87) == 0x04 && lengths[head[0] >> 3 & 15] != none;
    const std::uint64_t length = is_frame ? 1 + static_cast<std::uint64_t>(lengths[head[0] >> 3 & 15]) : 0;
    if (!is_frame || length > content.size() - position) {
      if (frames < least_frames) return {};
      Verdict verdict = Verdict::whole(position);
      verdict.tier = Tier::plausible;
      return verdict;
    }
    position += length;
  }
}

}  // namespace

extern const Validator amr_validator;
const Validator amr_validator = {"amr", validate};

}  // namespace exhibit::carve
