#include "base/crc.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

bool is_power_of(std::uint32_t number, std::uint32_t base) {
  while (number % base == 0) number /= base;
  return number == 1;
}

// Whether a group begins with a copy of the superblock.
bool has_super(const Superblock& super, std::uint32_t group) {
  if (group == 0) return true;
  if ((super.compat & layout::compat_sparse_super2) != 0)
    return group == super.backup_groups[0] || group == super.backup_groups[1];
  if ((super.ro_compat & layout::ro_sparse_super) == 0 || group == 1) return true;
  return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

// The block of a group's superblock, or where it would be.
std::uint64_t super_block(const ExtVolume& volume, std::uint32_t group) {
  const std::uint64_t block = volume.first_block(group);
  // With bigalloc and blocks of 1024 bytes block 0 is the boot sector's and still belongs to group 0.
  return block == 0 && volume.super.block_size == 1024 ? 1 : block;
}

std::uint64_t descriptor_block(const ExtVolume& volume, std::uint32_t index) {
  const Superblock& super = volume.super;
  if (!super.has(layout::incompat_meta_bg) || index < super.first_meta_bg) return super_block(volume, 0) + 1 + index;
  const std::uint32_t group = index * (super.block_size / super.descriptor_size);
  return super_block(volume, group) + (has_super(super, group) ? 1 : 0);
}

void claim(ExtVolume& volume, std::uint64_t block, std::uint64_t count, Place place, const std::string& what) {
  bool told = false;
  for (std::uint64_t i = 0; i < count && volume.in_range(block + i); ++i) {
    const std::uint64_t cluster = volume.cluster_of(block + i);
    volume.used.set(cluster);
    if (volume.metadata.set(cluster) && volume.super.cluster_ratio == 1 && !told) {
      told = true;
      volume.teller.corrupt("structures that overlap", place,
                            what + ": its block " + std::to_string(block + i) + " is another structure's too");
    }
  }
}

void claim_super_and_descriptors(ExtVolume& volume, std::uint32_t group) {
  const Superblock& super = volume.super;
  const std::uint64_t block = super_block(volume, group);
  const bool with_super = has_super(super, group);
  const std::string what = "group " + std::to_string(group) + "'s superblock and descriptors";
  if (block != volume.first_block(group)) claim(volume, 0, 1, volume.block_place(0), what);
  if (with_super) claim(volume, block, 1, volume.block_place(block), what);
  const std::uint32_t per_block = super.block_size / super.descriptor_size;
  const bool meta = super.has(layout::incompat_meta_bg);
  if (!meta || group / per_block < super.first_meta_bg) {
    const std::uint64_t count = meta ? std::min(super.first_meta_bg, super.descriptor_blocks)
                                     : super.descriptor_blocks + super.reserved_descriptor_blocks;
    if (with_super) claim(volume, block + 1, count, volume.block_place(block), what);
  } else if (const std::uint32_t at = group % per_block; at == 0 || at == 1 || at == per_block - 1) {
    claim(volume, block + (with_super ? 1 : 0), 1, volume.block_place(block), what);
  }
}

Group read_group(const Superblock& super, Bytes bytes) {
  Group group;
  group.block_bitmap = u32(bytes, 0x00);
  group.inode_bitmap = u32(bytes, 0x04);
  group.inode_table = u32(bytes, 0x08);
  group.free_blocks = u16(bytes, 0x0C);
  group.free_inodes = u16(bytes, 0x0E);
  group.directories = u16(bytes, 0x10);
  group.flags = u16(bytes, 0x12);
  group.block_bitmap_checksum = u16(bytes, 0x18);
  group.inode_bitmap_checksum = u16(bytes, 0x1A);
  group.unused_inodes = u16(bytes, 0x1C);
  if (super.descriptor_size < 64) return group;
  group.block_bitmap |= std::uint64_t{u32(bytes, 0x20)} << 32;
  group.inode_bitmap |= std::uint64_t{u32(bytes, 0x24)} << 32;
  group.inode_table |= std::uint64_t{u32(bytes, 0x28)} << 32;
  group.free_blocks |= std::uint32_t{u16(bytes, 0x2C)} << 16;
  group.free_inodes |= std::uint32_t{u16(bytes, 0x2E)} << 16;
  group.directories |= std::uint32_t{u16(bytes, 0x30)} << 16;
  group.unused_inodes |= std::uint32_t{u16(bytes, 0x32)} << 16;
  group.block_bitmap_checksum |= std::uint32_t{u16(bytes, 0x38)} << 16;
  group.inode_bitmap_checksum |= std::uint32_t{u16(bytes, 0x3A)} << 16;
  return group;
}

std::uint16_t descriptor_checksum(const Superblock& super, std::uint32_t group, Bytes bytes) {
  constexpr std::size_t at = 0x1E, size = 2;
  const std::uint16_t none = 0;
  if (super.has_checksums()) {
    std::uint32_t crc = base::crc32c(base::crc32c(super.checksum_seed, group), bytes.first(at));
    crc = base::crc32c(base::crc32c(crc, std::as_bytes(std::span(&none, 1))), bytes.subspan(at + size));
    return static_cast<std::uint16_t>(crc);
  }
  std::uint16_t crc = base::crc16(0xFFFF, super.uuid);
  crc = base::crc16(base::crc16(crc, std::as_bytes(std::span(&group, 1))), bytes.first(at));
  return super.has(layout::incompat_64bit) ? base::crc16(crc, bytes.subspan(at + size)) : crc;
}

void check_place(ExtVolume& volume, std::uint32_t number, std::uint64_t& block, std::uint64_t count,
                 const std::string& what) {
  const Superblock& super = volume.super;
  const std::uint64_t first = volume.first_block(number);
  const std::uint64_t end = std::min(first + super.blocks_per_group, super.blocks);
  const bool in_group = block >= first && block < end && count <= end - block;
  const bool flexible = super.has(layout::incompat_flex_bg);
  const std::string name = "group " + std::to_string(number) + "'s " + what;
  if (block == 0 || !volume.in_range(block, count)) {
    volume.teller.corrupt("structures outside of the file system", volume.groups[number].place,
                          name + " at block " + std::to_string(block) + " is outside of the file system");
    block = 0;
    return;
  }
  if (!in_group && !flexible)
    volume.teller.corrupt("structures outside of their group", volume.groups[number].place,
                          name + " at block " + std::to_string(block) + " is outside of its group");
  claim(volume, block, count, volume.groups[number].place, name);
}

void check_group(ExtVolume& volume, std::uint32_t number, Bytes bytes, Place place) {
  const Superblock& super = volume.super;
  Group& group = volume.groups[number];
  group = read_group(super, bytes);
  group.place = place;
  const std::string name = "group " + std::to_string(number);
  if (super.groups_have_checksums()) {
    if (u16(bytes, 0x1E) != descriptor_checksum(super, number, bytes))
      volume.teller.corrupt("wrong checksums of group descriptors", place,
                            name + ": its descriptor's checksum doesn't hold");
    if (group.unused_inodes > super.inodes_per_group || group.unused_inodes > group.free_inodes)
      volume.teller.corrupt("impossible counts of unused inodes", place,
                            name + ": it says " + std::to_string(group.unused_inodes) +
                                " inodes were never used, but only " + std::to_string(group.free_inodes) + " are free");
  } else if ((group.flags & (layout::group_inodes_uninitialised | layout::group_blocks_uninitialised)) != 0 ||
             group.unused_inodes != 0) {
    volume.teller.corrupt("groups marked as uninitialised", place,
                          name + " is marked as uninitialised, which this file system can't be");
    group.flags = 0;
  }
  const std::uint64_t table =
      (std::uint64_t{super.inodes_per_group} * super.inode_size + super.block_size - 1) / super.block_size;
  check_place(volume, number, group.block_bitmap, 1, "block bitmap");
  check_place(volume, number, group.inode_bitmap, 1, "inode bitmap");
  check_place(volume, number, group.inode_table, table, "inode table");
}

}  // namespace

bool check_groups(ExtVolume& volume) {
  const Superblock& super = volume.super;
  const std::uint64_t clusters =
      (super.blocks - super.first_data_block + super.cluster_ratio - 1) / super.cluster_ratio;
  volume.groups.resize(super.groups);
  volume.used = Bitmap(clusters);
  volume.metadata = Bitmap(clusters);
  volume.map_budget = 2 * super.blocks + 64;
  volume.claim_budget = 16 * super.blocks + 64;
  for (std::uint32_t group = 0; group < super.groups; ++group) claim_super_and_descriptors(volume, group);
  if (super.has(layout::incompat_mmp) && volume.in_range(super.mmp_block))
    claim(volume, super.mmp_block, 1, volume.block_place(super.mmp_block), "multiple mount protection");

  const std::uint32_t per_block = super.block_size / super.descriptor_size;
  std::vector<std::byte> buffer;
  for (std::uint32_t index = 0; index < super.descriptor_blocks; ++index) {
    const std::uint64_t block = descriptor_block(volume, index);
    if (!volume.read_block(block, buffer)) return false;
    for (std::uint32_t i = 0; i < per_block && index * per_block + i < super.groups; ++i) {
      const std::uint64_t at = std::uint64_t{i} * super.descriptor_size;
      check_group(volume, index * per_block + i, Bytes(buffer).subspan(at, super.descriptor_size),
                  {block * super.block_size + at, super.descriptor_size});
    }
  }
  return true;
}

}  // namespace exhibit::filesystem::consistency
