#pragma once
// Which system calls a sealed process may make; the table is in policy.cc.

#include "sandbox/seal.h"

namespace exhibit::sandbox {

// Whether the kernel can filter system calls and kill the whole process on one that isn't allowed.
bool can_filter();

// Filters the calling process (all its threads) for good. False: nothing was filtered.
bool install_filter(Work work = Work::parse);

}  // namespace exhibit::sandbox
