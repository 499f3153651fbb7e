#pragma once
// Landlock: the kernel's own access control that a process puts on itself (kernel, Documentation/userspace-api/
// landlock.rst).

namespace exhibit::sandbox {

// The version of Landlock's interface that the running kernel offers; 0: none.
int landlock_abi();

// Denies the calling thread every right that the kernel's version knows: files, TCP ports, abstract Unix sockets,
// signals. Descriptors that are already open stay as they are. Needs no_new_privs. Returns the version used; 0 where
// nothing was restricted.
int restrict_by_landlock();

}  // namespace exhibit::sandbox
