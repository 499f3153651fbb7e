#pragma once
// The Sleuth Kit behind FileSystem.

#include <memory>
#include <string>

#include "filesystem/filesystem.h"

namespace exhibit::filesystem::tsk {

// As filesystem::open_filesystem.
Result<std::unique_ptr<FileSystem>> open(ByteSource& volume, std::uint32_t sector_size, const std::string& volume_id);

}  // namespace exhibit::filesystem::tsk
