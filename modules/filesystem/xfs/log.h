#pragma once
// XFS's log: only whether it was emptied. Exhibit doesn't replay it.

#include "filesystem/xfs/volume.h"

namespace exhibit::filesystem::xfs {

enum class LogState { clean, dirty, elsewhere, unreadable };

// Clean where the newest record is the one that unmounting writes, or where there is none.
LogState log_state(const Volume& volume);

}  // namespace exhibit::filesystem::xfs
