#pragma once
// The extent trees of ext4, in place of libtsk's reader.

#include "filesystem/tsk/handles.h"

namespace exhibit::filesystem::tsk {

// libtsk 4.11.1 gives no content for a file whose extent tree has more than one block below the inode (any with some
// 340 extents or more, in blocks of 4 KiB), and takes blocks beyond 2^32 for others. Hands such trees to a reader of
// our own from now on; nothing changes for other files and other file systems.
void read_extent_trees(TSK_FS_INFO& fs);

}  // namespace exhibit::filesystem::tsk
