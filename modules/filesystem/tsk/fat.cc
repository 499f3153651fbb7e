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

}  // namespace

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
