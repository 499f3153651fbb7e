#pragma once
// What a VHDX says of itself: header, regions, metadata. [MS-VHDX] 2.2, 2.5, 2.6.

#include <optional>

#include "image/container_file.h"

namespace exhibit::image::vhdx {

struct Disk {
  std::uint64_t size = 0, block_size = 0, sector_size = 0;
  std::uint64_t table = 0, table_size = 0;  // the block allocation table, bytes in the file
  bool has_parent = false;
  std::string write_identity;   // the header's DataWriteGuid, by which a child names its parent; as text, lower case
  std::string parent_identity;  // the parent's DataWriteGuid as the locator has it
  std::string parent_path;
  std::shared_ptr<const Patches> patches;  // what the log says; none: it is empty
};

bool is_mine(const ContainerFile& file);
Result<Disk> read_disk(ContainerFile file);

}  // namespace exhibit::image::vhdx
