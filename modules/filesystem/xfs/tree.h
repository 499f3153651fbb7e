#pragma once
// XFS's B+trees: those of an allocation group, and those that map a fork's blocks.

#include <functional>

#include "filesystem/xfs/volume.h"

namespace exhibit::filesystem::xfs {

struct TreeKind {
  const char* name;
  std::uint32_t magic, magic_v5;
  bool is_long;  // pointers are the file system's block numbers in eight bytes; else the group's own in four
  std::size_t key_size, record_size;
};
inline constexpr TreeKind free_by_block = {"the tree of free space", 0x41425442, 0x41423342, false, 8, 8};
inline constexpr TreeKind free_by_size = {"the tree of free space by size", 0x41425443, 0x41423343, false, 8, 8};
inline constexpr TreeKind inode_chunks = {"the tree of inodes", 0x49414254, 0x49414233, false, 4, 16};
inline constexpr TreeKind free_inodes = {"the tree of free inodes", 0x46494254, 0x46494233, false, 4, 16};
inline constexpr TreeKind reverse_map = {"the tree of owners", 0, 0x524d4233, false, 40, 24};
inline constexpr TreeKind reference_counts = {"the tree of shared blocks", 0, 0x52334643, false, 4, 12};
inline constexpr TreeKind fork_map = {"the tree of its blocks", 0x424d4150, 0x424d4133, true, 8, 16};

struct TreeVisitor {
  std::function<void(std::uint64_t block)> block;  // each of the tree's own, once
  std::function<void(Bytes record)> record;        // in the tree's order
};

// What hangs below `blocks`, which are all of `level` (0: leaves). `owner`: an inode's or a group's number. A block
// that can't be read or is met twice is a fault, and left out.
void walk_tree(const Volume& volume, const TreeKind& kind, const std::vector<std::uint64_t>& blocks,
               std::uint32_t level, std::uint64_t owner, const TreeVisitor& visitor, Faults& faults);

}  // namespace exhibit::filesystem::xfs
