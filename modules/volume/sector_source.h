#pragma once
// An encrypted stretch of a volume as its plain bytes.

#include <exhibit/byte_source.h>

#include <memory>

#include "volume/layer.h"
#include "volume/sector_cipher.h"

namespace exhibit::volume {

struct Sectors {
  std::uint64_t offset = 0, size = 0;  // of the stretch; whole sectors
  std::uint64_t sector_bytes = 512;
  std::uint64_t first = 0;  // number of its first sector, in units of 512 bytes
};

// `volume` must outlive it.
std::unique_ptr<ByteSource> decrypted_sectors(ByteSource& volume, const Sectors& sectors,
                                              std::unique_ptr<SectorCipher> cipher);

}  // namespace exhibit::volume
