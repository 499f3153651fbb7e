#pragma once
// Single pictures of a film as some codings have them, and what those show of themselves in any container.

#include "carve/content.h"

namespace exhibit::carve {

enum class PictureKind : std::uint8_t {
  unknown,
  jpeg,         // ITU-T T.81: one picture, or two fields
  dv,           // IEC 61834-2, SMPTE 314M: blocks of 80 bytes, each with its place
  start_coded,  // MPEG-1, 2, 4 and AVC with start codes (ISO/IEC 14496-10, Annex B): the first one alone
  packed,       // nothing but that it has no sector of zeros or text
};

// Whether [begin, end) looks like pictures of that kind. Pictures too short to tell do.
bool is_picture(const Content& content, std::uint64_t begin, std::uint64_t end, PictureKind kind);

}  // namespace exhibit::carve
