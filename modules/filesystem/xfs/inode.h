#pragma once
// XFS's inodes, and the maps of their two forks: data and extended attributes.

#include <vector>

#include "filesystem/xfs/volume.h"

namespace exhibit::filesystem::xfs {

enum class ForkFormat : std::uint8_t { device = 0, local = 1, extents = 2, tree = 3 };

struct Fork {
  ForkFormat format = ForkFormat::extents;
  std::size_t at = 0, size = 0;  // bytes of the inode; size 0: there is none
  std::uint64_t extents = 0;     // as the inode counts them
};

struct Inode {
  std::uint64_t number = 0, offset = 0;  // offset: of the volume's bytes
  std::vector<std::byte> bytes;
  std::uint16_t mode = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t size = 0, blocks = 0;  // blocks: all that both forks hold
  bool has_big_times = false, has_birth = false, is_on_realtime_device = false;
  Fork data, attributes;

  Bytes literal(const Fork& fork) const { return part(bytes, fork.at, fork.size); }
  bool is_directory() const { return (mode & 0170000) == 0040000; }
  bool is_file() const { return (mode & 0170000) == 0100000; }
  bool is_link() const { return (mode & 0170000) == 0120000; }
};

// Nothing, and a fault, where there is none; faults too where it isn't what it says. One that is free has mode 0.
std::optional<Inode> read_inode(const Volume& volume, std::uint64_t number, Faults& faults);
// The same of bytes that were read already.
std::optional<Inode> parse_inode(const Volume& volume, std::uint64_t number, Bytes bytes, Faults& faults);

struct Mapping {
  std::uint64_t file_block = 0, block = 0, count = 0;  // within the file system
  bool is_unwritten = false;                           // allocated, but its content is zeros
};
struct ForkMap {
  std::vector<Mapping> mappings;  // in order of file_block, disjoint, within the file system
  std::vector<std::uint64_t> tree_blocks;
};
// Of a fork in extents or a tree. What of it doesn't hold is a fault, and left out.
ForkMap read_fork(const Volume& volume, const Inode& inode, const Fork& fork, Faults& faults);

}  // namespace exhibit::filesystem::xfs
