#pragma once
// XFS of versions 4 and 5, read by Exhibit itself (docs/decisions/0044).

#include "filesystem/filesystem.h"

namespace exhibit::filesystem::xfs {

// As open_filesystem: nullptr where there is no XFS.
Result<std::unique_ptr<FileSystem>> open(ByteSource& volume, const std::string& volume_id);

}  // namespace exhibit::filesystem::xfs
