#pragma once
// Bytes that are all zero: most of a sparse medium.

#include <cstddef>
#include <cstring>
#include <span>

namespace exhibit::base {

// As fast as memory is read; other bytes are told by their first one.
inline bool all_zeros(std::span<const std::byte> bytes) {
  if (bytes.empty()) return true;
  return bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

}  // namespace exhibit::base
