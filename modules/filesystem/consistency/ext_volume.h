#pragma once
// What the checks of an ext file system share: its superblock, its groups, what is in use, and reading.

#include <exhibit/byte_source.h>

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "filesystem/consistency/bits.h"
#include "filesystem/consistency/ext_layout.h"
#include "filesystem/consistency/teller.h"

namespace exhibit::filesystem::consistency {

struct Superblock {
  std::uint32_t inodes = 0, inodes_per_group = 0, blocks_per_group = 0, clusters_per_group = 0, first_inode = 0;
  std::uint32_t groups = 0, first_data_block = 0, block_size = 0, cluster_ratio = 1, inode_size = 0, first_meta_bg = 0;
  std::uint32_t compat = 0, incompat = 0, ro_compat = 0, free_inodes = 0, journal = 0, checksum_seed = 0;
  std::uint32_t descriptor_size = 0, descriptor_blocks = 0, reserved_descriptor_blocks = 0;
  std::uint32_t backup_groups[2] = {0, 0};
  std::uint32_t hidden_inodes[4] = {0, 0, 0, 0};  // quota files and the orphan file: in use, in no directory
  std::uint64_t blocks = 0, free_blocks = 0, mmp_block = 0;
  std::byte uuid[16] = {};
  bool orphans_by_time = false;  // no deletion happened in the first seconds of 1970: such a "time" links orphans
  bool recover = false;          // the journal holds what the file system doesn't have yet

  bool has_checksums() const { return (ro_compat & layout::ro_metadata_checksum) != 0; }
  bool groups_have_checksums() const {
    return (ro_compat & (layout::ro_metadata_checksum | layout::ro_gdt_checksum)) != 0;
  }
  bool has(std::uint32_t incompatible_feature) const { return (incompat & incompatible_feature) != 0; }
};

struct Group {
  std::uint64_t block_bitmap = 0, inode_bitmap = 0, inode_table = 0;  // 0: out of range, told already
  std::uint32_t free_blocks = 0, free_inodes = 0, directories = 0, unused_inodes = 0;
  std::uint32_t block_bitmap_checksum = 0, inode_bitmap_checksum = 0;
  std::uint16_t flags = 0;
  Place place;  // of the descriptor
};

struct Directory {
  std::uint32_t inode = 0, parent = 0, dot_dot = 0;  // parent: whose entry names it, 0 while none does
};

// What an attribute block says and how often it is really referred to.
struct AttributeBlock {
  std::uint32_t says = 0, found = 0;
};

class ExtVolume {
 public:
  ExtVolume(ByteSource& source, Teller& to) : teller(to), source_(source) {}

  Teller& teller;  // NOLINT(cppcoreguidelines-avoid-const-or-ref-data-members)
  Superblock super;
  std::vector<Group> groups;
  Bitmap used, metadata;                      // by cluster: in use at all; by the file system's own structures
  std::vector<std::uint8_t> kinds;            // by inode number: InodeKind
  std::vector<std::uint16_t> links, entries;  // by inode number: what the inode says, what directories hold
  std::vector<Directory> directories;         // by inode number
  std::unordered_map<std::uint64_t, AttributeBlock> attribute_blocks;
  // Blocks of maps and directories yet to be read, and blocks yet to be claimed: they keep hostile tangles linear.
  std::uint64_t map_budget = 0, claim_budget = 0;

  // Takes `count` off a budget; where it is used up, tells so once and returns false.
  bool spend(std::uint64_t& budget, std::uint64_t count);

  // Whole or not at all.
  bool read(std::uint64_t offset, std::span<std::byte> buffer) const;
  // A block of the file system; tells where it can't be read.
  bool read_block(std::uint64_t block, std::vector<std::byte>& buffer) const;
  // An inode's bytes; false where its table is out of range or can't be read.
  bool read_inode(std::uint32_t inode, std::vector<std::byte>& buffer) const;

  std::uint64_t size() const { return source_.size(); }
  Place block_place(std::uint64_t block, std::uint64_t count = 1) const {
    return {block * super.block_size, count * super.block_size};
  }
  Place inode_place(std::uint32_t inode) const;
  bool in_range(std::uint64_t block, std::uint64_t count = 1) const {
    return block >= super.first_data_block && block < super.blocks && count <= super.blocks - block;
  }
  bool valid_inode(std::uint32_t inode) const { return inode >= 1 && inode <= super.inodes; }
  std::uint64_t cluster_of(std::uint64_t block) const { return (block - super.first_data_block) / super.cluster_ratio; }
  std::uint64_t first_block(std::uint32_t group) const {
    return super.first_data_block + std::uint64_t{group} * super.blocks_per_group;
  }
  // Inodes of a group that were ever written.
  std::uint32_t initialised_inodes(std::uint32_t group) const;

 private:
  ByteSource& source_;
  bool overspent_ = false;
};

// What an inode is; the first eight are also the types that directory entries give (file_type).
enum InodeKind : std::uint8_t {
  unknown = 0,
  regular = 1,
  directory = 2,
  character_device = 3,
  block_device = 4,
  fifo = 5,
  socket = 6,
  symlink = 7,
  attribute_value = 8,  // holds a large extended attribute; in no directory
  bad_mode = 9,         // in use, yet of no type
  not_in_use = 15,
};

// One inode's fields.
class Inode {
 public:
  Inode(std::uint32_t number, Bytes bytes) : number_(number), bytes_(bytes) {}
  std::uint32_t number() const { return number_; }
  Bytes bytes() const { return bytes_; }
  std::uint16_t mode() const { return u16(bytes_, 0x00); }
  std::uint64_t size() const { return u32(bytes_, 0x04) | std::uint64_t{u32(bytes_, 0x6C)} << 32; }
  std::uint32_t deletion_time() const { return u32(bytes_, 0x14); }
  std::uint16_t links() const { return u16(bytes_, 0x1A); }
  std::uint64_t sectors(const Superblock& super) const {
    const bool high = (super.ro_compat & layout::ro_huge_file) != 0;
    return u32(bytes_, 0x1C) | (high ? std::uint64_t{u16(bytes_, 0x74)} << 32 : 0);
  }
  std::uint32_t flags() const { return u32(bytes_, 0x20); }
  bool is(std::uint32_t flag) const { return (flags() & flag) != 0; }
  Bytes map() const { return bytes_.subspan(layout::inode_blocks_offset, layout::inode_blocks_size); }
  std::uint32_t generation() const { return u32(bytes_, 0x64); }
  std::uint64_t attribute_block(const Superblock& super) const {
    return u32(bytes_, 0x68) |
           (super.has(layout::incompat_64bit) ? std::uint64_t{u16(bytes_, 0x76)} << 32 : std::uint64_t{0});
  }
  std::uint16_t extra_size() const {
    return bytes_.size() > layout::small_inode ? u16(bytes_, 0x80) : std::uint16_t{0};
  }
  InodeKind kind() const;
  // What the checksums of an inode's own structures start from.
  std::uint32_t checksum_seed(const Superblock& super) const;
  std::string name() const { return "inode " + std::to_string(number_); }

 private:
  std::uint32_t number_;
  Bytes bytes_;
};

}  // namespace exhibit::filesystem::consistency
