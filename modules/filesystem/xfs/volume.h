#pragma once
// An XFS file system's blocks, read whole or not at all, and what those of version 5 say of themselves.

#include <exhibit/byte_source.h>

#include <vector>

#include "filesystem/xfs/faults.h"
#include "filesystem/xfs/superblock.h"

namespace exhibit::filesystem::xfs {

// Where a kind of block holds what version 5 added; 0: it doesn't.
struct SelfDescription {
  std::size_t checksum = 0, block_number = 0, uuid = 0, owner = 0;
  bool is_owner_short = false;  // a group's number in four bytes; else an inode's in eight
};

class Volume {
 public:
  Volume(ByteSource& source, Superblock super) : source_(source), super_(std::move(super)) {}
  ByteSource& source() const { return source_; }
  const Superblock& super() const { return super_; }

  // False where not all of it was read, and read without damage.
  bool read(std::uint64_t offset, std::span<std::byte> buffer) const;

  // `count` blocks (at most what a directory block has). Nothing, and a fault, where they can't be read.
  std::optional<std::vector<std::byte>> read_blocks(std::uint64_t block, std::uint32_t count, const std::string& what,
                                                    Faults& faults) const;

  // Adds a fault where `bytes`, which begin at `offset` of the volume, aren't what they say. Nothing before version 5.
  void check(Bytes bytes, const SelfDescription& where, std::uint64_t offset, std::uint64_t owner,
             const std::string& what, Faults& faults) const;

 private:
  ByteSource& source_;
  Superblock super_;
};

}  // namespace exhibit::filesystem::xfs
