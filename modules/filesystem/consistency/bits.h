#pragma once
// Little-endian fields and bitmaps, as the checkers of file systems read them.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace exhibit::filesystem::consistency {

using Bytes = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little, "fields are copied as they lie");

// The little-endian field at `offset`; 0 where it would lie outside of `bytes`.
template <typename Integer>
Integer field(Bytes bytes, std::size_t offset) {
  Integer value = 0;
  if (offset <= bytes.size() && sizeof value <= bytes.size() - offset)
    std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
inline std::uint8_t u8(Bytes bytes, std::size_t offset) { return field<std::uint8_t>(bytes, offset); }
inline std::uint16_t u16(Bytes bytes, std::size_t offset) { return field<std::uint16_t>(bytes, offset); }
inline std::uint32_t u32(Bytes bytes, std::size_t offset) { return field<std::uint32_t>(bytes, offset); }
inline std::uint32_t big_u32(Bytes bytes, std::size_t offset) { return __builtin_bswap32(u32(bytes, offset)); }

inline bool all_zero(Bytes bytes) {
  for (const std::byte byte : bytes)
    if (byte != std::byte{0}) return false;
  return true;
}

// One bit for each of `size` things, all clear at first.
class Bitmap {
 public:
  explicit Bitmap(std::uint64_t size = 0) : size_(size), words_(static_cast<std::size_t>((size + 63) / 64)) {}
  std::uint64_t size() const { return size_; }
  bool test(std::uint64_t index) const { return index < size_ && (words_[index / 64] >> (index % 64) & 1U) != 0; }

  // Returns what the bit was.
  bool set(std::uint64_t index) {
    if (index >= size_) return false;
    const std::uint64_t mask = std::uint64_t{1} << (index % 64);
    const bool before = (words_[index / 64] & mask) != 0;
    words_[index / 64] |= mask;
    return before;
  }

 private:
  std::uint64_t size_;
  std::vector<std::uint64_t> words_;
};

// Bit `index` of a bitmap as it lies on the disk.
inline bool bit_of(Bytes bitmap, std::uint64_t index) {
  return (u8(bitmap, static_cast<std::size_t>(index / 8)) >> (index % 8) & 1U) != 0;
}

}  // namespace exhibit::filesystem::consistency
