#include "carve/compound_file.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace exhibit::carve {
namespace {

constexpr std::string_view magic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
constexpr std::size_t entry_size = 128, longest_name = 64;  // bytes (2.6.1)
constexpr std::uint32_t mini_sector = 64;                   // bytes
constexpr std::size_t fat_in_header = 109;                  // sectors (2.2)
constexpr std::uint32_t most_sectors = 1 << 23;             // 4 GiB of 512 bytes

std::uint32_t le32(ByteSpan bytes, std::size_t at) {
  return bytes[at] | std::uint32_t{bytes[at + 1]} << 8 | std::uint32_t{bytes[at + 2]} << 16 |
         std::uint32_t{bytes[at + 3]} << 24;
}

bool is_link(std::uint32_t value) { return value < most_sectors || value >= CompoundFile::difat_sector; }

bool is_entry(ByteSpan entry) {
  const unsigned name = entry[64] | entry[65] << 8;
  const unsigned type = entry[66], colour = entry[67];
  if (type == 0) {
    return name == 0 || name <= longest_name;
  }
  if ((type != 1 && type != 2 && type != 5) || colour > 1 || name < 2 || name > longest_name || name % 2 != 0) {
    return false;
  }
  // PowerPoint for the Macintosh names the root with one big-endian letter and no end.
  if (type != 5 && (entry[name - 2] != 0 || entry[name - 1] != 0)) return false;
  const auto is_id = [](std::uint32_t id) { return id < most_sectors || id == 0xffffffff; };
  return is_id(le32(entry, 68)) && is_id(le32(entry, 72)) && is_id(le32(entry, 76));
}

CompoundFile::Entry parse_entry(ByteSpan bytes) {
  CompoundFile::Entry entry;
  entry.type = bytes[66];
  const std::size_t name = std::min<std::size_t>(bytes[64] | bytes[65] << 8, longest_name);
  for (std::size_t i = 0; i + 2 < name; i += 2) entry.name.push_back(static_cast<char>(bytes[i]));
  entry.left = le32(bytes, 68);
  entry.right = le32(bytes, 72);
  entry.child = le32(bytes, 76);
  entry.first = le32(bytes, 116);
  entry.size = le32(bytes, 120);
  entry.class_id.assign(reinterpret_cast<const char*>(bytes.data()) + 80, 16);
  return entry;
}

}  // namespace

bool is_fat_sector(ByteSpan sector) {
  std::size_t zeros = 0;
  for (std::size_t at = 0; at + 4 <= sector.size(); at += 4) {
    const std::uint32_t value = le32(sector, at);
    if (!is_link(value)) return false;
    zeros += value == 0 ? 1 : 0;
  }
  return zeros <= 1;  // a sector follows one other at most
}

bool is_directory_sector(ByteSpan sector) {
  for (std::size_t at = 0; at + entry_size <= sector.size(); at += entry_size) {
    if (!is_entry(sector.subspan(at, entry_size))) return false;
  }
  return true;
}

std::optional<CompoundFile::Header> CompoundFile::read_header(const Content& content) {
  Reader reader(content);
  if (!reader.take(magic)) return std::nullopt;
  reader.skip(16 + 2);
  const unsigned version = reader.le16(), order = reader.le16(), shift = reader.le16(), mini_shift = reader.le16();
  reader.skip(6 + 4);
  Header header;
  header.fat_sectors = reader.le32();
  header.first_directory = reader.le32();
  reader.skip(4);
  header.cutoff = reader.le32();
  header.first_mini_fat = reader.le32();
  header.mini_fat_sectors = reader.le32();
  header.first_difat = reader.le32();
  header.difat_sectors = reader.le32();
  for (std::size_t i = 0; i < fat_in_header; ++i) header.fat.push_back(reader.le32());
  const bool is_known = (version == 3 && shift == 9) || (version == 4 && shift == 12);
  if (!reader.ok() || !is_known || order != 0xfffe || mini_shift != 6 || header.cutoff != 4096) return std::nullopt;
  header.sector_size = 1u << shift;
  const bool is_small = header.fat_sectors > 0 && header.fat_sectors <= most_sectors / (header.sector_size / 4) + 1 &&
                        header.first_directory < most_sectors && header.difat_sectors <= header.fat_sectors;
  if (!is_small) return std::nullopt;
  return header;
}

CompoundFile::CompoundFile(const Content& content, Header header, std::uint64_t missing)
    : content_(content), header_(std::move(header)), missing_(missing) {}

bool CompoundFile::is_there(std::uint32_t sector) const {
  if (sector >= most_sectors) return false;
  const std::uint64_t begin = (std::uint64_t{sector} + 1) * header_.sector_size;
  return begin >= missing_ && begin - missing_ + header_.sector_size <= content_.size();
}

bool CompoundFile::mark(std::uint32_t sector, bool is_sound) {
  if (sector < most_sectors && (std::uint64_t{sector} + 1) * header_.sector_size >= missing_) {
    marks_.push_back({offset_of(sector), is_sound});
  }
  return is_sound;
}

bool CompoundFile::read_tables() {
  std::vector<std::uint32_t> sectors;
  bool holds = read_difat(sectors);
  holds = read_fat(sectors) && holds;
  holds = read_directory() && holds;
  holds = read_mini_fat() && holds;
  return holds;
}

// Which sectors hold the FAT (2.5).
bool CompoundFile::read_difat(std::vector<std::uint32_t>& sectors) {
  for (std::size_t i = 0; i < std::min<std::size_t>(header_.fat.size(), header_.fat_sectors); ++i) {
    sectors.push_back(header_.fat[i]);
  }
  std::uint32_t sector = header_.first_difat;
  for (std::uint32_t i = 0; i < header_.difat_sectors && sectors.size() < header_.fat_sectors; ++i) {
    const ByteSpan bytes = is_there(sector) ? content_.at(offset_of(sector), header_.sector_size) : ByteSpan{};
    if (bytes.size() < header_.sector_size) return mark(sector, false);
    bool is_sound = true;
    for (std::size_t at = 0; at + 4 < header_.sector_size && sectors.size() < header_.fat_sectors; at += 4) {
      sectors.push_back(le32(bytes, at));
      is_sound = is_sound && sectors.back() < most_sectors;
    }
    const std::uint32_t following = le32(bytes, header_.sector_size - 4);
    if (!mark(sector, is_sound && is_link(following))) return false;
    sector = following;
  }
  return sectors.size() == header_.fat_sectors;
}

bool CompoundFile::read_fat(const std::vector<std::uint32_t>& sectors) {
  const std::size_t words = header_.sector_size / 4;
  bool holds = true;
  for (const std::uint32_t sector : sectors) {
    const ByteSpan found = is_there(sector) ? content_.at(offset_of(sector), header_.sector_size) : ByteSpan{};
    const bool is_sound = found.size() >= header_.sector_size && is_fat_sector(found.first(header_.sector_size));
    for (std::size_t i = 0; i < words; ++i) fat_.push_back(is_sound ? le32(found, 4 * i) : free_sector);
    mark(sector, is_sound);
    holds = holds && is_sound;
    if (!is_there(sector) && fat_.size() > content_.size() / header_.sector_size + words) break;  // it was cut
  }
  // Each sector of the FAT says so of itself; old versions of Apache POI call it a chain's end.
  for (const std::uint32_t sector : sectors)
    holds = holds && next(sector) >= fat_sector && next(sector) <= end_of_chain;
  return holds;
}

bool CompoundFile::read_directory() {
  std::uint32_t sector = header_.first_directory;
  std::size_t left = fat_.size();
  do {
    const ByteSpan found = is_there(sector) ? content_.at(offset_of(sector), header_.sector_size) : ByteSpan{};
    const bool is_whole = found.size() >= header_.sector_size;
    const bool is_first = entries_.empty();
    const bool is_sound =
        is_whole && is_directory_sector(found.first(header_.sector_size)) && (!is_first || found[66] == 5);
    if (!mark(sector, is_sound)) return false;
    for (std::size_t at = 0; at < header_.sector_size; at += entry_size) {
      entries_.push_back(parse_entry(found.subspan(at, entry_size)));
    }
    sector = next(sector);
  } while (sector < most_sectors && left-- > 0);
  return sector == end_of_chain;
}

bool CompoundFile::read_mini_fat() {
  std::uint32_t sector = header_.first_mini_fat;
  for (std::uint32_t i = 0; i < header_.mini_fat_sectors; ++i, sector = next(sector)) {
    const ByteSpan found = is_there(sector) ? content_.at(offset_of(sector), header_.sector_size) : ByteSpan{};
    const bool is_sound = found.size() >= header_.sector_size && is_fat_sector(found.first(header_.sector_size));
    if (!mark(sector, is_sound)) return false;
    for (std::size_t at = 0; at < header_.sector_size; at += 4) mini_fat_.push_back(le32(found, at));
  }
  return true;
}

std::uint64_t CompoundFile::end() const {
  const auto last = std::find_if(fat_.rbegin(), fat_.rend(), [](std::uint32_t value) { return value != free_sector; });
  return offset_of(static_cast<std::uint32_t>(fat_.rend() - last));
}

std::vector<std::uint32_t> CompoundFile::sectors_of(const Entry& entry) const {
  std::vector<std::uint32_t> sectors;
  const std::uint64_t count = (entry.size + header_.sector_size - 1) / header_.sector_size;
  for (std::uint32_t sector = entry.first; sectors.size() < count && sector < fat_.size(); sector = next(sector)) {
    sectors.push_back(sector);
  }
  return sectors;
}

std::vector<CompoundFile::Place> CompoundFile::places_of(const Entry& entry) const {
  std::vector<Place> places;
  std::uint64_t left = entry.size;
  const auto add = [&](std::uint64_t offset, std::uint64_t most) {
    const std::uint64_t length = std::min(left, most);
    left -= length;
    const bool goes_on = !places.empty() && places.back().offset + places.back().length == offset;
    if (goes_on) {
      places.back().length += length;
    } else {
      places.push_back({offset, length});
    }
  };
  if (has_own_sectors(entry)) {
    for (const std::uint32_t sector : sectors_of(entry)) add(offset_of(sector), header_.sector_size);
    return places;
  }
  const std::vector<std::uint32_t> holders = entries_.empty() ? std::vector<std::uint32_t>() : sectors_of(entries_[0]);
  for (std::uint32_t mini = entry.first; left > 0 && mini < mini_fat_.size(); mini = mini_fat_[mini]) {
    const std::uint64_t at = std::uint64_t{mini} * mini_sector;
    if (at / header_.sector_size >= holders.size()) break;
    add(offset_of(holders[at / header_.sector_size]) + at % header_.sector_size, mini_sector);
  }
  return places;
}

// A chain of `length` sectors, each of which has no other owner; 0: as long as it is.
bool CompoundFile::own_chain(std::uint32_t first, std::uint64_t length, std::vector<bool>& owned) const {
  std::uint64_t count = 0;
  std::uint32_t sector = first;
  for (; sector < fat_.size(); sector = fat_[sector]) {
    if (owned[sector] || (length > 0 && count == length)) return false;
    owned[sector] = true;
    ++count;
  }
  return sector == end_of_chain && (length == 0 || count == length);
}

bool CompoundFile::mini_chain_holds(const Entry& entry, std::vector<bool>& owned) const {
  std::uint64_t left = (entry.size + mini_sector - 1) / mini_sector;
  std::uint32_t sector = entry.first;
  for (; left > 0 && sector < mini_fat_.size(); --left, sector = mini_fat_[sector]) {
    if (owned[sector]) return false;
    owned[sector] = true;
  }
  return left == 0 && sector == end_of_chain;
}

// Each entry that another leads to is in use, and none is led to twice (2.6.4).
bool CompoundFile::tree_holds() const {
  std::vector<bool> is_led_to(entries_.size(), false);
  for (const Entry& entry : entries_) {
    if (entry.type == 0) continue;
    for (const std::uint32_t id : {entry.left, entry.right, entry.child}) {
      if (id == none) continue;
      if (id == 0 || id >= entries_.size() || entries_[id].type == 0 || is_led_to[id]) return false;
      is_led_to[id] = true;
    }
  }
  return true;
}

bool CompoundFile::chains_hold() const {
  if (!tree_holds()) return false;
  std::vector<bool> owned(fat_.size(), false), mini_owned(mini_fat_.size(), false);
  if (!own_chain(header_.first_directory, 0, owned)) return false;
  if (header_.mini_fat_sectors > 0 && !own_chain(header_.first_mini_fat, header_.mini_fat_sectors, owned)) return false;
  for (const Entry& entry : entries_) {
    if ((entry.type != 2 && entry.type != 5) || entry.size == 0) continue;
    const std::uint64_t sectors = (entry.size + header_.sector_size - 1) / header_.sector_size;
    if (has_own_sectors(entry) ? !own_chain(entry.first, sectors, owned) : !mini_chain_holds(entry, mini_owned)) {
      return false;
    }
  }
  return true;
}

const CompoundFile::Entry* CompoundFile::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.type != 0 && entry.name == name; });
  return found != entries_.end() ? &*found : nullptr;
}

std::string CompoundFile::extension() const {
  struct Known {
    std::string_view name, extension;
  };
  static constexpr std::array known = std::to_array<Known>({
      {"WordDocument", "doc"},
      {"PowerPoint Document", "ppt"},
      {"Workbook", "xls"},
      {"Book", "xls"},
      {"__properties_version1.0", "msg"},
      {"VisioDocument", "vsd"},
      {"Quill", "pub"},
      {"DestList", "automaticDestinations-ms"},
      {"Catalog", "db"},
      {"HwpSummaryInformation", "hwp"},
  });
  // Root class identifiers (in their bytes' order): Windows Installer's packages and patches, Project's files.
  static constexpr std::array classes = std::to_array<Known>({
      {{"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 16}, "msi"},
      {{"\x86\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 16}, "msp"},
      {{"\x3a\x8f\xb7\x74\xc8\xc8\xd1\x11\xbe\x11\x00\xc0\x4f\xb6\xfa\xf1", 16}, "mpp"},
  });
  for (const Known& one : classes) {
    if (!entries_.empty() && entries_.front().class_id == one.name) return std::string(one.extension);
  }
  for (const Known& one : known) {
    if (find(one.name) != nullptr) return std::string(one.extension);
  }
  return {};
}

}  // namespace exhibit::carve
