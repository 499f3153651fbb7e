#pragma once
// XFS's allocation groups: what of them is free, what is the file system's own, and which inodes there are.

#include <functional>

#include "filesystem/xfs/inode.h"

namespace exhibit::filesystem::xfs {

// Bytes of the volume.
using Claim = std::function<void(std::uint64_t offset, std::uint64_t length)>;

// The free space of a group, and the blocks of the structures by which it is kept: headers, trees, the list of blocks
// kept for the trees.
void walk_space(const Volume& volume, std::uint32_t group, const Claim& is_free, const Claim& is_metadata,
                Faults& faults);

// Where a group's inodes lie, whether in use or not, in order of their numbers. `in_use` has a bit for each.
struct InodeChunk {
  std::uint64_t first = 0;  // number of the first of 64
  std::uint64_t exists = 0, in_use = 0;
};
void walk_chunks(const Volume& volume, std::uint32_t group, const std::function<void(const InodeChunk&)>& visit,
                 Faults& faults);

// Every inode that is in use, of all groups, in order of their numbers, as it was read; what doesn't hold of one is
// left to those who ask for it by its number.
void walk_inodes(const Volume& volume, const std::function<void(const Inode&)>& visit, Faults& faults);

}  // namespace exhibit::filesystem::xfs
