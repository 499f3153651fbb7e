#include <algorithm>

#include "base/checked.h"
#include "base/crc.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

constexpr Place super_place{layout::super_offset, layout::super_size};

// One bit each for a cluster (twice) and five bytes for an inode: together well below a worker's memory.
constexpr std::uint64_t most_clusters = std::uint64_t{1} << 31;
constexpr std::uint64_t most_inodes = std::uint64_t{1} << 26;

bool tell(ExtVolume& volume, const std::string& what) {
  volume.teller.corrupt("contradictions in the superblock", super_place, "superblock: " + what);
  return false;
}

void read_counts(Superblock& super, Bytes bytes) {
  super.inodes = u32(bytes, 0x00);
  super.blocks = u32(bytes, 0x04);
  super.free_blocks = u32(bytes, 0x0C);
  super.free_inodes = u32(bytes, 0x10);
  super.first_data_block = u32(bytes, 0x14);
  super.blocks_per_group = u32(bytes, 0x20);
  super.clusters_per_group = super.blocks_per_group;
  super.inodes_per_group = u32(bytes, 0x28);
  const std::uint32_t mounted = u32(bytes, 0x2C), written = u32(bytes, 0x30), made = u32(bytes, 0x108);
  super.orphans_by_time = mounted > super.inodes && written > super.inodes && (made == 0 || made > super.inodes);
}

void read_revision_1(Superblock& super, Bytes bytes) {
  super.first_inode = layout::first_inode_of_revision_0;
  super.inode_size = layout::small_inode;
  super.descriptor_size = 32;
  if (u32(bytes, 0x4C) == 0) return;
  super.first_inode = u32(bytes, 0x54);
  super.inode_size = u16(bytes, 0x58);
  super.compat = u32(bytes, 0x5C);
  super.incompat = u32(bytes, 0x60);
  super.ro_compat = u32(bytes, 0x64);
  std::copy_n(bytes.begin() + 0x68, sizeof super.uuid, super.uuid);
  super.reserved_descriptor_blocks = u16(bytes, 0xCE);
  super.journal = u32(bytes, 0xE0);
  super.first_meta_bg = u32(bytes, 0x104);
  super.mmp_block = field<std::uint64_t>(bytes, 0x168);
  super.backup_groups[0] = u32(bytes, 0x24C);
  super.backup_groups[1] = u32(bytes, 0x250);
  super.recover = super.has(layout::incompat_recover);
  if (super.has(layout::incompat_64bit)) {
    super.blocks |= std::uint64_t{u32(bytes, 0x150)} << 32;
    super.free_blocks |= std::uint64_t{u32(bytes, 0x158)} << 32;
    super.descriptor_size = u16(bytes, 0xFE);
  }
  if ((super.ro_compat & layout::ro_quota) != 0) {
    super.hidden_inodes[0] = u32(bytes, 0x240);
    super.hidden_inodes[1] = u32(bytes, 0x244);
    if ((super.ro_compat & layout::ro_project) != 0) super.hidden_inodes[2] = u32(bytes, 0x26C);
  }
  if ((super.compat & layout::compat_orphan_file) != 0) super.hidden_inodes[3] = u32(bytes, 0x280);
  super.checksum_seed = super.has(layout::incompat_checksum_seed) ? u32(bytes, 0x270) : base::crc32c(~0U, super.uuid);
}

// Sizes of blocks, clusters, groups, inodes and descriptors; nothing can be found without them.
bool check_geometry(ExtVolume& volume, Bytes bytes) {
  Superblock& super = volume.super;
  const std::uint32_t log_block = u32(bytes, 0x18);
  if (log_block > 6) return tell(volume, "its block size is impossible");
  super.block_size = 1024U << log_block;
  if ((super.ro_compat & layout::ro_bigalloc) != 0) {
    const std::uint32_t log_cluster = u32(bytes, 0x1C);
    if (log_cluster < log_block || log_cluster > 29) return tell(volume, "its cluster size is impossible");
    super.cluster_ratio = 1U << (log_cluster - log_block);
    super.clusters_per_group = u32(bytes, 0x24);
  }
  const std::uint64_t bits = std::uint64_t{super.block_size} * 8;
  if (super.clusters_per_group == 0 || super.clusters_per_group > bits || super.blocks_per_group == 0 ||
      super.blocks_per_group != std::uint64_t{super.clusters_per_group} * super.cluster_ratio)
    return tell(volume, "its number of blocks in a group is impossible");
  if (super.inodes_per_group == 0 || super.inodes_per_group > bits)
    return tell(volume, "its number of inodes in a group is impossible");
  if (super.inode_size < layout::small_inode || super.inode_size > super.block_size ||
      (super.inode_size & (super.inode_size - 1)) != 0)
    return tell(volume, "its size of an inode, " + std::to_string(super.inode_size) + ", is impossible");
  if (super.descriptor_size < 32 || super.descriptor_size > super.block_size ||
      (super.descriptor_size & (super.descriptor_size - 1)) != 0 ||
      (super.has(layout::incompat_64bit) && super.descriptor_size < 64))
    return tell(volume, "its size of a group descriptor is impossible");
  if (super.first_data_block != (super.block_size == 1024 && super.cluster_ratio == 1 ? 1U : 0U))
    return tell(volume, "its first data block is impossible");
  return true;
}

bool check_extent(ExtVolume& volume) {
  Superblock& super = volume.super;
  const std::uint64_t volume_blocks = volume.size() / super.block_size;
  if (super.blocks <= super.first_data_block) return tell(volume, "it has no blocks");
  if (super.blocks > volume_blocks) {
    tell(volume,
         "it has " + std::to_string(super.blocks) + " blocks, the volume only " + std::to_string(volume_blocks));
    if (super.blocks / 8 > volume_blocks) return false;
  }
  const std::uint64_t groups =
      (super.blocks - super.first_data_block + super.blocks_per_group - 1) / super.blocks_per_group;
  if (groups * super.inodes_per_group != super.inodes || super.first_inode < layout::first_inode_of_revision_0 ||
      super.first_inode > super.inodes)
    return tell(volume, "its number of inodes doesn't fit its groups");
  if (super.inodes > most_inodes || super.blocks / super.cluster_ratio > most_clusters) {
    volume.teller.unchecked(ErrorCode::size_limit, super_place,
                            "the file system is too large for its structures to be checked against each other");
    return false;
  }
  super.groups = static_cast<std::uint32_t>(groups);
  const std::uint32_t per_block = super.block_size / super.descriptor_size;
  super.descriptor_blocks = (super.groups + per_block - 1) / per_block;
  if (super.has(layout::incompat_meta_bg) && super.first_meta_bg > super.descriptor_blocks)
    tell(volume, "its first meta block group lies behind the last group");
  if (super.reserved_descriptor_blocks > super.block_size / 4)
    return tell(volume, "it reserves more blocks for group descriptors than it can");
  return true;
}

void check_state(ExtVolume& volume, Bytes bytes) {
  const Superblock& super = volume.super;
  const std::uint16_t state = u16(bytes, 0x3A);
  if (u32(bytes, 0x4C) > 1) tell(volume, "its revision is unknown");
  if ((super.incompat & ~layout::known_incompat) != 0) tell(volume, "it has features that don't exist");
  if ((state & layout::state_errors) != 0) tell(volume, "the file system is marked as having errors");
  if (super.recover)
    tell(volume,
         "the file system wasn't unmounted; its journal holds changes that aren't in what was read (needs_recovery)");
  if (super.free_blocks > super.blocks || super.free_inodes > super.inodes) tell(volume, "more is free than there is");
  const std::uint16_t room = static_cast<std::uint16_t>(super.inode_size - layout::small_inode);
  if (super.inode_size > layout::small_inode)
    for (const std::size_t at : {std::size_t{0x15C}, std::size_t{0x15E}})
      if (const std::uint16_t extra = u16(bytes, at); extra > room || (extra != 0 && extra < 4) || extra % 4 != 0)
        tell(volume, std::string("its ") + (at == 0x15C ? "least" : "wanted") + " extra size of an inode, " +
                         std::to_string(extra) + ", is impossible");
}

}  // namespace

bool check_superblock(ExtVolume& volume) {
  std::vector<std::byte> bytes(layout::super_size);
  if (!volume.read(layout::super_offset, bytes)) return tell(volume, "it can't be read");
  if (u16(bytes, 0x38) != layout::super_magic) return tell(volume, "its magic number isn't there");
  Superblock& super = volume.super;
  read_counts(super, bytes);
  read_revision_1(super, bytes);
  if (super.has_checksums() &&
      base::crc32c(~0U, Bytes(bytes).first(layout::super_checksum)) != u32(bytes, layout::super_checksum))
    tell(volume, "its checksum doesn't hold");
  if (super.has(layout::incompat_journal_device))
    return tell(volume, "this is the journal of another file system, not a file system");
  if (!check_geometry(volume, bytes) || !check_extent(volume)) return false;
  check_state(volume, bytes);
  return true;
}

}  // namespace exhibit::filesystem::consistency
