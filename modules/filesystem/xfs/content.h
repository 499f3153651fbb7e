#pragma once
// What an inode's content is, and where it lies.

#include "filesystem/run_content.h"
#include "filesystem/xfs/inode.h"

namespace exhibit::filesystem::xfs {

struct Content {
  std::uint64_t size = 0;
  bool is_told = true;                     // false: it can't be read, as a fault or `unsupported` says
  Layout layout;                           // as long as `size`, where it is told
  std::optional<std::string> transform;    // "resident" where it lies in the inode
  std::optional<std::string> unsupported;  // why
};

// Where its map or its inode doesn't hold, all of it is in doubt: a wrong digest would be worse than none.
Content content_of(const Volume& volume, const Inode& inode, Faults& faults);

// The blocks of the volume that `mappings` give for [0, size), with holes and unwritten blocks as sparse runs.
Layout layout_of(const Volume& volume, const std::vector<Mapping>& mappings, std::uint64_t size);

// A link's target, read from its content; nothing where that isn't whole.
std::optional<std::string> link_target(const Volume& volume, const Content& content);

}  // namespace exhibit::filesystem::xfs
