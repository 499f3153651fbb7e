#pragma once
// XFS's superblock. Sources for all of xfs/: "XFS Algorithms & Data Structures", 3rd edition (SGI, Red Hat, Oracle),
// and Linux, fs/xfs/libxfs/xfs_format.h and xfs_da_format.h, for what came later.

#include <exhibit/byte_source.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "filesystem/xfs/fields.h"

namespace exhibit::filesystem::xfs {

using Uuid = std::array<std::byte, 16>;

// Block numbers and inode numbers hold the number of their allocation group in their upper bits.
struct Superblock {
  std::uint32_t block_size = 0, sector_size = 0, inode_size = 0, directory_block_size = 0;  // bytes
  std::uint32_t block_log = 0, group_blocks_log = 0, inodes_per_block_log = 0;
  std::uint32_t groups = 0, group_blocks = 0;  // of each group but the last, which may be shorter
  std::uint32_t log_blocks = 0;
  std::uint64_t blocks = 0, log_start = 0;  // log_start: 0 where the log is on another device
  std::uint64_t root = 0;
  std::array<std::uint64_t, 5> internal = {};  // inodes of quotas and of the realtime device: in no directory
  Uuid uuid = {}, metadata_uuid = {};
  std::string label;
  bool is_v5 = false, has_file_types = false, has_sparse_chunks = false;

  std::uint32_t group_of(std::uint64_t block) const {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(block >> group_blocks_log, UINT32_MAX));
  }
  // The file system's number for a group's own; one that is in no group where that is impossible.
  std::uint64_t block_in(std::uint32_t group, std::uint64_t in_group) const {
    return in_group >> group_blocks_log == 0 ? std::uint64_t{group} << group_blocks_log | in_group : UINT64_MAX;
  }
  std::uint64_t blocks_of_group(std::uint32_t group) const {
    const std::uint64_t before = std::uint64_t{group} * group_blocks;
    return std::min<std::uint64_t>(group_blocks, blocks - before);
  }
  // The byte at which `count` blocks begin; nothing where they don't lie within one group.
  std::optional<std::uint64_t> offset_of(std::uint64_t block, std::uint64_t count = 1) const;
  // The byte at which an inode begins; nothing where its number is impossible.
  std::optional<std::uint64_t> offset_of_inode(std::uint64_t number) const;
  // All inode numbers are below.
  std::uint64_t inode_limit() const { return std::uint64_t{groups} << (group_blocks_log + inodes_per_block_log); }
  bool is_internal(std::uint64_t inode) const {
    return inode != 0 && std::find(internal.begin(), internal.end(), inode) != internal.end();
  }
};

struct Recognised {
  std::optional<Superblock> super;    // nothing: there is no XFS
  std::optional<std::string> remark;  // what is damaged, and the reader goes on
};

// An Error (corrupt, unsupported) where it is XFS but can't be read.
Result<Recognised> recognise(ByteSource& volume, const std::string& volume_id);

// Whether the CRC-32C that is stored at `checksum` is that of the bytes around it.
bool checksum_holds(Bytes bytes, std::size_t checksum);

}  // namespace exhibit::filesystem::xfs
