#pragma once
// Frames of Apple Lossless (Apple, "ALAC Magic Cookie Description", and the reference decoder ALACDecoder.cpp and
// ag_dec.c that were published with it). A frame has no checksum, but each of its codes depends on those before: they
// end where the frame does, with its last element's mark, only if all of them are its own.

#include <cstdint>
#include <optional>

#include "carve/content.h"

namespace exhibit::carve {

// ALACSpecificConfig, as far as the codes depend on it.
struct AlacConfig {
  std::uint32_t frame_length = 0;                    // samples of each channel
  unsigned bits = 0;                                 // of a sample
  std::uint32_t rice_history = 0, rice_initial = 0;  // pb, mb
  unsigned rice_limit = 0;                           // kb
};

// The 24 bytes at `offset`; nothing: they can't be one.
std::optional<AlacConfig> read_alac_config(const Content& content, std::uint64_t offset);

// Whether one frame's codes fill [begin, end).
bool is_alac_frame(const Content& content, std::uint64_t begin, std::uint64_t end, const AlacConfig& config);

}  // namespace exhibit::carve
