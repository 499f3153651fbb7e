#pragma once
// Frames of FLAC (RFC 9639, 9): a header with a CRC-8, coded samples, a CRC-16 over all. A frame doesn't tell its
// length: its codes are gone through.

#include <cstdint>
#include <optional>

#include "carve/content.h"

namespace exhibit::carve {

// STREAMINFO (8.2), as far as frames depend on it.
struct FlacStream {
  std::uint32_t least_block = 0, most_block = 0;  // samples
  std::uint32_t rate = 0;                         // Hz
  unsigned channels = 0, bits = 0;                // of a sample
  std::uint64_t samples = 0;                      // 0: not known
};

struct FlacFrame {
  std::uint64_t end = 0;     // where its codes and the CRC-16 behind them end
  std::uint64_t number = 0;  // of the frame, or of its first sample where blocks vary
  std::uint32_t samples = 0;
  bool is_varying = false;
  bool holds = false;  // its CRC-16
};

// The header of a frame alone: its number and samples.
std::optional<FlacFrame> read_flac_header(const Content& content, std::uint64_t offset, const FlacStream& stream);

// The frame at `offset`; nothing where no header of this stream lies there. One that the content ends within, or whose
// codes can't be, doesn't hold, and ends as far as it was gone through.
std::optional<FlacFrame> read_flac_frame(const Content& content, std::uint64_t offset, const FlacStream& stream);

}  // namespace exhibit::carve
