#pragma once
// Extended attributes of ext, which libtsk prints but doesn't hand out.

#include "filesystem/filesystem.h"
#include "filesystem/tsk/raw.h"

namespace exhibit::filesystem::tsk {

// Those in an inode's bytes and in the block that it refers to, in the order in which they are stored. Error: corrupt
// where a table passes its place's end; io_error where the block can't be read.
Result<std::vector<Attribute>> ext_attributes(const Raw& inode, ByteSource& volume, std::uint64_t block_size);

}  // namespace exhibit::filesystem::tsk
