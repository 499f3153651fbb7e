#pragma once
// The checks of ext.cc, in the order in which it calls them.

#include "filesystem/consistency/ext_map.h"
#include "filesystem/consistency/ext_volume.h"

namespace exhibit::filesystem::consistency {

// Fills volume.super; false where nothing more can be checked.
bool check_superblock(ExtVolume& volume);

// Fills volume.groups; claims the file system's own blocks.
bool check_groups(ExtVolume& volume);

// Every inode: its fields, its map of blocks, its extended attributes. Fills kinds, links, directories and used.
void check_inodes(ExtVolume& volume);

// Attributes in the inode and in its block; returns false where an inline file's `system.data` is missing.
struct Attributes {
  bool inline_data = false;                        // there is a system.data
  bool value_inodes = false;                       // some values lie in inodes of their own
  std::size_t inline_offset = 0, inline_size = 0;  // of system.data's value, in the inode's bytes
};
Attributes check_attributes(ExtVolume& volume, const Inode& inode);
// The value of system.data, telling nothing.
Attributes find_inline_data(const Inode& inode);
void check_attribute_references(ExtVolume& volume);

// Directory entries, '.' and '..', the hash tree, who is reached from the root, link counts.
void check_directories(ExtVolume& volume);
void check_hash_tree(ExtVolume& volume, const Inode& inode, const std::vector<Run>& runs);

// What the bitmaps and counts say against what was found.
void check_bitmaps(ExtVolume& volume);

// The journal's superblock; multiple mount protection.
void check_journal(ExtVolume& volume);
void check_mmp(ExtVolume& volume);

}  // namespace exhibit::filesystem::consistency
