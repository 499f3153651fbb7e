#pragma once
// From an inode to its blocks: extent trees and block maps.

#include "filesystem/consistency/ext_volume.h"

namespace exhibit::filesystem::consistency {

// Neighbouring blocks of a file.
struct Run {
  std::uint64_t logical = 0, physical = 0, count = 0;
  bool unwritten = false;
};

struct Map {
  bool damaged = false;        // some of it was told as damage and left out
  std::uint64_t clusters = 0;  // in use by the content and the map itself
  std::optional<std::uint64_t> last_block, last_written_block;
  std::vector<Run> runs;  // where asked for; in order
};

// First walk over an inode's blocks: tells damage and claims each block for it.
Map claim_blocks(ExtVolume& volume, const Inode& inode);

// The runs once more, telling nothing.
Map find_blocks(ExtVolume& volume, const Inode& inode);

}  // namespace exhibit::filesystem::consistency
