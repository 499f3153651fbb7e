#pragma once
// Unpacks the folders of a 7z archive that LZMA, LZMA2 and the filters of the like have packed, and compares sums.

#include <functional>

#include "carve/sevenzip_header.h"

namespace exhibit::carve::sevenzip {

struct Unpacked {
  enum class Proof { proved, unproved, broken };
  Proof proof = Proof::unproved;
  std::uint64_t reached = 0;  // of broken ones: packed bytes that were taken
};

// The folder whose packed bytes are [begin, begin + packed) of `content`. What is plain goes to `sink`.
Unpacked unpack(const Content& content, const Folder& folder, std::uint64_t begin, std::uint64_t packed,
                const std::function<void(ByteSpan)>& sink = {});

}  // namespace exhibit::carve::sevenzip
