#include "base/crc.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

// Differences between a bitmap and what was found: the first, and how many.
struct Differences {
  std::uint64_t count = 0, first = 0;
  bool first_in_use = false;
  void add(std::uint64_t what, bool in_use) {
    if (count++ > 0) return;
    first = what;
    first_in_use = in_use;
  }
  void tell(ExtVolume& volume, Place place, const std::string& name, const std::string& unit) const {
    if (count == 0) return;
    volume.teller.corrupt("bitmaps that differ from what is in use", place,
                          name + " differs from what is in use in " + std::to_string(count) + " places, first at " +
                              unit + " " + std::to_string(first) +
                              (first_in_use ? " (in use, marked free)" : " (not in use, marked used)"));
  }
};

class BitmapCheck {
 public:
  explicit BitmapCheck(ExtVolume& volume) : volume_(volume), super_(volume.super) {}

  void run() {
    for (std::uint32_t group = 0; group < super_.groups; ++group) {
      blocks(group);
      inodes(group);
    }
    // Kept up only when the file system is unmounted.
    if (!super_.recover) totals();
  }

 private:
  std::string name(std::uint32_t group) const { return "group " + std::to_string(group) + "'s "; }

  // Reads a bitmap and checks its checksum..
  bool read(std::uint32_t number, std::uint64_t block, std::uint64_t bits, std::uint32_t checksum,
            const std::string& what) {
    if (block == 0 || !volume_.read_block(block, buffer_)) return false;
    const Place place = volume_.block_place(block);
    if (super_.has_checksums()) {
      const std::uint32_t mask = super_.descriptor_size >= 64 ? 0xFFFFFFFF : 0xFFFF;
      const std::uint64_t bytes = std::min<std::uint64_t>(bits / 8, buffer_.size());
      if ((base::crc32c(super_.checksum_seed, Bytes(buffer_).first(bytes)) & mask) != checksum)
        volume_.teller.corrupt("wrong checksums of bitmaps", place,
                               name(number) + what + ": its checksum doesn't hold");
    }
    return true;
  }

  void padding(std::uint32_t number, std::uint64_t block, std::uint64_t bits, const std::string& what) {
    for (std::uint64_t bit = bits; bit < buffer_.size() * 8; ++bit)
      if (!bit_of(buffer_, bit)) {
        volume_.teller.corrupt("bitmaps whose end isn't filled", volume_.block_place(block),
                               name(number) + what + ": its end isn't filled with ones");
        return;
      }
  }

  void blocks(std::uint32_t number) {
    const Group& group = volume_.groups[number];
    const bool unwritten = super_.groups_have_checksums() && (group.flags & layout::group_blocks_uninitialised) != 0;
    if (!unwritten &&
        !read(number, group.block_bitmap, super_.clusters_per_group, group.block_bitmap_checksum, "block bitmap"))
      return;
    const std::uint64_t first = std::uint64_t{number} * super_.clusters_per_group;
    const std::uint64_t count = std::min<std::uint64_t>(super_.clusters_per_group, volume_.used.size() - first);
    Differences differences;
    std::uint64_t in_use = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const bool used = volume_.used.test(first + i);
      const bool marked = unwritten ? volume_.metadata.test(first + i) : bit_of(buffer_, i);
      if (used) ++in_use;
      if (used != marked) differences.add(super_.first_data_block + (first + i) * super_.cluster_ratio, used);
    }
    differences.tell(volume_, unwritten ? group.place : volume_.block_place(group.block_bitmap),
                     name(number) + "block bitmap", "block");
    if (!unwritten) padding(number, group.block_bitmap, count, "block bitmap");
    free_blocks_ += count - in_use;
    compare(number, "free blocks", group.free_blocks, count - in_use);
  }

  void inodes(std::uint32_t number) {
    const Group& group = volume_.groups[number];
    const bool unwritten = super_.groups_have_checksums() && (group.flags & layout::group_inodes_uninitialised) != 0;
    if (!unwritten &&
        !read(number, group.inode_bitmap, super_.inodes_per_group, group.inode_bitmap_checksum, "inode bitmap"))
      return;
    Differences differences;
    std::uint32_t in_use = 0, directories = 0;
    for (std::uint32_t i = 0; i < super_.inodes_per_group; ++i) {
      const std::uint32_t inode = number * super_.inodes_per_group + i + 1;
      const bool used = volume_.kinds[inode] != not_in_use;
      const bool marked = !unwritten && bit_of(buffer_, i);
      if (used) ++in_use;
      if (volume_.kinds[inode] == directory) ++directories;
      if (used != marked) differences.add(inode, used);
    }
    differences.tell(volume_, unwritten ? group.place : volume_.block_place(group.inode_bitmap),
                     name(number) + "inode bitmap", "inode");
    if (!unwritten) padding(number, group.inode_bitmap, super_.inodes_per_group, "inode bitmap");
    free_inodes_ += super_.inodes_per_group - in_use;
    compare(number, "free inodes", group.free_inodes, super_.inodes_per_group - in_use);
    compare(number, "directories", group.directories, directories);
  }

  void compare(std::uint32_t group, const std::string& what, std::uint64_t says, std::uint64_t found) {
    if (says != found)
      volume_.teller.corrupt("wrong counts in group descriptors", volume_.groups[group].place,
                             "group " + std::to_string(group) + ": its count of " + what + " is " +
                                 std::to_string(says) + ", found " + std::to_string(found));
  }

  void totals() {
    const auto total = [this](const std::string& what, std::uint64_t says, std::uint64_t found) {
      if (says != found)
        volume_.teller.corrupt(
            "wrong counts in the superblock", {layout::super_offset, layout::super_size},
            "superblock: its count of " + what + " is " + std::to_string(says) + ", found " + std::to_string(found));
    };
    total("free blocks", super_.free_blocks, free_blocks_ * super_.cluster_ratio);
    total("free inodes", super_.free_inodes, free_inodes_);
  }

  ExtVolume& volume_;
  const Superblock& super_;
  std::vector<std::byte> buffer_;
  std::uint64_t free_blocks_ = 0, free_inodes_ = 0;
};

}  // namespace

void check_bitmaps(ExtVolume& volume) { BitmapCheck(volume).run(); }

}  // namespace exhibit::filesystem::consistency
