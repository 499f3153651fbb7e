#pragma once
// What a file system says of itself, with its label and id as its own tools (and blkid) print them.

#include "filesystem/filesystem.h"
#include "filesystem/tsk/handles.h"

namespace exhibit::filesystem::tsk {

Description describe(TSK_FS_INFO& fs, ByteSource& volume);

}  // namespace exhibit::filesystem::tsk
