#include "filesystem/tsk/fat.h"

namespace exhibit::filesystem::tsk {

namespace {

// libtsk, too, looks at the backups in sectors 6 and 12 where the signature is missing.
Raw boot_sector(ByteSource& volume) {
  constexpr std::uint16_t signature = 0xaa55;
  for (const std::uint64_t sector : {0, 6, 12}) {
    Raw boot = Raw::read(volume, sector * 512, 512);
    if (boot.le16(510) == signature) return boot;
  }
  return Raw::read(volume, 0, 512);
}

// The marks of FAT entries (FAT specification, "FAT Data Structure"), as FAT32 has them; those of FAT12 and FAT16 are
// the same with fewer leading digits.
constexpr std::uint32_t first_cluster = 2, bad_cluster = 0x0ffffff7, end_of_chain = 0x0ffffff8;

// What stands in the first table for a cluster.
std::uint32_t fat_entry(const TSK_FS_INFO& fs, const FatLayout& layout, ByteSource& volume, std::uint32_t cluster) {
  const std::uint64_t table = layout.first_table_sector * layout.sector_size;
  if (fs.ftype == TSK_FS_TYPE_FAT12) {
    const std::uint16_t pair = Raw::read(volume, table + cluster + cluster / 2, 2).le16(0);
    const std::uint32_t value = cluster % 2 != 0 ? pair >> 4 : pair & 0xfffU;
    return value >= (bad_cluster & 0xfff) ? value | (end_of_chain & ~0xfffU) : value;
  }
  if (fs.ftype == TSK_FS_TYPE_FAT16) {
    const std::uint32_t value = Raw::read(volume, table + std::uint64_t{cluster} * 2, 2).le16(0);
    return value >= (bad_cluster & 0xffff) ? value | (end_of_chain & ~0xffffU) : value;
  }
  return Raw::read(volume, table + std::uint64_t{cluster} * 4, 4).le32(0) & 0x0fffffff;
}

std::uint64_t last_cluster(const FatLayout& layout) {
  const Raw& boot = layout.boot;
  const std::uint64_t sectors = boot.le16(19) != 0 ? boot.le16(19) : boot.le32(32);
  constexpr std::uint64_t entry_size = 32;
  const std::uint64_t root = (boot.le16(17) * entry_size + layout.sector_size - 1) / layout.sector_size;
  const std::uint64_t data = layout.first_data_sector + root, per_cluster = boot.u8(13);
  return sectors > data && per_cluster != 0 ? (sectors - data) / per_cluster + 1 : 0;
}

}  // namespace

const char* fat_folder_fault(const TSK_FS_INFO& fs, const FatLayout& layout, ByteSource& volume, const Raw* entry) {
  constexpr std::uint64_t largest_folder = std::uint64_t{2} << 20;  // 65,536 entries
  const bool is_wide = fs.ftype == TSK_FS_TYPE_FAT32;
  if (entry == nullptr && !is_wide) return nullptr;  // it lies behind the tables
  std::uint32_t cluster = entry == nullptr ? layout.boot.le32(44) : entry->le16(26);
  if (entry != nullptr && is_wide) cluster |= std::uint32_t{entry->le16(20)} << 16;
  const std::uint64_t last = last_cluster(layout);
  for (std::uint64_t read = 0; read <= largest_folder; read += layout.cluster_size) {
    if (cluster < first_cluster || cluster > last) return "its chain of clusters leads out of the volume";
    const std::uint32_t next = fat_entry(fs, layout, volume, cluster);
    if (next >= end_of_chain) return nullptr;
    if (next == 0) return "its chain of clusters ends at one that is marked as free";
    cluster = next;
  }
  return "its chain of clusters is longer than a folder can be, or comes back to itself";
}

FatLayout fat_layout(const TSK_FS_INFO& fs, ByteSource& volume) {
  FatLayout layout;
  layout.boot = boot_sector(volume);
  const Raw& boot = layout.boot;
  layout.sector_size = fs.block_size;
  if (fs.ftype == TSK_FS_TYPE_EXFAT) {  // exFAT specification, 3.1
    layout.tables = boot.u8(110);
    layout.first_table_sector = boot.le32(80);
    layout.table_sectors = boot.le32(84);
    layout.first_data_sector = boot.le32(88);
    layout.cluster_size = boot.u8(109) < 32 ? layout.sector_size << boot.u8(109) : layout.sector_size;
    return layout;
  }
  // FAT specification, "Boot Sector and BPB"
  layout.tables = boot.u8(16);
  layout.table_sectors = boot.le16(22) != 0 ? boot.le16(22) : boot.le32(36);
  layout.first_table_sector = boot.le16(14);
  layout.first_data_sector = layout.first_table_sector + layout.tables * layout.table_sectors;
  layout.cluster_size = boot.u8(13) * layout.sector_size;
  return layout;
}

std::string fat_short_name(const Raw& entry) {
  constexpr std::uint8_t base_in_lower_case = 0x08, extension_in_lower_case = 0x10;  // as Windows NT writes them
  const auto part = [&](std::size_t offset, std::size_t length, bool lower) {
    std::string text(entry.view(offset, length));
    text.resize(text.find_last_not_of(' ') + 1);
    for (char& c : text)
      if (lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
  };
  std::string name = part(0, 8, (entry.u8(12) & base_in_lower_case) != 0);
  if (!name.empty() && name[0] == '\xe5') name[0] = '_';     // deleted
  if (!name.empty() && name[0] == '\x05') name[0] = '\xe5';  // what 0xe5 is written as, since it means deleted
  const std::string extension = part(8, 3, (entry.u8(12) & extension_in_lower_case) != 0);
  return extension.empty() ? name : name + "." + extension;
}

std::optional<std::uint64_t> fat_virtual_file(const TSK_FS_INFO& fs, const FatLayout& layout, TSK_INUM_T number) {
  // The last numbers are the boot sector's, each table's, and the orphans' folder's.
  const TSK_INUM_T boot = fs.last_inum - layout.tables - 1;
  if (number < boot || number >= fs.last_inum) return std::nullopt;
  if (number == boot) return 0;
  return (layout.first_table_sector + (number - boot - 1) * layout.table_sectors) * layout.sector_size;
}

}  // namespace exhibit::filesystem::tsk
