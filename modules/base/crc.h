#pragma once
// Cyclic checksums, without the inversion that some users of the same polynomials put before and after.

#include <cstddef>
#include <cstdint>
#include <span>

namespace exhibit::base {

// CRC-32C (Castagnoli; RFC 3720 appendix B.4), reflected, continuing from `crc`.
std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);
std::uint32_t crc32c(std::uint32_t crc, std::uint32_t little_endian);

// CRC-16 with the polynomial 0x8005, reflected, continuing from `crc`.
std::uint16_t crc16(std::uint16_t crc, std::span<const std::byte> bytes);

}  // namespace exhibit::base
