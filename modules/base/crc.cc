#include "base/crc.h"

#include <array>
#include <cstring>

namespace exhibit::base {
namespace {

constexpr std::uint32_t castagnoli_reflected = 0x82F63B78;
constexpr std::uint32_t crc16_reflected = 0xA001;

// tables[k][b]: what byte b does to the checksum when k more bytes follow it ("slicing by 8").
template <std::uint32_t Polynomial>
constexpr auto make_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? Polynomial : 0U);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < 8; ++slice)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[slice][byte] = (tables[slice - 1][byte] >> 8) ^ tables[0][tables[slice - 1][byte] & 0xFF];
  return tables;
}
constexpr auto castagnoli = make_tables<castagnoli_reflected>();
constexpr auto crc16_tables = make_tables<crc16_reflected>();

}  // namespace

std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes) {
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
    std::uint64_t word = 0;  // little-endian, as the processors that this runs on are
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= crc;
    crc = 0;
    for (unsigned i = 0; i < 8; ++i) crc ^= castagnoli[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (const std::byte byte : bytes)
    crc = (crc >> 8) ^ castagnoli[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
  return crc;
}

std::uint32_t crc32c(std::uint32_t crc, std::uint32_t little_endian) {
  return crc32c(crc, std::as_bytes(std::span(&little_endian, 1)));
}

std::uint16_t crc16(std::uint16_t crc, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes)
    crc = static_cast<std::uint16_t>((crc >> 8) ^ crc16_tables[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF]);
  return crc;
}

}  // namespace exhibit::base
