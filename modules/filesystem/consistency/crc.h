#pragma once
// The checksums of ext4, without the inversion that other users of the same polynomials put before and after.

#include "filesystem/consistency/bits.h"

namespace exhibit::filesystem::consistency {

// CRC-32C (Castagnoli; RFC 3720 appendix B.4), reflected, continuing from `crc`.
std::uint32_t crc32c(std::uint32_t crc, Bytes bytes);
std::uint32_t crc32c(std::uint32_t crc, std::uint32_t little_endian);

// CRC-16 with the polynomial 0x8005, reflected, continuing from `crc`.
std::uint16_t crc16(std::uint16_t crc, Bytes bytes);

}  // namespace exhibit::filesystem::consistency
