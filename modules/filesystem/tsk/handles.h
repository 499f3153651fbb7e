#pragma once
// Owning types for what libtsk hands out.

#include <tsk/libtsk.h>

#include <memory>

namespace exhibit::filesystem::tsk {

struct Close {
  void operator()(TSK_FS_INFO* fs) const { tsk_fs_close(fs); }
  void operator()(TSK_FS_FILE* file) const { tsk_fs_file_close(file); }
  void operator()(TSK_FS_DIR* dir) const { tsk_fs_dir_close(dir); }
};

using FsInfo = std::unique_ptr<TSK_FS_INFO, Close>;
using File = std::unique_ptr<TSK_FS_FILE, Close>;
using Dir = std::unique_ptr<TSK_FS_DIR, Close>;

}  // namespace exhibit::filesystem::tsk
