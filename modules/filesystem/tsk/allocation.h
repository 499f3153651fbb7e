#pragma once
// Which of a file system's blocks are allocated, as runs: nothing is kept for each block.

#include <vector>

#include "filesystem/filesystem.h"
#include "filesystem/tsk/handles.h"

namespace exhibit::filesystem::tsk {

// Sorted, disjoint, within the volume. An Error where the file system's allocation structures can't be read.
Result<std::vector<ClassRun>> allocation_of(TSK_FS_INFO& fs, std::uint64_t volume_size);

// Whether a byte of [offset, offset + length) lies in a run that isn't unallocated.
bool touches_allocated(const std::vector<ClassRun>& runs, std::uint64_t offset, std::uint64_t length);

}  // namespace exhibit::filesystem::tsk
