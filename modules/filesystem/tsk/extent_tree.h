#pragma once
// The extent trees of ext4, in place of libtsk's reader.

#include <functional>
#include <optional>
#include <vector>

#include "filesystem/tsk/handles.h"
#include "filesystem/tsk/raw.h"

namespace exhibit::filesystem::tsk {

// A run of a file's blocks, in blocks of the file system.
struct BlockRun {
  std::uint64_t logical = 0, physical = 0, count = 0;
  bool is_written = true;  // false: allocated, reads as zeros
};

// The bytes of a tree's block below the inode; nullopt where they can't be had.
using ReadNode = std::function<std::optional<Raw>(std::uint64_t block)>;

// The runs of the tree with this root (i_block) in the file's order. nullopt: the tree doesn't hold.
std::optional<std::vector<BlockRun>> read_extent_tree(const Raw& root, const ReadNode& read);

// Makes these runs, in the file's order, the content of `file` as libtsk would; its size is the metadata's. False: it
// can't be done.
bool set_content(TSK_FS_FILE& file, const std::vector<BlockRun>& runs);

// libtsk 4.11.1 gives no content for a file whose extent tree has more than one block below the inode (any with some
// 340 extents or more, in blocks of 4 KiB), and takes blocks beyond 2^32 for others. Hands such trees to a reader of
// our own from now on; nothing changes for other files and other file systems.
void read_extent_trees(TSK_FS_INFO& fs);

}  // namespace exhibit::filesystem::tsk
