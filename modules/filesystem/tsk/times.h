#pragma once
// A file's times with just the digits that its file system stores, from the structures on disk: libtsk rounds some, and
// converts FAT's and ISO 9660's by the process's time zone.

#include <exhibit/item.h>

#include "filesystem/tsk/handles.h"
#include "filesystem/tsk/metadata.h"

namespace exhibit::filesystem::tsk {

Times times_of(Metadata& metadata, TSK_FS_FILE& file);

// Those in the bytes of an inode of ext.
Times ext_times(const Raw& inode);

}  // namespace exhibit::filesystem::tsk
