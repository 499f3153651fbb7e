#include "filesystem/consistency/ext_volume.h"

#include "base/crc.h"

namespace exhibit::filesystem::consistency {

bool ExtVolume::read(std::uint64_t offset, std::span<std::byte> buffer) const {
  const auto got = source_.read_at(offset, buffer);
  return got.ok() && *got == buffer.size();
}

bool ExtVolume::read_block(std::uint64_t block, std::vector<std::byte>& buffer) const {
  buffer.resize(super.block_size);
  if (in_range(block) && read(block * super.block_size, buffer)) return true;
  teller.corrupt("blocks that can't be read", block_place(block),
                 "block " + std::to_string(block) + ": it can't be read");
  return false;
}

bool ExtVolume::read_inode(std::uint32_t inode, std::vector<std::byte>& buffer) const {
  if (!valid_inode(inode) || groups[(inode - 1) / super.inodes_per_group].inode_table == 0) return false;
  buffer.resize(super.inode_size);
  return read(inode_place(inode).offset, buffer);
}

Place ExtVolume::inode_place(std::uint32_t inode) const {
  const Group& group = groups[(inode - 1) / super.inodes_per_group];
  const std::uint64_t index = (inode - 1) % super.inodes_per_group;
  return {group.inode_table * super.block_size + index * super.inode_size, super.inode_size};
}

std::uint32_t ExtVolume::initialised_inodes(std::uint32_t group) const {
  if (!super.groups_have_checksums()) return super.inodes_per_group;
  if ((groups[group].flags & layout::group_inodes_uninitialised) != 0) return 0;
  const std::uint32_t unused = groups[group].unused_inodes;
  return unused <= super.inodes_per_group ? super.inodes_per_group - unused : super.inodes_per_group;
}

bool ExtVolume::spend(std::uint64_t& budget, std::uint64_t count) {
  if (count <= budget) {
    budget -= count;
    return true;
  }
  budget = 0;
  if (!overspent_)
    teller.unchecked(ErrorCode::size_limit, {0, size()},
                     "the inodes share so many blocks that not all of the file system's structures were checked");
  overspent_ = true;
  return false;
}

InodeKind Inode::kind() const {
  if (is(layout::flag_ea_inode) && (mode() & layout::type_mask) == layout::type_regular) return attribute_value;
  switch (mode() & layout::type_mask) {
    case layout::type_regular:
      return regular;
    case layout::type_directory:
      return directory;
    case layout::type_character:
      return character_device;
    case layout::type_block:
      return block_device;
    case layout::type_fifo:
      return fifo;
    case layout::type_socket:
      return socket;
    case layout::type_symlink:
      return symlink;
    default:
      return bad_mode;
  }
}

std::uint32_t Inode::checksum_seed(const Superblock& super) const {
  return base::crc32c(base::crc32c(super.checksum_seed, number_), generation());
}

}  // namespace exhibit::filesystem::consistency
