#pragma once
// The text that says what a VMDK is made of. VMware, "Virtual Disk Format 5.0", section "The Descriptor File".

#include <optional>

#include "image/container_file.h"

namespace exhibit::image::vmdk {

struct Extent {
  std::uint64_t sectors = 0;
  std::string type;                // FLAT, SPARSE, ZERO, VMFS, VMFSSPARSE, …
  std::string file;                // as it stands there; empty for ZERO
  std::uint64_t first_sector = 0;  // FLAT: where in the file it begins
};

struct Descriptor {
  std::string create_type, cid, parent_cid, parent_file;
  std::vector<Extent> extents;
  bool has_parent() const { return !parent_cid.empty() && parent_cid != "ffffffff"; }
};

inline constexpr std::size_t longest_descriptor = std::size_t{1} << 20;

// `text` may be followed by zeros. An Error where it isn't a descriptor's, or an extent's line can't be understood.
Result<Descriptor> read_descriptor(const ContainerFile& file, std::string_view text);
bool is_descriptor(std::string_view text);

}  // namespace exhibit::image::vmdk
