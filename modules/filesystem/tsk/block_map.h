#pragma once
// Where an old copy of an inode says that a file's blocks lie.

#include "filesystem/tsk/ext_layout.h"
#include "filesystem/tsk/extent_tree.h"

namespace exhibit::filesystem::tsk {

// Whether this is a node of an extent tree with entries.
bool is_extent_node(const Raw& block);

// The runs that an inode's map gives, by extents or by indirect blocks, in the file's order. nullopt: it isn't whole,
// or leads to another number of blocks than the inode says that it has. `read` gives blocks of the map.
std::optional<std::vector<BlockRun>> read_block_map(const ExtLayout& layout, const Raw& inode, std::uint64_t size,
                                                    const ReadNode& read);

}  // namespace exhibit::filesystem::tsk
