#pragma once
// The header database of a 7z archive (7zFormat.txt of the LZMA SDK): where packed streams lie, how they are packed,
// and what their plain bytes sum up to.

#include <optional>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve::sevenzip {

struct Coder {
  std::uint64_t method = 0;
  std::vector<std::uint8_t> properties;
  std::uint64_t inputs = 1, outputs = 1;
};

struct Part {  // of a folder's plain bytes: a file
  std::uint64_t size = 0;
  std::optional<std::uint32_t> crc;
};

struct Folder {
  std::vector<Coder> coders;  // the last one takes the packed bytes, where they are a simple chain
  std::uint64_t packed_streams = 1;
  bool is_chain = true;              // each coder takes what the next one gives
  std::vector<std::uint64_t> sizes;  // of what each coder gives: bytes
  std::optional<std::uint32_t> crc;
  std::vector<Part> parts;
};

struct Streams {
  std::uint64_t position = 0;        // of the first packed stream, behind the start header
  std::vector<std::uint64_t> sizes;  // of packed streams: bytes
  std::vector<Folder> folders;
};

// What is in `header`: of the archive, or (`*is_encoded`) of a packed header. Nothing: it contradicts itself.
std::optional<Streams> read_header(ByteSpan header, bool* is_encoded);

}  // namespace exhibit::carve::sevenzip
