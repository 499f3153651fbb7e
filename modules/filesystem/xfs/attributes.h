#pragma once
// XFS's extended attributes: in the inode, in one block, or in many below a tree of hashes.

#include "filesystem/filesystem.h"
#include "filesystem/xfs/inode.h"

namespace exhibit::filesystem::xfs {

// Without those that the kernel hadn't finished writing, and without pointers to parents, which are no attributes.
std::vector<Attribute> attributes_of(const Volume& volume, const Inode& inode, Faults& faults);

}  // namespace exhibit::filesystem::xfs
