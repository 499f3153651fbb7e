#pragma once
// Numbers of the format: Linux's fs/ext4/ext4.h and Documentation/filesystems/ext4; offsets are in bytes.

#include <cstddef>
#include <cstdint>

namespace exhibit::filesystem::consistency::layout {

// The superblock.
inline constexpr std::uint64_t super_offset = 1024;
inline constexpr std::size_t super_size = 1024;
inline constexpr std::uint16_t super_magic = 0xEF53;
inline constexpr std::size_t super_checksum = 0x3FC;
inline constexpr std::uint16_t state_errors = 2;

// Features.
inline constexpr std::uint32_t compat_imagic = 0x2, compat_has_journal = 0x4, compat_ext_attr = 0x8,
                               compat_resize_inode = 0x10, compat_dir_index = 0x20, compat_sparse_super2 = 0x200,
                               compat_orphan_file = 0x1000;
inline constexpr std::uint32_t incompat_filetype = 0x2, incompat_recover = 0x4, incompat_journal_device = 0x8,
                               incompat_meta_bg = 0x10, incompat_extents = 0x40, incompat_64bit = 0x80,
                               incompat_mmp = 0x100, incompat_flex_bg = 0x200, incompat_ea_inode = 0x400,
                               incompat_checksum_seed = 0x2000, incompat_large_dir = 0x4000,
                               incompat_inline_data = 0x8000, incompat_casefold = 0x20000, known_incompat = 0x3F7DF;
inline constexpr std::uint32_t ro_sparse_super = 0x1, ro_large_file = 0x2, ro_huge_file = 0x8, ro_gdt_checksum = 0x10,
                               ro_dir_nlink = 0x20, ro_quota = 0x100, ro_bigalloc = 0x200, ro_metadata_checksum = 0x400,
                               ro_project = 0x2000, ro_shared_blocks = 0x4000;

// Flags of a group.
inline constexpr std::uint16_t group_inodes_uninitialised = 1, group_blocks_uninitialised = 2;

// Inodes with a use of their own.
inline constexpr std::uint32_t bad_blocks_inode = 1, root_inode = 2, resize_inode = 7, journal_inode = 8;
inline constexpr std::uint32_t first_inode_of_revision_0 = 11;

// An inode.
inline constexpr std::size_t small_inode = 128;
inline constexpr std::size_t inode_blocks_offset = 0x28, inode_blocks_size = 60;
inline constexpr std::uint32_t flag_immutable = 0x10, flag_append = 0x20, flag_encrypted = 0x800, flag_index = 0x1000,
                               flag_imagic = 0x2000, flag_huge_file = 0x40000, flag_extents = 0x80000,
                               flag_verity = 0x100000, flag_ea_inode = 0x200000, flag_inline_data = 0x10000000,
                               flag_casefold = 0x40000000;
inline constexpr std::uint16_t type_mask = 0xF000, type_fifo = 0x1000, type_character = 0x2000, type_directory = 0x4000,
                               type_block = 0x6000, type_regular = 0x8000, type_symlink = 0xA000, type_socket = 0xC000;

// Block maps and extent trees.
inline constexpr unsigned direct_blocks = 12, indirect_levels = 3;
inline constexpr std::uint16_t extent_magic = 0xF30A;
inline constexpr std::uint16_t deepest_extent_tree = 5, deepest_followed = 16, longest_extent = 32768;
inline constexpr std::size_t extent_size = 12;  // of the header, an extent and an index

// Directories.
inline constexpr std::size_t entry_head = 8;
inline constexpr std::uint8_t checksum_tail_type = 0xDE;
inline constexpr std::size_t checksum_tail_size = 12;

// Extended attributes.
inline constexpr std::uint32_t attribute_magic = 0xEA020000;
inline constexpr std::size_t attribute_header = 32, attribute_entry = 16;
inline constexpr std::uint8_t attribute_index_system = 7;

// Multiple mount protection.
inline constexpr std::uint32_t mmp_magic = 0x004D4D50;
inline constexpr std::size_t mmp_checksum = 1020;

// The journal (fs/jbd2; big-endian).
inline constexpr std::uint32_t journal_magic = 0xC03B3998, journal_version_1 = 3, journal_version_2 = 4;
inline constexpr std::size_t journal_checksum = 0xFC, journal_super_size = 1024;
inline constexpr std::uint32_t journal_checksum_2 = 0x8, journal_checksum_3 = 0x10;

}  // namespace exhibit::filesystem::consistency::layout
