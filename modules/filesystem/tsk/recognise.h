#pragma once
// Which file system a volume holds.

#include <exhibit/byte_source.h>

#include <optional>
#include <string>

#include "filesystem/tsk/handles.h"

namespace exhibit::filesystem::tsk {

struct Recognised {
  FsInfo fs;                          // null: nothing known
  std::optional<std::string> remark;  // another file system's traces in the same volume, to be told as a problem
};

// An Error where a file system is there but can't be opened (corrupt, encrypted, unsupported), or where two are there
// that can both be read (ambiguous). `image` must outlive the result.
Result<Recognised> recognise(TSK_IMG_INFO& image, ByteSource& volume, const std::string& volume_id);

}  // namespace exhibit::filesystem::tsk
