#include "filesystem/tsk/ext_layout.h"

#include <algorithm>

#include "base/crc.h"

namespace exhibit::filesystem::tsk {

namespace {

constexpr std::uint64_t superblock_at = 1024;
constexpr std::size_t superblock_size = 1024;
constexpr std::uint32_t largest_log_block_size = 6;  // 64 KiB
constexpr std::uint32_t compat_journal = 0x4, incompat_filetype = 0x2, incompat_64bit = 0x80, incompat_seed = 0x2000,
                        read_only_huge_file = 0x8, read_only_bigalloc = 0x200, read_only_checksums = 0x400;
constexpr std::size_t small_inode = 128;

std::uint32_t checksum_of(std::uint32_t start, std::string_view bytes) {
  return base::crc32c(start, std::as_bytes(std::span(bytes)));
}

}  // namespace

ExtLayout ExtLayout::read(ByteSource& volume) {
  ExtLayout layout;
  const Raw super = Raw::read(volume, superblock_at, superblock_size);
  const std::uint32_t log_block_size = super.le32(24), compat = super.le32(92), incompat = super.le32(96),
                      read_only = super.le32(100);
  if (log_block_size > largest_log_block_size) return layout;
  layout.block_size = std::uint64_t{1024} << log_block_size;
  layout.blocks = super.le32(4);
  if ((incompat & incompat_64bit) != 0) layout.blocks |= static_cast<std::uint64_t>(super.le32(0x150)) << 32;
  layout.blocks = std::min(layout.blocks, volume.size() / layout.block_size);
  layout.inodes = super.le32(0);
  layout.inodes_per_group = super.le32(40);
  layout.inode_size = super.le32(76) == 0 ? small_inode : super.le16(88);  // s_rev_level 0: fixed
  if ((compat & compat_journal) != 0) {
    layout.journal_inode = super.le32(0xE0);
    layout.has_outer_journal = layout.journal_inode == 0;
  }
  layout.has_clusters = (read_only & read_only_bigalloc) != 0;
  layout.has_entry_types = (incompat & incompat_filetype) != 0;
  layout.has_wide_block_counts = (read_only & read_only_huge_file) != 0;
  layout.has_checksums = (read_only & read_only_checksums) != 0;
  layout.checksum_seed =
      (incompat & incompat_seed) != 0 ? super.le32(0x270) : checksum_of(~std::uint32_t{0}, super.view(0x68, 16));
  return layout;
}

std::uint32_t ExtLayout::seed_of(std::uint64_t number, const Raw& inode) const {
  return base::crc32c(base::crc32c(checksum_seed, static_cast<std::uint32_t>(number)),
                      inode.le32(ext_inode::generation));
}

bool ExtLayout::is_whole_inode(std::uint64_t number, const Raw& inode) const {
  if (!has_checksums) return true;
  std::string bytes(inode.view(0, inode.size()));
  if (bytes.size() < small_inode) return false;
  bytes.replace(ext_inode::checksum_low, 2, 2, '\0');
  std::uint32_t stored = inode.le16(ext_inode::checksum_low);
  // Two bytes more where the inode is large enough to hold them.
  const bool is_wide = bytes.size() > small_inode && inode.le16(ext_inode::extra_size) >= 4;
  if (is_wide) {
    bytes.replace(ext_inode::checksum_high, 2, 2, '\0');
    stored |= static_cast<std::uint32_t>(inode.le16(ext_inode::checksum_high)) << 16;
  }
  const std::uint32_t found = checksum_of(seed_of(number, inode), bytes);
  return stored == (is_wide ? found : found & 0xffff);
}

bool ExtLayout::is_whole_extent_node(std::uint64_t number, const Raw& inode, const Raw& node) const {
  if (!has_checksums) return true;
  const std::size_t tail = 12 + 12 * std::size_t{node.le16(4)};  // behind all entries that fit
  return tail + 4 <= node.size() && checksum_of(seed_of(number, inode), node.view(0, tail)) == node.le32(tail);
}

bool ExtLayout::is_whole_directory_block(std::uint64_t number, const Raw& inode, const Raw& block) const {
  if (!has_checksums) return true;
  constexpr std::uint32_t tail_size = 12;
  if (block.size() < tail_size) return false;
  const std::size_t tail = block.size() - tail_size;  // looks like an entry without a name
  return block.le32(tail) == 0 && block.le16(tail + 4) == tail_size && block.le16(tail + 6) == 0xDE00 &&
         checksum_of(seed_of(number, inode), block.view(0, tail)) == block.le32(tail + 8);
}

}  // namespace exhibit::filesystem::tsk
