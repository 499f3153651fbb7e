#pragma once
// Compressed streams gone through to their end, for their checksums: nothing of what comes out is kept.

#include "carve/content.h"

namespace exhibit::carve {

enum class Packing { bzip2, xz, zstd, lz4 };

struct Unpacked {
  // The stream, and those of its kind that follow it directly, hold to their end.
  bool holds = false;
  // Where the last stream that holds ends, or where the first ceases to make sense (within what the library buffers).
  std::uint64_t end = 0;
  bool ends_early = false;  // the content does, before the stream
  std::uint64_t streams = 0;
};

// Goes through `content` from its first byte on. What grows beyond `largest_unpacked` isn't gone through to its end.
inline constexpr std::uint64_t largest_unpacked = std::uint64_t{16} << 30;  // bytes
Unpacked unpack(const Content& content, Packing packing);

}  // namespace exhibit::carve
