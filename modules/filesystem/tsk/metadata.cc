#include "filesystem/tsk/metadata.h"

#include <tsk/fs/tsk_iso9660.h>
#include <tsk/fs/tsk_ntfs.h>

#include <algorithm>

#include "base/checked.h"

namespace exhibit::filesystem::tsk {

namespace {

// ext4: Documentation/filesystems/ext4/, "The Super Block", "Block Group Descriptors", "Index Nodes".
constexpr std::uint64_t ext_superblock_offset = 1024;
constexpr std::size_t ext_superblock_size = 1024;
constexpr std::uint32_t ext_incompat_meta_bg = 0x10, ext_incompat_64bit = 0x80;
constexpr std::uint32_t ext_largest_log_block_size = 6;  // 64 KiB
constexpr std::size_t ext_block_map_offset = 40, ext_block_map_size = 60;

// [MS-FSA] has no layout; the names are those of the Linux NTFS documentation: FILE record header, attribute header.
constexpr std::size_t ntfs_first_attribute = 20, ntfs_attribute_id = 14, ntfs_content_offset = 20;
constexpr std::uint32_t ntfs_end_of_attributes = 0xffffffff;

constexpr std::size_t fat_entry_size = 32;
constexpr std::size_t iso_record_size = 33;  // ECMA-119 9.1, without the name

// Where the resident content of the attribute (type, id) begins in the record.
std::optional<std::size_t> ntfs_content_at(const Raw& record, std::uint32_t type, std::uint16_t id) {
  for (std::size_t at = record.le16(ntfs_first_attribute); at + 24 <= record.size();) {
    const std::uint32_t found = record.le32(at), length = record.le32(at + 4);
    if (found == ntfs_end_of_attributes || length < 24) break;
    const bool resident = record.u8(at + 8) == 0;
    if (found == type && record.le16(at + ntfs_attribute_id) == id && resident)
      return at + record.le16(at + ntfs_content_offset);
    at += length;
  }
  return std::nullopt;
}

}  // namespace

Metadata::Metadata(TSK_FS_INFO& fs, ByteSource& volume) : fs_(fs), volume_(volume) {
  if (TSK_FS_TYPE_ISISO9660(fs_.ftype) == 0) return;
  const auto& iso = reinterpret_cast<const ISO_INFO&>(fs_);
  for (const iso9660_inode_node* node = iso.in_list; node != nullptr; node = node->next)
    if (node->dentry_offset > 0) iso_records_.emplace(node->inum, static_cast<std::uint64_t>(node->dentry_offset));
}

std::optional<Metadata::Place> Metadata::place_of(TSK_INUM_T number) {
  if (fs_.ftype == TSK_FS_TYPE_NTFS) return ntfs_place(number);
  if (TSK_FS_TYPE_ISEXT(fs_.ftype) != 0) return ext_place(number);
  if (TSK_FS_TYPE_ISFAT(fs_.ftype) != 0) return fat_place(number);
  if (TSK_FS_TYPE_ISISO9660(fs_.ftype) != 0) return iso_place(number);
  return std::nullopt;
}

const Raw& Metadata::read(TSK_INUM_T number) {
  static const Raw none;
  const auto place = place_of(number);
  return place ? read_kept(structure_, place->offset, place->length) : none;
}

const Raw& Metadata::read_kept(Kept& kept, std::uint64_t offset, std::size_t length) {
  if (kept.is_sound && kept.offset == offset && kept.bytes.size() == length) return kept.bytes;
  const bool is_inside =
      kept.is_sound && offset >= kept.window_offset && offset - kept.window_offset + length <= kept.window.size();
  if (!is_inside) {
    // No more than libtsk reads at once for the same structure: so no damage is noticed for it that it wouldn't notice.
    constexpr std::uint64_t sector = 512;
    constexpr std::size_t window = 4096;
    const std::uint64_t damaged = volume_.damaged_reads();
    kept.window_offset = offset / sector * sector;
    kept.window = Raw::read(volume_, kept.window_offset, std::max(window, length + sector));
    kept.is_sound = volume_.damaged_reads() == damaged;
  }
  kept.bytes = Raw(std::string(kept.window.view(offset - kept.window_offset, length)));
  kept.offset = offset;
  return kept.bytes;
}

std::optional<Metadata::Place> Metadata::ntfs_place(TSK_INUM_T number) {
  const auto& ntfs = reinterpret_cast<const NTFS_INFO&>(fs_);
  if (!mft_) mft_ = ntfs.mft_data != nullptr ? layout_of(fs_, *ntfs.mft_data, volume_.size()) : Layout();
  const std::uint32_t record_size = ntfs.mft_rsize_b;
  const auto offset = base::checked_multiply(number, record_size);
  if (!offset) return std::nullopt;
  std::uint64_t at = 0;
  for (const Extent& extent : mft_->extents) {
    if (*offset < at + extent.length) {
      const std::uint64_t skip = *offset - at;
      if (extent.offset == sparse_run || extent.length - skip < record_size) return std::nullopt;
      return Place{static_cast<std::uint64_t>(extent.offset) + skip, record_size};
    }
    at += extent.length;
  }
  return std::nullopt;
}

std::optional<Metadata::Place> Metadata::ext_place(TSK_INUM_T number) {
  if (!ext_superblock_) ext_superblock_ = Raw::read(volume_, ext_superblock_offset, ext_superblock_size);
  const Raw& super = *ext_superblock_;
  const std::uint32_t per_group = super.le32(40), log_block_size = super.le32(24), incompat = super.le32(96);
  if (per_group == 0 || number == 0 || number > super.le32(0) || log_block_size > ext_largest_log_block_size ||
      (incompat & ext_incompat_meta_bg) != 0)
    return std::nullopt;
  const std::uint64_t block_size = std::uint64_t{1024} << log_block_size;
  const bool wide = (incompat & ext_incompat_64bit) != 0;
  const std::uint64_t descriptor_size = wide ? std::max<std::uint64_t>(super.le16(254), 32) : 32;
  const std::size_t inode_size = super.le32(76) == 0 ? 128 : super.le16(88);  // s_rev_level 0: fixed
  const std::uint64_t group = (number - 1) / per_group, index = (number - 1) % per_group;
  const Raw& descriptor = read_kept(ext_descriptor_, (super.le32(20) + 1) * block_size + group * descriptor_size, 64);
  std::uint64_t table = descriptor.le32(8);
  if (wide && descriptor_size >= 64) table |= static_cast<std::uint64_t>(descriptor.le32(40)) << 32;
  const auto start = base::checked_multiply(table, block_size);
  if (table == 0 || !start || !base::within(*start, (index + 1) * inode_size, volume_.size())) return std::nullopt;
  return Place{*start + index * inode_size, inode_size};
}

const FatLayout& Metadata::fat() {
  if (!fat_) fat_ = fat_layout(fs_, volume_);
  return *fat_;
}

// libtsk numbers the places that directory entries can have, from the first data sector on; behind them come its own
// files: the boot sector, each table, the orphans' folder.
std::optional<Metadata::Place> Metadata::fat_place(TSK_INUM_T number) {
  constexpr TSK_INUM_T first_number = 3;
  const FatLayout& layout = fat();
  const std::uint64_t entries = layout.sector_size / fat_entry_size;
  if (entries == 0 || number < first_number || number + layout.tables + 2 > fs_.last_inum) return std::nullopt;
  const std::uint64_t sector = (number - first_number) / entries + layout.first_data_sector;
  return Place{sector * layout.sector_size + (number - first_number) % entries * fat_entry_size, fat_entry_size};
}

std::optional<Metadata::Place> Metadata::iso_place(TSK_INUM_T number) {
  const auto found = iso_records_.find(number);
  if (found == iso_records_.end()) return std::nullopt;
  return Place{found->second, iso_record_size};
}

std::optional<std::vector<Extent>> Metadata::resident_extents(TSK_FS_FILE& file, const TSK_FS_ATTR* attribute,
                                                              std::string_view content) {
  if (content.empty() || file.meta == nullptr) return std::nullopt;
  const auto place = place_of(file.meta->addr);
  if (!place) return std::nullopt;
  const Raw& bytes = read_kept(structure_, place->offset, place->length);
  std::optional<std::size_t> at;
  if (fs_.ftype == TSK_FS_TYPE_NTFS) {
    if (attribute != nullptr) at = ntfs_content_at(bytes, attribute->type, attribute->id);
  } else if (TSK_FS_TYPE_ISEXT(fs_.ftype) != 0 && content.size() <= ext_block_map_size) {
    at = ext_block_map_offset;
  }
  // NTFS puts update sequence numbers in place of the last bytes of each sector: where they fall into the content,
  // plain reads differ from it.
  if (!at || !bytes.has(*at, content)) return std::nullopt;
  return std::vector<Extent>{{static_cast<std::int64_t>(place->offset + *at), content.size()}};
}

}  // namespace exhibit::filesystem::tsk
