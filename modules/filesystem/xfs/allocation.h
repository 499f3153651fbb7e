#pragma once
// What XFS's own structures say of the volume's bytes (FileSystem::block_classes).

#include "filesystem/filesystem.h"
#include "filesystem/xfs/volume.h"

namespace exhibit::filesystem::xfs {

std::vector<ClassRun> allocation_of(const Volume& volume, Faults& faults);

}  // namespace exhibit::filesystem::xfs
