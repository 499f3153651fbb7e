#pragma once
// Little-endian integers of an EWF section, out of a string whose bounds the caller has checked.

#include <libdeflate.h>

#include <cstdint>
#include <string_view>

namespace exhibit::image::ewf {

inline std::uint64_t little(std::string_view bytes, std::size_t offset, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[offset + i])) << (8 * i);
  return value;
}
inline std::uint32_t little32(std::string_view bytes, std::size_t offset) {
  return static_cast<std::uint32_t>(little(bytes, offset, 4));
}
inline std::uint64_t little64(std::string_view bytes, std::size_t offset) { return little(bytes, offset, 8); }

// Goes on from `sum`, the Adler-32 of what comes before.
inline std::uint32_t adler32_of(std::string_view bytes, std::uint32_t sum = 1) {
  return libdeflate_adler32(sum, bytes.data(), bytes.size());
}
// Whether the 32 bits at `length` are the Adler-32 of the `length` bytes before them.
inline bool checks(std::string_view bytes, std::size_t length) {
  return bytes.size() >= length + 4 && little32(bytes, length) == adler32_of(bytes.substr(0, length));
}

}  // namespace exhibit::image::ewf
