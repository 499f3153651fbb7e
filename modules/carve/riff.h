#pragma once
// Chunks of RIFF and its kin (Microsoft/IBM, "Multimedia Programming Interface and Data Specifications 1.0", 1991,
// chapter 2): four letters, a length, data, and a byte of padding after an odd length.

#include <optional>
#include <string_view>

#include "carve/content.h"

namespace exhibit::carve {

constexpr std::uint32_t four_letters(const char (&name)[5]) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(name[i]);
  return value;
}

struct RiffChunk {
  std::uint32_t name = 0;                              // its letters, the first one highest
  std::uint64_t begin = 0;                             // of its name
  std::uint64_t data = 0;                              // where its data begins
  std::uint64_t length = 0;                            // of its data
  std::uint64_t end() const { return data + length; }  // without padding
  std::uint64_t next() const { return end() + (length & 1); }
};

constexpr std::uint64_t riff_chunk_header = 8;  // bytes

// The chunk at `offset`; nothing where the content ends before its data or its name isn't of printable letters. Its end
// may lie beyond the content.
std::optional<RiffChunk> read_chunk(const Content& content, std::uint64_t offset, bool is_big_endian = false);
// The four letters at `offset`; 0 where the content ends before.
std::uint32_t letters_at(const Content& content, std::uint64_t offset);

}  // namespace exhibit::carve
