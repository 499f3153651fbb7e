#include "image/formats/vhdx/header.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "base/text.h"
#include "image/formats/vhdx/log.h"

namespace exhibit::image::vhdx {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kib = 1024, mib = kib * kib;
// Headers, 2.2.2: two, of which the one with the higher number counts.
constexpr std::array header_places = {64 * kib, 128 * kib};
constexpr std::size_t header_size = 4096, sum_at = 4, sequence_at = 8, write_identity_at = 32, log_identity_at = 48,
                      version_at = 66, log_length_at = 68, log_offset_at = 72, identity_size = 16;
// Region tables, 2.2.3: two copies.
constexpr std::array region_places = {192 * kib, 256 * kib};
constexpr std::size_t region_table_size = 64 * kib, region_count_at = 8, region_entries_at = 16, region_entry_size = 32;
constexpr std::uint64_t most_regions = 2047;
constexpr auto table_region = "\x66\x77\xc2\x2d\x23\xf6\x00\x42\x9d\x64\x11\x5e\x9b\xfd\x4a\x08"sv;
constexpr auto metadata_region = "\x06\xa2\x7c\x8b\x90\x47\x9a\x4b\xb8\xfe\x57\x5f\x05\x0f\x88\x6e"sv;
// Metadata, 2.6.
constexpr std::size_t metadata_table_size = 64 * kib, metadata_count_at = 10, metadata_entries_at = 32,
                      metadata_entry_size = 32;
constexpr auto file_parameters = "\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b"sv;
constexpr auto disk_size = "\x24\x42\xa5\x2f\x1b\xcd\x76\x48\xb2\x11\x5d\xbe\xd8\x3b\xf4\xb8"sv;
constexpr auto logical_sector = "\x1d\xbf\x41\x81\x6f\xa9\x09\x47\xba\x47\xf2\x33\xa8\xfa\xab\x5f"sv;
constexpr auto parent_locator = "\x2d\x5f\xd3\xa8\x0b\xb3\x4d\x45\xab\xf7\xd3\xd8\x48\x34\xab\x0c"sv;
constexpr std::uint64_t most_size = std::uint64_t{64} << 40;  // 2.6.2.2: 64 TB
constexpr std::size_t longest_locator = std::size_t{1} << 20;

// A GUID as text, as the parent's locator spells it: {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}.
std::string guid_text(std::string_view bytes) {
  constexpr std::array order = {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
  constexpr auto digits = "0123456789abcdef"sv;
  std::string text = "{";
  for (const int at : order) {
    if (at < 0) {
      text += '-';
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(at)]);
    text += {digits[byte >> 4], digits[byte & 15]};
  }
  return text + "}";
}

Result<std::string> current_header(const ContainerFile& file) {
  std::string best;
  for (const std::uint64_t place : header_places) {
    const std::string bytes = file.some(place, header_size);
    if (!bytes.starts_with("head"sv) || bytes.size() != header_size) continue;
    if (checksum_of(bytes, sum_at) != little(bytes, sum_at, 4)) continue;
    if (best.empty() || little(bytes, sequence_at, 8) > little(best, sequence_at, 8)) best = bytes;
  }
  if (best.empty()) return file.corrupt(header_places[0], "neither of the VHDX's two headers is sound");
  if (little(best, version_at, 2) != 1) return file.unsupported("is a VHDX of an unknown version");
  return best;
}

struct Region {
  std::uint64_t offset = 0, length = 0;
};

Result<std::pair<Region, Region>> read_regions(const ContainerFile& file) {
  for (const std::uint64_t place : region_places) {
    const std::string bytes = file.some(place, region_table_size);
    if (!bytes.starts_with("regi"sv) || bytes.size() != region_table_size) continue;
    if (checksum_of(bytes, sum_at) != little(bytes, sum_at, 4)) continue;
    std::optional<Region> table, metadata;
    const std::uint64_t count = std::min(little(bytes, region_count_at, 4), most_regions);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::size_t at = region_entries_at + static_cast<std::size_t>(i) * region_entry_size;
      const auto identity = std::string_view(bytes).substr(at, identity_size);
      const Region region{little(bytes, at + 16, 8), little(bytes, at + 24, 4)};
      const bool required = (little(bytes, at + 28, 4) & 1) != 0;
      if (identity == table_region) table = region;
      if (identity == metadata_region) metadata = region;
      if (required && identity != table_region && identity != metadata_region)
        return file.unsupported("is a VHDX with a required region that this version doesn't know");
    }
    if (table && metadata) return std::pair(*table, *metadata);
  }
  return file.corrupt(region_places[0], "neither of the VHDX's two region tables is sound");
}

// Pairs of UTF-16 texts, 2.6.2.6.
Result<void> read_locator(const ContainerFile& file, std::string_view bytes, Disk& disk) {
  constexpr std::size_t count_at = 18, entries_at = 20, entry_size = 12;
  std::map<std::string, std::string> values;
  const std::uint64_t count = little(bytes, count_at, 2);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t at = entries_at + static_cast<std::size_t>(i) * entry_size;
    const auto key = little(bytes, at, 4), value = little(bytes, at + 4, 4), key_length = little(bytes, at + 8, 2),
               value_length = little(bytes, at + 10, 2);
    if (!base::within(at, entry_size, bytes.size()) || !base::within(key, key_length, bytes.size()) ||
        !base::within(value, value_length, bytes.size()))
      return file.corrupt(0, "the VHDX's word for its parent reaches past its end");
    values[base::from_utf16le(bytes.substr(static_cast<std::size_t>(key), static_cast<std::size_t>(key_length)))] =
        base::from_utf16le(bytes.substr(static_cast<std::size_t>(value), static_cast<std::size_t>(value_length)));
  }
  disk.parent_identity = values["parent_linkage"];
  for (char& c : disk.parent_identity) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  for (const char* key : {"relative_path", "absolute_win32_path", "volume_path"})
    if (disk.parent_path.empty()) disk.parent_path = values[key];
  return {};
}

Result<void> read_metadata(const ContainerFile& file, const Region& region, Disk& disk) {
  const std::string table = EXHIBIT_TRY(file.exactly(region.offset, metadata_table_size));
  if (!table.starts_with("metadata"sv)) return file.corrupt(region.offset, "the VHDX's metadata don't begin as such");
  const auto item = [&](std::string_view identity, std::size_t most) -> Result<std::string> {
    const std::uint64_t count = std::min(little(table, metadata_count_at, 2), most_regions);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::size_t at = metadata_entries_at + static_cast<std::size_t>(i) * metadata_entry_size;
      if (std::string_view(table).substr(at, identity_size) != identity) continue;
      const std::uint64_t offset = little(table, at + 16, 4), length = little(table, at + 20, 4);
      if (!base::within(offset, length, region.length)) break;
      return file.exactly(region.offset + offset, static_cast<std::size_t>(std::min<std::uint64_t>(length, most)));
    }
    return file.corrupt(region.offset, "the VHDX's metadata lack an item that every VHDX has");
  };
  const std::string parameters = EXHIBIT_TRY(item(file_parameters, 8));
  disk.block_size = little(parameters, 0, 4);
  disk.has_parent = (little(parameters, 4, 4) & 2) != 0;
  disk.size = little(EXHIBIT_TRY(item(disk_size, 8)), 0, 8);
  disk.sector_size = little(EXHIBIT_TRY(item(logical_sector, 4)), 0, 4);
  if (disk.has_parent) EXHIBIT_TRY(read_locator(file, EXHIBIT_TRY(item(parent_locator, longest_locator)), disk));
  return {};
}

Result<void> check(const ContainerFile& file, const Region& table, Disk& disk) {
  const bool block_fits =
      disk.block_size >= mib && disk.block_size <= 256 * mib && (disk.block_size & (disk.block_size - 1)) == 0;
  if (!block_fits || (disk.sector_size != 512 && disk.sector_size != 4096) || disk.size == 0 || disk.size > most_size)
    return file.corrupt(table.offset, "the VHDX's metadata have values that make no sense");
  disk.table = table.offset;
  disk.table_size = table.length;
  if (!base::within(table.offset, table.length, file.size()))
    return file.corrupt(table.offset, "the VHDX's block table reaches past the file's end at " +
                                          std::to_string(file.size()) + "; the file is truncated");
  return {};
}

}  // namespace

bool is_mine(const ContainerFile& file) { return file.some(0, 8) == "vhdxfile"sv; }

Result<Disk> read_disk(ContainerFile file) {
  if (!is_mine(file)) return file.corrupt(0, "is named as a VHDX, but doesn't begin as one");
  const std::string header = EXHIBIT_TRY(current_header(file));
  Disk disk;
  disk.write_identity = guid_text(std::string_view(header).substr(write_identity_at, identity_size));
  const Log log{header.substr(log_identity_at, identity_size), little(header, log_offset_at, 8),
                little(header, log_length_at, 4)};
  if (log.identity != std::string(identity_size, '\0')) {
    disk.patches = std::make_shared<const Patches>(EXHIBIT_TRY(read_log(file, log)));
    file.patch(disk.patches);
  }
  const auto [table, metadata] = EXHIBIT_TRY(read_regions(file));
  EXHIBIT_TRY(read_metadata(file, metadata, disk));
  EXHIBIT_TRY(check(file, table, disk));
  return disk;
}

}  // namespace exhibit::image::vhdx
