#pragma once
// A directory's names, as libtsk reads them.

#include <unordered_set>

#include "filesystem/tsk/handles.h"

namespace exhibit::filesystem::tsk {

// `dir` holds what could be read of it, also where `result` isn't TSK_OK; it may be null.
struct OpenedDirectory {
  Dir dir;
  TSK_RETVAL_ENUM result = TSK_ERR;
};
OpenedDirectory open_directory(TSK_FS_INFO& fs, TSK_INUM_T address);

// Gives back a name's memory. A large folder's names take more than all else that is known of it.
void forget_name(TSK_FS_DIR& dir, std::size_t position);

// Tells libtsk to which unallocated metadata names lead, before it is asked for the orphans' folder. Otherwise it walks
// over all directories once more to find out.
void know_named(TSK_FS_INFO& fs, const std::unordered_set<TSK_INUM_T>& addresses);

}  // namespace exhibit::filesystem::tsk
