#include "volume/table.h"

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "base/checked.h"
#include "base/text.h"
#include "volume/bytes.h"
#include "volume/gpt.h"
#include "volume/mbr.h"
#include "volume/tsk_image.h"

namespace exhibit::volume {

std::string bytes_at(ByteSource& media, std::uint64_t offset, std::size_t length) {
  if (offset >= media.size()) return {};
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(length, media.size() - offset)), '\0');
  const auto got = media.read_at(offset, std::as_writable_bytes(std::span(bytes)));
  bytes.resize(got.ok() ? *got : 0);
  return bytes;
}

namespace {

constexpr std::size_t sector = 512;  // of the structures below, whatever the medium's sectors are

// What the first sectors say before libtsk is asked. libtsk answers 'none' where one entry of a table lies past the
// medium's end, and says nothing of it.
struct Signs {
  bool mbr = false, boot_sector = false, protective = false, bsd = false, sun = false, apm = false, iso9660 = false;
};

bool is_sun_label(std::string_view label) {
  if (label.size() < sector || big(label, 508, 2) != 0xdabe) return false;
  std::uint64_t sum = 0;  // all 16-bit words, the checksum among them, make zero
  for (std::size_t i = 0; i < sector; i += 2) sum ^= big(label, i, 2);
  return sum == 0;
}

bool is_bsd_label(std::string_view label) {
  constexpr std::uint64_t magic = 0x82564557;
  return label.size() >= sector && little(label, 0, 4) == magic && little(label, 132, 4) == magic;
}

Signs signs_of(ByteSource& media) {
  const std::string first = bytes_at(media, 0, sector), second = bytes_at(media, sector, sector);
  Signs signs;
  signs.boot_sector = is_boot_sector(first);
  signs.mbr = is_mbr(first, media.size());
  signs.protective = signs.mbr && is_protective(first);
  signs.bsd = is_bsd_label(second);
  signs.sun = is_sun_label(first) || is_sun_label(second);
  signs.apm = second.starts_with("PM");
  constexpr std::uint64_t volume_descriptors = 16ULL * 2048;  // ECMA-119, section 6.2.1
  signs.iso9660 = bytes_at(media, volume_descriptors + 1, 5) == "CD001";
  return signs;
}

// ---- GPT

constexpr std::array<std::uint32_t, 5> block_sizes = {512, 1024, 2048, 4096, 8192};

struct FoundGpt {
  Gpt gpt;
  std::uint32_t block_size = 0;
};

std::optional<FoundGpt> primary_gpt(ByteSource& media) {
  for (const std::uint32_t size : block_sizes)
    if (auto gpt = read_gpt(media, 1, size)) return FoundGpt{std::move(*gpt), size};
  return std::nullopt;
}

// In the last block, or where the first copy says that it is.
std::optional<FoundGpt> backup_gpt(ByteSource& media, const std::optional<FoundGpt>& primary) {
  for (const std::uint32_t size : block_sizes) {
    if (primary && size != primary->block_size) continue;
    if (media.size() / size < 2) continue;
    std::optional<Gpt> last = read_gpt(media, media.size() / size - 1, size);
    if (last && last->valid) return FoundGpt{std::move(*last), size};
  }
  if (!primary || primary->gpt.alternate_lba <= 1) return std::nullopt;
  auto told = read_gpt(media, primary->gpt.alternate_lba, primary->block_size);
  return told && told->valid ? std::optional(FoundGpt{std::move(*told), primary->block_size}) : std::nullopt;
}

Table gpt_table(const FoundGpt& used, const FoundGpt* other, const Complaint& complain) {
  Table table;
  table.scheme = "gpt";
  table.tables.push_back({0, used.block_size});  // the protective MBR
  table.tables.insert(table.tables.end(), used.gpt.tables.begin(), used.gpt.tables.end());
  if (other != nullptr) table.tables.insert(table.tables.end(), other->gpt.tables.begin(), other->gpt.tables.end());
  for (const GptEntry& entry : used.gpt.entries) {
    const auto offset = base::checked_multiply(entry.first_lba, used.block_size);
    const auto length = entry.last_lba >= entry.first_lba && entry.last_lba < UINT64_MAX
                            ? base::checked_multiply(entry.last_lba - entry.first_lba + 1, used.block_size)
                            : std::nullopt;
    if (!offset || !length || !base::within(*offset, *length, std::uint64_t{1} << 53)) {
      complain(used.gpt.tables.back().offset, used.gpt.tables.back().length,
               "the GPT entry " + std::to_string(entry.slot) + " has an impossible place: blocks " +
                   std::to_string(entry.first_lba) + " to " + std::to_string(entry.last_lba));
      continue;
    }
    Entry added{*offset, *length, entry.slot, std::nullopt, entry.type};
    if (!entry.name.empty()) added.label = entry.name;
    table.entries.push_back(std::move(added));
  }
  return table;
}

// A header at the medium's end that holds nothing, where every other trace of a GPT is gone.
void tell_remains(ByteSource& media, const Complaint& complain) {
  for (const std::uint32_t size : block_sizes) {
    if (media.size() < 2 * std::uint64_t{size}) continue;
    const auto last = read_gpt(media, media.size() / size - 1, size);
    if (!last) continue;
    const Range& header = last->tables.front();
    complain(header.offset, header.length,
             "what is left of a GPT's backup doesn't match its checksums; it was not used, and no other copy is there");
    return;
  }
}

// Nothing where the medium has no GPT.
std::optional<Table> find_gpt(ByteSource& media, const Signs& signs, const Complaint& complain) {
  const auto primary = primary_gpt(media);
  const auto backup = backup_gpt(media, primary);
  const bool other_table = (signs.mbr && !signs.protective) || signs.apm || signs.bsd || signs.sun;
  if (primary && other_table) {
    complain(primary->gpt.tables.front().offset, primary->block_size,
             "two partition tables: the first sector holds another one and no protective MBR; this GPT was not used");
    return std::nullopt;
  }
  if (primary && primary->gpt.valid) {
    if (!backup)
      complain(primary->gpt.tables.front().offset, primary->block_size, "the backup of the GPT is missing or damaged");
    return gpt_table(*primary, backup ? &*backup : nullptr, complain);
  }
  if (backup && (primary || !other_table)) {
    complain(0, 0,
             std::string("the primary GPT is ") + (primary ? "damaged" : "missing") + "; its backup at byte " +
                 std::to_string(backup->gpt.tables.front().offset) + " was used");
    return gpt_table(*backup, primary ? &*primary : nullptr, complain);
  }
  if (!primary) {
    if (!other_table) tell_remains(media, complain);
    return std::nullopt;
  }
  complain(primary->gpt.tables.front().offset, primary->block_size,
           "the GPT doesn't match its checksums and has no valid backup; it was used as it is");
  return gpt_table(*primary, nullptr, complain);
}

// ---- through libtsk

// The medium with zeros behind its end: libtsk refuses a table whole where one entry lies past the end.
class Prolonged final : public ByteSource {
 public:
  explicit Prolonged(ByteSource& media) : media_(media) {}
  std::uint64_t size() const override { return std::uint64_t{1} << 53; }
  std::uint64_t damaged_reads() const override { return media_.damaged_reads(); }
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return media_.doubts(offset, length);
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    std::fill(buffer.begin(), buffer.end(), std::byte{0});
    if (offset < media_.size()) EXHIBIT_TRY(media_.read_at(offset, buffer));
    return buffer.size();
  }

 private:
  ByteSource& media_;
};

struct VsClose {
  void operator()(TSK_VS_INFO* info) const { tsk_vs_close(info); }
};
using VsHandle = std::unique_ptr<TSK_VS_INFO, VsClose>;

const char* scheme_of(TSK_VS_TYPE_ENUM type) {
  switch (type) {
    case TSK_VS_TYPE_DOS:
      return "mbr";
    case TSK_VS_TYPE_BSD:
      return "bsd";
    case TSK_VS_TYPE_SUN:
      return "sun";
    case TSK_VS_TYPE_MAC:
      return "apm";
    default:
      return "none";
  }
}

// The type in libtsk's words: `DOS FAT16 (0x04)`.
std::optional<std::string> hexadecimal_type(const std::string& description) {
  const std::size_t at = description.rfind("(0x");
  if (at == std::string::npos || !description.ends_with(')')) return std::nullopt;
  std::string type = description.substr(at + 1, description.size() - at - 2);
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  return type;
}

// Entries that stand for the whole disk or for nothing: `c` of BSD (type unused), `backup` of Sun.
bool stands_for_the_whole(TSK_VS_TYPE_ENUM scheme, const TSK_VS_PART_INFO& part) {
  const auto type = hexadecimal_type(part.desc != nullptr ? part.desc : "");
  if (scheme == TSK_VS_TYPE_BSD) return type == "0x00";
  if (scheme == TSK_VS_TYPE_SUN) return type == "0x05";
  return false;
}

// The names that libtsk leaves out: Apple partition map entries are a block each, from block 1 (Inside Macintosh:
// Devices, chapter 3).
void name_apm_entries(ByteSource& media, std::uint32_t block_size, Table& table) {
  const auto text = [](std::string_view field) { return base::clean_utf8(field.substr(0, field.find('\0'))).text; };
  for (Entry& entry : table.entries) {
    if (!entry.slot) continue;
    const std::string block = bytes_at(media, (*entry.slot + 1) * block_size, sector);
    if (!block.starts_with("PM") || block.size() < sector) continue;
    const std::string name = text(std::string_view(block).substr(16, 32));
    if (!name.empty()) entry.label = name;
    entry.type = text(std::string_view(block).substr(48, 32));
  }
}

Table read_parts(const TSK_VS_INFO& info) {
  Table table;
  table.scheme = scheme_of(info.vstype);
  for (const TSK_VS_PART_INFO* part = info.part_list; part != nullptr; part = part->next) {
    const std::string description = part->desc != nullptr ? part->desc : "";
    const std::uint64_t offset = part->start * info.block_size, length = part->len * info.block_size;
    if ((part->flags & TSK_VS_PART_FLAG_META) != 0) {
      if (description.find("Table") != std::string::npos) table.tables.push_back({offset, length});
      continue;
    }
    // libtsk calls Apple_Free and the map itself unallocated; they are entries of the table all the same.
    const bool entry_of_map = info.vstype == TSK_VS_TYPE_MAC && part->slot_num >= 0;
    if ((part->flags & TSK_VS_PART_FLAG_ALLOC) == 0 && !entry_of_map) continue;
    if (stands_for_the_whole(info.vstype, *part)) {
      // An entry of length 0 is an unused one.
      if (length > 0 && !table.whole) table.whole = Range{offset, length};
      continue;
    }
    Entry entry{offset, length, std::nullopt, std::nullopt, hexadecimal_type(description)};
    // libtsk counts in signed bytes; behind 127 its numbers mean nothing.
    const bool chained = info.vstype == TSK_VS_TYPE_DOS;
    if (part->slot_num >= 0 && (part->table_num >= 0 || !chained)) {
      entry.slot =
          static_cast<std::uint64_t>(part->slot_num) + (chained ? 4 * static_cast<std::uint64_t>(part->table_num) : 0);
    }
    table.entries.push_back(std::move(entry));
  }
  return table;
}

Result<std::optional<Table>> open_with_tsk(ByteSource& source, std::uint32_t sector_size, TSK_VS_TYPE_ENUM type) {
  auto image = EXHIBIT_TRY(TskImage::create(source, sector_size));
  const VsHandle info(tsk_vs_open(image->get(), 0, type));
  tsk_error_reset();
  if (info == nullptr) return std::optional<Table>();
  Table table = read_parts(*info);
  if (table.scheme == "apm") {
    name_apm_entries(source, info->block_size, table);
    table.tables.push_back({0, info->block_size});  // the driver descriptor
  }
  return std::optional<Table>(std::move(table));
}

// What can be taken of a table that says `type` by its own marks.
Result<std::optional<Table>> read_as(ByteSource& media, std::uint32_t sector_size, TSK_VS_TYPE_ENUM type) {
  auto table = EXHIBIT_TRY(open_with_tsk(media, sector_size, type));
  if (table) return table;
  Prolonged prolonged(media);
  return open_with_tsk(prolonged, sector_size, type);
}

// A disk label on a medium that ends before the disk did.
void tell_cut(const Range& disk, std::uint64_t media_size, const char* label, const Complaint& complain) {
  const std::uint64_t end = base::checked_add(disk.offset, disk.length).value_or(UINT64_MAX);
  if (end <= media_size) return;
  complain(disk.offset, disk.length,
           std::string("the ") + label + " is of a disk that ends at byte " + std::to_string(end) +
               "; the medium ends at " + std::to_string(media_size));
}

Result<Table> find_other(ByteSource& media, std::uint32_t sector_size, const Signs& signs, const Complaint& complain) {
  // A label of BSD may stand behind an MBR's boot code, so it is asked for first, as libtsk does.
  const struct {
    bool claimed;
    TSK_VS_TYPE_ENUM type;
    const char* name;
  } claims[] = {{signs.bsd, TSK_VS_TYPE_BSD, "BSD disk label"},
                {signs.mbr, TSK_VS_TYPE_DOS, "MBR partition table"},
                {signs.apm, TSK_VS_TYPE_MAC, "Apple partition map"},
                {signs.sun, TSK_VS_TYPE_SUN, "Sun disk label"}};
  std::optional<Table> chosen;
  std::string chosen_name;
  for (const auto& claim : claims) {
    if (!claim.claimed) continue;
    if (chosen) {
      complain(0, sector,
               std::string("two partition tables: the ") + chosen_name + " was used, a " + claim.name + " was not");
      continue;
    }
    auto table = EXHIBIT_TRY(read_as(media, sector_size, claim.type));
    if (!table || (table->entries.empty() && claim.type != TSK_VS_TYPE_DOS)) {
      complain(0, sector,
               std::string("a ") + claim.name + " is there and cannot be read; its partitions are not listed");
      continue;
    }
    chosen = std::move(table);
    chosen_name = claim.name;
    if (chosen->whole) tell_cut(*chosen->whole, media.size(), claim.name, complain);
    if (claim.type == TSK_VS_TYPE_DOS) check_mbr(media, sector_size, *chosen, complain);
  }
  return chosen ? std::move(*chosen) : Table();
}

// Labels within a partition: their partitions would be a level of their own, which is not listed yet.
void tell_nested(ByteSource& media, const Table& table, const Complaint& complain) {
  for (const Entry& entry : table.entries) {
    if (entry.length < 2 * sector || entry.offset > media.size()) continue;
    const std::string label = bytes_at(media, entry.offset + sector, sector);
    if (is_bsd_label(label) || is_sun_label(label)) {
      complain(entry.offset, entry.length,
               std::string("the partition at byte ") + std::to_string(entry.offset) + " holds a " +
                   (is_bsd_label(label) ? "BSD" : "Sun") + " disk label, whose partitions are not listed");
    }
  }
}

}  // namespace

Result<Table> find_table(ByteSource& media, std::uint32_t sector_size, const Complaint& complain) {
  const Signs signs = signs_of(media);
  if (signs.iso9660) {
    // A hybrid image: made to boot from a disk too, its tables describe parts of the one file system.
    if (signs.mbr || signs.apm || primary_gpt(media)) {
      complain(
          0, sector,
          "a partition table lies over an ISO 9660 file system (hybrid image); the medium is read as that file system");
    }
    return Table();
  }
  if (signs.boot_sector) {
    if (signs.mbr) {
      complain(
          0, sector,
          "the first sector is a file system's boot sector and holds what looks like a partition table; the medium "
          "is read as that file system");
    }
    return Table();
  }
  if (auto gpt = find_gpt(media, signs, complain)) return std::move(*gpt);
  Table table = EXHIBIT_TRY(find_other(media, sector_size, signs, complain));
  if (signs.protective) complain(0, sector, "a protective MBR is there and no GPT");
  if (table.scheme == "mbr") tell_nested(media, table, complain);
  return table;
}

}  // namespace exhibit::volume
