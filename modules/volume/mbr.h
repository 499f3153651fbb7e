#pragma once
// What libtsk doesn't say of an MBR: whether it is one, or a boot sector, and what it left out of the chain of
// extended tables (it stops at a damaged or looping one in silence).

#include "volume/table.h"

namespace exhibit::volume {

// An MBR with at least one partition that can be believed, on a medium of `media_size` bytes.
bool is_mbr(std::string_view first_sector, std::uint64_t media_size);
// The boot sector of FAT, exFAT, NTFS or BitLocker, which has the same last two bytes as an MBR.
bool is_boot_sector(std::string_view first_sector);
// One whose partition of type 0xEE keeps old tools off a GPT.
bool is_protective(std::string_view first_sector);

// Compares what libtsk lists with each table it has read, sector by sector, and tells what is missing.
void check_mbr(ByteSource& media, std::uint32_t sector_size, const Table& table, const Complaint& complain);

}  // namespace exhibit::volume
