#pragma once
// The GUID partition table read by ourselves (UEFI Specification 2.10, section 5.3): libtsk gives neither GUIDs nor
// checksums, nor looks at the second copy while the first has its signature.

#include "volume/table.h"

namespace exhibit::volume {

struct GptEntry {
  std::uint64_t slot = 0, first_lba = 0, last_lba = 0;
  std::string type, name;  // GUID in upper case; UTF-8
};

struct Gpt {
  bool valid = false;  // both checksums match, and the header is the one for its place
  std::uint64_t alternate_lba = 0;
  std::vector<Range> tables;  // header, entries
  std::vector<GptEntry> entries;
};

// The copy whose header lies at `lba`; nothing where there is no signature.
std::optional<Gpt> read_gpt(ByteSource& media, std::uint64_t lba, std::uint32_t block_size);

}  // namespace exhibit::volume
