#pragma once
// XFS's directories, in all their forms: within the inode, in one block, or in many with an index.

#include <functional>

#include "filesystem/xfs/inode.h"

namespace exhibit::filesystem::xfs {

struct Entry {
  std::string name;  // bytes
  std::uint64_t inode = 0;
  std::uint8_t type = 0;  // 1 file, 2 directory, 3 and 4 devices, 5 FIFO, 6 socket, 7 link; 0 where it isn't stored
  bool is_removed = false;
};

// Tells every entry but "." and "..", in the directory's order; and entries that were removed but still stand whole in
// unused space, where the numbers of inodes are short enough that removal didn't overwrite theirs. What doesn't hold is
// a fault, and reading goes on behind it.
void read_directory(const Volume& volume, const Inode& inode, Faults& faults,
                    const std::function<void(const Entry&)>& visit);

}  // namespace exhibit::filesystem::xfs
