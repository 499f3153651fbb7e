#include "carve/riff.h"

namespace exhibit::carve {

std::optional<RiffChunk> read_chunk(const Content& content, std::uint64_t offset, bool is_big_endian) {
  const ByteSpan head = content.at(offset, riff_chunk_header);
  if (head.size() < riff_chunk_header) return std::nullopt;
  RiffChunk chunk{0, offset, offset + riff_chunk_header, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    if (head[i] < 0x20 || head[i] > 0x7e) return std::nullopt;
    chunk.name = chunk.name << 8 | head[i];
    chunk.length |= std::uint64_t{head[4 + i]} << (is_big_endian ? 24 - 8 * i : 8 * i);
  }
  return chunk;
}

std::uint32_t letters_at(const Content& content, std::uint64_t offset) { return Reader(content, offset).be32(); }

}  // namespace exhibit::carve
