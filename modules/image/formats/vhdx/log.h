#pragma once
// The log of a VHDX: writes to its tables that were not made in place yet when the machine stopped. They are played
// back in memory, never into the evidence. [MS-VHDX] 2.3.

#include "image/container_file.h"

namespace exhibit::image::vhdx {

// CRC-32C over `bytes` with the four at `sum_at` taken as zeros.
std::uint32_t checksum_of(std::string bytes, std::size_t sum_at);

struct Log {
  std::string identity;  // 16 bytes
  std::uint64_t offset = 0, length = 0;
};
// What the writes of the latest whole sequence of entries amount to. An Error where there is none.
Result<Patches> read_log(const ContainerFile& file, const Log& log);

}  // namespace exhibit::image::vhdx
