#pragma once
// What packed data never is for a whole sector: where a picture breaks off and something else was left by others.

#include <algorithm>
#include <array>
#include <cstdint>

#include "carve/content.h"

namespace exhibit::carve {

inline constexpr std::uint64_t sector_bytes = 512;

// Text: none of the control characters, and not the few different bytes of a pattern that repeats.
inline bool is_text_sector(ByteSpan bytes) {
  constexpr std::size_t variety = 12;
  std::array<bool, 256> seen{};
  std::size_t different = 0;
  for (const std::uint8_t byte : bytes) {
    if (byte < 0x09 || (byte > 0x0d && byte < 0x20) || byte == 0xff) return false;
    different += seen[byte] ? 0 : 1;
    seen[byte] = true;
  }
  return different >= variety;
}

inline bool is_zero_sector(ByteSpan bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Packed data has most of all bytes in a sector: 220 of them are usual, 60 in text.
inline bool is_varied_sector(ByteSpan bytes) {
  constexpr std::ptrdiff_t variety = 96;
  std::array<bool, 256> seen{};
  for (const std::uint8_t byte : bytes) seen[byte] = true;
  return std::count(seen.begin(), seen.end(), true) >= variety;
}

// How far packed data that were followed to `to` are believed: no further than the last cluster's border before, and
// not beyond one behind which something else lies. No less than `from`.
inline std::uint64_t packed_end(const Content& content, std::uint64_t from, std::uint64_t to) {
  constexpr std::uint64_t cluster = 4096;  // bytes
  const std::uint64_t last = std::min(to, content.size()) / cluster * cluster;
  for (std::uint64_t at = (from / cluster + 1) * cluster; at < last; at += cluster) {
    const ByteSpan bytes = content.at(at, sector_bytes);
    if (bytes.size() < sector_bytes || !is_varied_sector(bytes.first(sector_bytes))) return at;
  }
  return std::max(from, last);
}

}  // namespace exhibit::carve
