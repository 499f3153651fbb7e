#pragma once
// What ext3's and ext4's superblock says of the structures that are read here beside libtsk.
// Source: Linux, Documentation/filesystems/ext4/: "The Super Block", "Checksums". All little-endian.

#include <exhibit/byte_source.h>

#include "filesystem/tsk/raw.h"

namespace exhibit::filesystem::tsk {

struct ExtLayout {
  // `blocks`: those that the volume holds.
  std::uint64_t block_size = 0, blocks = 0, inodes = 0, inodes_per_group = 0, inode_size = 0;
  std::uint32_t journal_inode = 0;     // 0: none
  bool has_outer_journal = false;      // on a device of its own
  bool has_clusters = false;           // bigalloc
  bool has_entry_types = false;        // a directory's entries tell what they lead to
  bool has_wide_block_counts = false;  // an inode's number of blocks has 48 bits
  bool has_checksums = false;          // metadata_csum
  std::uint32_t checksum_seed = 0;

  static ExtLayout read(ByteSource& volume);

  // What the checksums of an inode's own structures begin with.
  std::uint32_t seed_of(std::uint64_t number, const Raw& inode) const;
  // Whether the checksum holds, or there are none.
  bool is_whole_inode(std::uint64_t number, const Raw& inode) const;
  bool is_whole_extent_node(std::uint64_t number, const Raw& inode, const Raw& node) const;
  bool is_whole_directory_block(std::uint64_t number, const Raw& inode, const Raw& block) const;
};

// "Index Nodes".
namespace ext_inode {
constexpr std::size_t mode = 0, uid = 2, size = 4, ctime = 12, dtime = 20, gid = 24, links = 26, blocks = 28,
                      flags = 32, map = 40, map_size = 60, generation = 100, attribute_block = 104, size_high = 108,
                      blocks_high = 116, uid_high = 120, gid_high = 122, checksum_low = 124, extra_size = 128,
                      checksum_high = 130;
constexpr std::uint32_t flag_huge = 0x40000, flag_extents = 0x80000, flag_inline = 0x10000000;
constexpr std::uint16_t type_mask = 0xF000, type_directory = 0x4000, type_regular = 0x8000, type_link = 0xA000;

inline std::uint16_t type_of(const Raw& inode) { return inode.le16(mode) & type_mask; }
// Bytes. Only a regular file's has a higher half.
inline std::uint64_t size_of(const Raw& inode) {
  const std::uint64_t high = type_of(inode) == type_regular ? inode.le32(size_high) : 0;
  return high << 32 | inode.le32(size);
}
inline bool is_in_use(const Raw& inode) { return inode.le16(links) > 0 && inode.le32(dtime) == 0; }
}  // namespace ext_inode

}  // namespace exhibit::filesystem::tsk
