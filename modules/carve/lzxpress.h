#pragma once
// LZ77 with Huffman codes as [MS-XCA] 2.1 and 2.2 have it.

#include <cstdint>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve {

// Unpacks `length` bytes from `begin` on into `plain`. Returns where the packed bytes end; 0: they can't be.
std::uint64_t unpack_lzxpress(const Content& content, std::uint64_t begin, std::uint64_t length,
                              std::vector<std::uint8_t>& plain);

}  // namespace exhibit::carve
