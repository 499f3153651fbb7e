#pragma once
// A tree as a FUSE file system: what each call of the kernel is answered. Nothing here, or in what it holds, looks at
// bytes of the evidence: contents come from sealed workers and go to the kernel as they are.

#include <functional>
#include <mutex>

#include "mount/read_pool.h"
#include "mount/tree.h"

struct fuse_lowlevel_ops;

namespace exhibit::mount {

struct View {
  const Tree& tree;
  std::uint64_t bytes = 0;           // of the medium
  ReadPool* reads = nullptr;         // set before the first call comes
  std::function<void()> first_open;  // called once, when the kernel and we have settled how to talk
  mutable std::once_flag opened;
};

// The calls, for a session whose user data is a View. Whatever would write is refused with EROFS, also where a kernel
// that mounted it read-only would not have asked.
const fuse_lowlevel_ops& operations();

}  // namespace exhibit::mount
