#pragma once
// The layout of FAT and exFAT volumes, which libtsk keeps to itself.

#include <exhibit/byte_source.h>

#include <optional>

#include "filesystem/tsk/handles.h"
#include "filesystem/tsk/raw.h"

namespace exhibit::filesystem::tsk {

struct FatLayout {
  Raw boot;                             // the boot sector in use: the backup where the first is destroyed
  std::uint64_t sector_size = 0;        // bytes
  std::uint64_t cluster_size = 0;       // bytes
  std::uint64_t first_data_sector = 0;  // behind the file allocation tables; exFAT: the cluster heap
  std::uint64_t tables = 0;             // file allocation tables
  std::uint64_t first_table_sector = 0;
  std::uint64_t table_sectors = 0;  // of each
};

FatLayout fat_layout(const TSK_FS_INFO& fs, ByteSource& volume);

// The 8.3 name of a FAT directory entry in the volume's own code page; a deleted one begins with '_', as libtsk has it.
std::string fat_short_name(const Raw& entry);

// Why the chain of clusters of the folder whose directory entry this is (the root: none) doesn't end as a chain does;
// nullptr where it does. Of FAT12, FAT16 and FAT32. libtsk lists what it finds until then, without a word.
const char* fat_folder_fault(const TSK_FS_INFO& fs, const FatLayout& layout, ByteSource& volume, const Raw* entry);

// Where libtsk's own file ($MBR, $FAT1, $FAT2) with this number lies; of exFAT's it doesn't find the tables by itself.
std::optional<std::uint64_t> fat_virtual_file(const TSK_FS_INFO& fs, const FatLayout& layout, TSK_INUM_T number);

}  // namespace exhibit::filesystem::tsk
