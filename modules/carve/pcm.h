#pragma once
// What can be told of samples that nothing vouches for (PCM): whole blocks of something else among them, and whether
// the sound goes on across a seam.

#include <optional>

#include "carve/content.h"
#include "carve/space.h"

namespace exhibit::carve {

struct PcmFormat {
  std::uint64_t begin = 0, end = 0;  // of the samples in the content
  unsigned channels = 1, bytes = 2;  // of a sample: 1 (unsigned) or 2 to 4 (signed)
  bool is_big_endian = false;
};

struct ForeignRun {
  Run run;                     // whole blocks, counted from the content's first byte
  bool reaches_end = false;    // nothing but such blocks is behind
  bool sound_goes_on = false;  // without them, the sound goes on smoothly
};

// The first run of blocks of zeros, of text or of noise, with sound next to it. Sound may be silent, too, but its
// silence hardly ever begins and ends at a block's border.
std::optional<ForeignRun> find_foreign_run(const Content& content, const PcmFormat& format);

// Verdict::misfit of the content's seam: 1 where the sound goes on smoothly.
std::uint32_t misfit_of_sound(const Content& content, const PcmFormat& format);

}  // namespace exhibit::carve
