#include <algorithm>
#include <array>

#include "base/crc.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

constexpr std::size_t inodes_at_once = 256;

class InodeCheck {
 public:
  InodeCheck(ExtVolume& volume, const Inode& inode) : volume_(volume), super_(volume.super), inode_(inode) {}

  void run() {
    const bool reserved = inode_.number() < super_.first_inode && inode_.number() != layout::root_inode;
    if (all_zero(inode_.bytes())) {
      if (inode_.number() == layout::root_inode) tell("special inodes", "the root directory's inode is empty");
      return;
    }
    checksum();
    if (inode_.deletion_time() != 0 && volume_.super.orphans_by_time && inode_.deletion_time() <= super_.inodes)
      tell("inodes of the list of orphans", "it is on the list of files deleted while open");
    if (reserved) return check_reserved();
    if (inode_.links() == 0) {
      if (inode_.deletion_time() == 0 && inode_.mode() != 0)
        tell("deleted inodes without a time", "it is deleted, but has no time of deletion");
      return;
    }
    in_use();
  }

 private:
  void tell(std::string_view kind, const std::string& what) {
    volume_.teller.corrupt(kind, volume_.inode_place(inode_.number()), inode_.name() + ": " + what);
  }

  void checksum() {
    // The checksum's halves, which count as zeros: one among the first 128 bytes, one behind them where there is room.
    constexpr std::size_t low = 0x7C, high = 0x82, half = 2;
    constexpr std::array<std::byte, half> zeros{};
    if (!super_.has_checksums()) return;
    const Bytes bytes = inode_.bytes();
    const bool with_high = inode_.extra_size() >= 4;
    std::uint32_t crc = base::crc32c(inode_.checksum_seed(super_), bytes.first(low));
    crc = base::crc32c(crc, zeros);
    if (with_high) {
      crc = base::crc32c(crc, bytes.subspan(low + half, high - low - half));
      crc = base::crc32c(base::crc32c(crc, zeros), bytes.subspan(high + half));
    } else {
      crc = base::crc32c(crc, bytes.subspan(low + half));
    }
    const std::uint32_t stored = u16(bytes, low) | (with_high ? std::uint32_t{u16(bytes, high)} << 16 : 0);
    if ((with_high ? crc : crc & 0xFFFF) != stored) tell("wrong checksums of inodes", "its checksum doesn't hold");
  }

  void check_reserved() {
    const std::uint32_t number = inode_.number();
    const bool hidden = std::find(std::begin(super_.hidden_inodes), std::end(super_.hidden_inodes), number) !=
                        std::end(super_.hidden_inodes);
    if (number == layout::bad_blocks_inode) {
      if (inode_.mode() != 0 || inode_.links() != 0 || inode_.is(layout::flag_inline_data) ||
          inode_.attribute_block(super_) != 0 || u16(inode_.bytes(), 0x02) != 0 || u16(inode_.bytes(), 0x18) != 0)
        tell("special inodes", "the inode of bad blocks has fields that it can't have");
      flags();
    } else if (number == layout::journal_inode && (super_.compat & layout::compat_has_journal) == 0) {
      if (inode_.links() != 0) tell("special inodes", "there is a journal, but the superblock has none");
    } else if (inode_.mode() != 0 && inode_.kind() != regular && inode_.kind() != directory) {
      tell("special inodes", "this special inode is neither a file nor empty");
    }
    if (inode_.links() == 0 && number != layout::bad_blocks_inode && !hidden) return;
    blocks(false);
  }

  void in_use() {
    const std::uint32_t number = inode_.number();
    const InodeKind kind = inode_.kind();
    volume_.kinds[number] = kind;
    volume_.links[number] = inode_.links();
    if (inode_.deletion_time() != 0)
      tell("inodes in use with a time of deletion", "it is in use, but has a time of deletion");
    if (kind == bad_mode) tell("inodes of no type", "it is in use, but its mode is of no type");
    if (number == layout::root_inode && kind != directory) tell("special inodes", "the root's inode is no directory");
    if (kind == directory) volume_.directories.push_back({number, 0, 0});
    extra_size();
    flags();
    if (u32(inode_.bytes(), 0x70) != 0) tell("fields that must be zero", "its fragment's address isn't zero");
    if (!super_.has(layout::incompat_64bit) && u16(inode_.bytes(), 0x76) != 0)
      tell("fields that must be zero", "the high half of its block of attributes isn't zero");
    if (kind == bad_mode) return;
    blocks(true);
    if (kind == symlink) check_symlink();
    if (kind == character_device || kind == block_device || kind == fifo || kind == socket) check_special();
  }

  void extra_size() {
    const std::uint16_t extra = inode_.extra_size();
    if (super_.inode_size == layout::small_inode) return;
    if (extra > super_.inode_size - layout::small_inode || (extra != 0 && extra < 4) || extra % 4 != 0)
      tell("impossible extra sizes", "its extra size, " + std::to_string(extra) + ", is impossible");
  }

  void flags() {
    const auto without = [this](std::uint32_t flag, bool feature, const char* what) {
      if (inode_.is(flag) && !feature) tell("flags of features that are missing", std::string("it ") + what);
    };
    const bool folder = inode_.kind() == directory;
    without(layout::flag_extents, super_.has(layout::incompat_extents), "has extents, but the file system hasn't");
    without(layout::flag_inline_data, super_.has(layout::incompat_inline_data),
            "holds its content, but the file system's inodes don't");
    without(layout::flag_imagic, (super_.compat & layout::compat_imagic) != 0,
            "is an AFS inode, but the file system has none");
    without(layout::flag_index, (super_.compat & layout::compat_dir_index) != 0 && folder,
            "has a hash tree that it can't have");
    without(layout::flag_casefold, super_.has(layout::incompat_casefold) && folder, "ignores case, which it can't");
    if (inode_.is(layout::flag_extents) && inode_.is(layout::flag_inline_data))
      tell("flags that exclude each other", "it both holds its content and has extents");
  }

  bool has_map(const Attributes& attributes) const {
    switch (inode_.kind()) {
      case character_device:
      case block_device:
      case fifo:
      case socket:
        return false;
      case symlink:
        if (inode_.size() < layout::inode_blocks_size && !inode_.is(layout::flag_extents)) return false;
        break;
      default:
        break;
    }
    return !(inode_.is(layout::flag_inline_data) || attributes.inline_data);
  }

  void blocks(bool exact) {
    const Attributes attributes = check_attributes(volume_, inode_);
    const bool inline_data = inode_.is(layout::flag_inline_data);
    if (inline_data && !attributes.inline_data)
      tell("inline content that is missing", "its content should be in it, but the attribute system.data is missing");
    Map map;
    if (has_map(attributes)) map = claim_blocks(volume_, inode_);
    if (inode_.number() == layout::bad_blocks_inode) return;
    const std::uint64_t clusters = map.clusters + (inode_.attribute_block(super_) != 0 ? 1 : 0);
    if (!map.damaged && !attributes.value_inodes) check_sectors(clusters * super_.cluster_ratio);
    if ((exact || inode_.kind() == regular) && !inline_data) check_size(map);
    if (exact && inline_data && inode_.kind() == directory &&
        inode_.size() != layout::inode_blocks_size + attributes.inline_size)
      tell("wrong sizes", "its size, " + std::to_string(inode_.size()) + ", isn't that of its inline content");
  }

  void check_sectors(std::uint64_t found) {
    const bool whole_blocks = inode_.is(layout::flag_huge_file) && (super_.ro_compat & layout::ro_huge_file) != 0;
    if (!whole_blocks) found *= super_.block_size / 512;
    if (inode_.sectors(super_) != found)
      tell("wrong counts of blocks",
           "its count of blocks is " + std::to_string(inode_.sectors(super_)) + ", found " + std::to_string(found));
  }

  void check_size(const Map& map) {
    const std::uint64_t size = inode_.size(), block = super_.block_size;
    const std::string name = "its size, " + std::to_string(size) + ", ";
    if (inode_.kind() == directory) {
      if (size % block != 0 || size == 0) return tell("wrong sizes", name + "is no whole number of blocks");
      if ((size >> 32) != 0 && !super_.has(layout::incompat_large_dir))
        return tell("wrong sizes", name + "is too large for a directory");
      const std::uint64_t found = map.last_block ? *map.last_block + 1 : 0;
      if (size / block != found && !map.damaged)
        tell("wrong sizes", name + "doesn't fit its " + std::to_string(found) + " blocks");
      return;
    }
    if (map.last_written_block && size < *map.last_written_block * block && !inode_.is(layout::flag_verity))
      tell("wrong sizes",
           name + "is smaller than its content, which reaches to block " + std::to_string(*map.last_written_block));
    const std::uint64_t pointers = block / 4;
    const std::uint64_t most =
        inode_.is(layout::flag_extents)
            ? (std::uint64_t{1} << 32) * block - 1
            : (layout::direct_blocks + pointers + pointers * pointers + pointers * pointers * pointers) * block;
    if (size > most) tell("wrong sizes", name + "is larger than its map can reach");
  }

  void check_special() {
    if (inode_.size() != 0) tell("special files with content", "it is a device, pipe or socket and has a size");
    for (std::size_t at = 16; at < layout::inode_blocks_size; at += 4)
      if (u32(inode_.map(), at) != 0)
        return tell("special files with content", "it is a device, pipe or socket and has blocks");
    if (inode_.is(layout::flag_extents | layout::flag_inline_data))
      tell("special files with content", "it is a device, pipe or socket and has the flag of content");
    if (inode_.is(layout::flag_immutable | layout::flag_append))
      tell("special files with content", "it is a device, pipe or socket and is marked as immutable or append-only");
  }

  void check_symlink() {
    const std::uint64_t size = inode_.size();
    if (inode_.is(layout::flag_immutable | layout::flag_append))
      tell("symbolic links that don't hold", "it is a symbolic link and is marked as immutable or append-only");
    if (size == 0 || size > super_.block_size || inode_.is(layout::flag_index))
      return tell("symbolic links that don't hold", "it is a symbolic link of an impossible size");
    if (inode_.is(layout::flag_inline_data) || inode_.is(layout::flag_encrypted)) return;
    std::vector<std::byte> buffer;
    Bytes target = inode_.map();
    if (size >= layout::inode_blocks_size || inode_.is(layout::flag_extents)) {
      const Map map = find_blocks(volume_, inode_);
      if (map.runs.empty() || map.runs.front().logical != 0 || !volume_.read_block(map.runs.front().physical, buffer))
        return tell("symbolic links that don't hold", "it is a symbolic link without a target");
      target = buffer;
    }
    const auto end = std::find(target.begin(), target.end(), std::byte{0});
    if (static_cast<std::uint64_t>(end - target.begin()) != size)
      tell("symbolic links that don't hold", "it is a symbolic link whose target doesn't have its size");
  }

  ExtVolume& volume_;
  const Superblock& super_;
  const Inode& inode_;
};

std::string inode_range(std::uint32_t first, std::size_t count) {
  return "inodes " + std::to_string(first) + " to " + std::to_string(first + count - 1);
}

// What is in use before any inode is read: the reserved ones.
void reserve(ExtVolume& volume) {
  const std::size_t numbers = std::size_t{volume.super.inodes} + 1;
  volume.kinds.assign(numbers, not_in_use);
  volume.links.assign(numbers, 0);
  volume.entries.assign(numbers, 0);
  for (std::uint32_t inode = 1; inode < volume.super.first_inode; ++inode) volume.kinds[inode] = unknown;
}

}  // namespace

void check_inodes(ExtVolume& volume) {
  const Superblock& super = volume.super;
  reserve(volume);
  std::vector<std::byte> buffer;
  for (std::uint32_t number = 0; number < super.groups; ++number) {
    const Group& group = volume.groups[number];
    const std::uint32_t count = group.inode_table == 0 ? 0 : volume.initialised_inodes(number);
    for (std::uint32_t begin = 0; begin < count; begin += inodes_at_once) {
      const std::size_t some = std::min<std::size_t>(inodes_at_once, count - begin);
      buffer.resize(some * super.inode_size);
      const std::uint32_t first = number * super.inodes_per_group + begin + 1;
      if (!volume.read(volume.inode_place(first).offset, buffer)) {
        volume.teller.corrupt("inodes that can't be read", {volume.inode_place(first).offset, buffer.size()},
                              inode_range(first, some) + " can't be read");
        continue;
      }
      for (std::size_t i = 0; i < some; ++i) {
        const Inode inode(first + static_cast<std::uint32_t>(i),
                          Bytes(buffer).subspan(i * super.inode_size, super.inode_size));
        InodeCheck(volume, inode).run();
      }
    }
  }
}

}  // namespace exhibit::filesystem::consistency
