#pragma once
// What frames of film show of themselves, whatever container they lie in.

#include "carve/content.h"

namespace exhibit::carve {

// AVC and HEVC with a length before each unit (ISO/IEC 14496-15, 5.3.3 and 8.3.3): how those look.
struct UnitFormat {
  unsigned length_size = 0;  // bytes; 0: they aren't used
  bool is_hevc = false;
};

// Whether units fill [begin, end), and none that codes a picture has a sector of zeros or text.
bool has_units(const Content& content, std::uint64_t begin, std::uint64_t end, const UnitFormat& format);

// Whether a run of 512 bytes, counted from `begin`, is of zeros (where asked) or text: packed pictures never are.
bool has_foreign_sector(const Content& content, std::uint64_t begin, std::uint64_t end, bool zeros_count = true);

// Whether a frame of AAC ends as one does: with its last element's mark and the zeros that fill the byte (ISO/IEC
// 14496-3, 4.4.2.1).
bool has_aac_end(const Content& content, std::uint64_t begin, std::uint64_t end);

}  // namespace exhibit::carve
