#pragma once
// Landlock: the kernel's own access control that a process puts on itself (kernel, Documentation/userspace-api/
// landlock.rst).

#include <string>
#include <vector>

#include "sandbox/seal.h"

namespace exhibit::sandbox {

// The version of Landlock's interface that the running kernel offers; 0: none.
int landlock_abi();

// Denies the calling thread every right that the kernel's version knows: files, TCP ports, abstract Unix sockets,
// signals; but what `work` keeps: Work::typeset reads what lies below the folders `readable`, Work::token loses of the
// rights over files only executing and making devices. Descriptors that are already open stay as they are. Needs
// no_new_privs. Returns the version used; 0 where nothing was restricted.
int restrict_by_landlock(Work work = Work::parse, const std::vector<std::string>& readable = {});

}  // namespace exhibit::sandbox
