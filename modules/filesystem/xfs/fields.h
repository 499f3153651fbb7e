#pragma once
// Big-endian fields of XFS's structures, read with bounds: outside of the bytes there are zeros.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace exhibit::filesystem::xfs {

using Bytes = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little, "big-endian fields are turned");

inline std::uint8_t u8(Bytes bytes, std::size_t offset) {
  return offset < bytes.size() ? static_cast<std::uint8_t>(bytes[offset]) : std::uint8_t{0};
}
template <typename Integer>
Integer as_it_lies(Bytes bytes, std::size_t offset) {
  Integer value = 0;
  if (offset <= bytes.size() && sizeof value <= bytes.size() - offset)
    std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
inline std::uint16_t u16(Bytes bytes, std::size_t offset) {
  return __builtin_bswap16(as_it_lies<std::uint16_t>(bytes, offset));
}
inline std::uint32_t u32(Bytes bytes, std::size_t offset) {
  return __builtin_bswap32(as_it_lies<std::uint32_t>(bytes, offset));
}
inline std::uint64_t u64(Bytes bytes, std::size_t offset) {
  return __builtin_bswap64(as_it_lies<std::uint64_t>(bytes, offset));
}
// XFS's checksums alone are little-endian.
inline std::uint32_t little_u32(Bytes bytes, std::size_t offset) { return as_it_lies<std::uint32_t>(bytes, offset); }

inline std::string_view text(Bytes bytes, std::size_t offset, std::size_t length) {
  if (offset > bytes.size() || length > bytes.size() - offset) return {};
  return {reinterpret_cast<const char*>(bytes.data()) + offset, length};
}

// What is there of [offset, offset + length).
inline Bytes part(Bytes bytes, std::size_t offset, std::size_t length) {
  if (offset >= bytes.size()) return {};
  return bytes.subspan(offset, length < bytes.size() - offset ? length : bytes.size() - offset);
}

}  // namespace exhibit::filesystem::xfs
