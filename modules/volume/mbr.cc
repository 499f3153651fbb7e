#include "volume/mbr.h"

#include <algorithm>
#include <array>
#include <set>

#include "volume/bytes.h"

namespace exhibit::volume {
namespace {

constexpr std::size_t sector = 512, table_at = 446, entry_size = 16;
constexpr unsigned protective_type = 0xee;

struct MbrEntry {
  unsigned flag = 0, type = 0;
  std::uint64_t start = 0, count = 0;  // sectors
  bool used() const { return type != 0 && count != 0; }
  bool extended() const { return type == 0x05 || type == 0x0f || type == 0x85; }
};

std::array<MbrEntry, 4> entries_of(std::string_view bytes) {
  std::array<MbrEntry, 4> entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string_view raw = bytes.substr(table_at + i * entry_size, entry_size);
    entries[i] = {static_cast<unsigned char>(raw[0]), static_cast<unsigned char>(raw[4]), little(raw, 8, 4),
                  little(raw, 12, 4)};
  }
  return entries;
}

bool has_signature(std::string_view bytes) { return bytes.size() >= sector && little(bytes, 510, 2) == 0xaa55; }

// The BIOS parameter block (FAT: Microsoft's "FAT: General Overview of On-Disk Format", section 3.1).
bool has_fat_parameters(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const std::uint64_t sector_bytes = little(bytes, 11, 2), cluster = little(bytes, 13, 1),
                      tables = little(bytes, 16, 1);
  const auto power_of_two = [](std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; };
  return (first == 0xeb || first == 0xe9) && sector_bytes >= 512 && sector_bytes <= 4096 &&
         power_of_two(sector_bytes) && power_of_two(cluster) && little(bytes, 14, 2) != 0 &&
         (tables == 1 || tables == 2) && little(bytes, 21, 1) >= 0xf0;
}

}  // namespace

bool is_boot_sector(std::string_view bytes) {
  if (!has_signature(bytes)) return false;
  const std::string_view maker = bytes.substr(3, 8);
  return maker == "NTFS    " || maker == "EXFAT   " || maker == "-FVE-FS-" || has_fat_parameters(bytes);
}

// Boot code that runs on into the table looks like entries too; one that lies within the medium is seldom chance.
bool is_mbr(std::string_view first_sector, std::uint64_t media_size) {
  if (!has_signature(first_sector)) return false;
  const auto entries = entries_of(first_sector);
  const auto flag_is_sane = [](const MbrEntry& e) { return (e.flag & 0x7f) == 0; };
  const auto lies_within = [&](const MbrEntry& e) {
    return e.used() && flag_is_sane(e) && e.start > 0 && e.start + e.count <= media_size / sector;
  };
  const bool used =
      std::any_of(entries.begin(), entries.end(), [](const MbrEntry& e) { return e.used() && e.start > 0; });
  return (used && std::all_of(entries.begin(), entries.end(), flag_is_sane)) ||
         std::any_of(entries.begin(), entries.end(), lies_within);
}

bool is_protective(std::string_view first_sector) {
  const auto entries = entries_of(first_sector);
  return std::any_of(entries.begin(), entries.end(), [](const MbrEntry& e) { return e.type == protective_type; });
}

void check_mbr(ByteSource& media, std::uint32_t sector_size, const Table& table, const Complaint& complain) {
  std::set<std::uint64_t> read;  // where libtsk read a table
  for (const Range& range : table.tables) read.insert(range.offset);
  std::set<std::pair<std::uint64_t, std::uint64_t>> listed;
  for (const Entry& entry : table.entries) listed.emplace(entry.offset, entry.length);

  std::set<std::uint64_t> chains;  // where the MBR's extended partitions begin
  std::set<std::uint64_t> linked;
  for (const std::uint64_t at : read) {
    const std::string bytes = bytes_at(media, at, sector);
    if (!has_signature(bytes)) continue;
    // The links of a chain count from the extended partition of the MBR that it lies in.
    const auto chain = chains.upper_bound(at);
    const std::uint64_t base = at == 0 || chain == chains.begin() ? 0 : *std::prev(chain);
    for (const MbrEntry& entry : entries_of(bytes)) {
      if (!entry.used()) continue;
      const std::uint64_t length = entry.count * sector_size;
      if (!entry.extended()) {
        const std::uint64_t offset = at + entry.start * sector_size;
        if (!listed.contains({offset, length})) {
          complain(at, sector,
                   "the partition table at byte " + std::to_string(at) + " has a partition at byte " +
                       std::to_string(offset) + " of " + std::to_string(length) + " bytes that cannot be listed");
        }
        continue;
      }
      const std::uint64_t target = base + entry.start * sector_size;
      if (at == 0) chains.insert(target);
      if (!linked.insert(target).second || (at != 0 && target <= base)) {
        complain(at, sector,
                 "the extended partition tables loop: the one at byte " + std::to_string(at) + " leads back to byte " +
                     std::to_string(target));
      } else if (!read.contains(target)) {
        complain(at, sector,
                 "the extended partition table at byte " + std::to_string(target) +
                     " is damaged or past the end; what it leads to is not listed");
      }
    }
  }
}

}  // namespace exhibit::volume
