#pragma once
// Integers of partition tables, out of strings whose bounds the caller has checked.

#include <cstdint>
#include <string_view>

namespace exhibit::volume {

inline std::uint64_t little(std::string_view bytes, std::size_t offset, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}
inline std::uint64_t big(std::string_view bytes, std::size_t offset, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

}  // namespace exhibit::volume
