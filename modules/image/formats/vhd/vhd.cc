// Microsoft's virtual hard disks: fixed, dynamic and differencing. "Virtual Hard Disk Image Format Specification" 1.0.

#include <algorithm>

#include "base/checked.h"
#include "base/text.h"
#include "image/format.h"
#include "image/mapped_image.h"

namespace exhibit::image {
namespace vhd {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t sector = 512;
// "Hard Disk Footer Format": at the end of the file; dynamic and differencing disks have a copy at the start. Virtual
// PC before 2004 left out the last byte.
constexpr std::size_t footer_size = 512;
constexpr auto footer_cookie = "conectix"sv, header_cookie = "cxsparse"sv;
constexpr std::size_t version_at = 12, header_offset_at = 16, size_at = 48, type_at = 60, footer_sum_at = 64,
                      identity_at = 68, identity_size = 16, creator_at = 28;
constexpr std::uint64_t format_version = 0x00010000;
enum Type : std::uint64_t { fixed = 2, dynamic = 3, differencing = 4 };
// "Dynamic Disk Header Format".
constexpr std::size_t header_size = 1024, table_at = 16, entries_at = 28, block_size_at = 32, header_sum_at = 36,
                      parent_identity_at = 40, parent_name_at = 64, parent_name_size = 512;
constexpr std::uint64_t unallocated = 0xffffffff;
constexpr std::uint64_t most_block_size = std::uint64_t{1} << 31;

struct Disk {
  std::uint64_t type = 0, size = 0, header = 0;
  std::uint64_t table = 0, entries = 0, block_size = 0;
  std::string identity, creator, parent_identity, parent_name;
  bool from_copy = false;  // the footer at the end is gone
  bool unsure = false;     // a checksum doesn't hold
};

// The one's complement of the sum of all bytes but the checksum's own.
bool checks(std::string_view bytes, std::size_t sum_at) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (i < sum_at || i >= sum_at + 4) sum += static_cast<unsigned char>(bytes[i]);
  return ~sum == big(bytes, sum_at, 4);
}

bool is_footer(std::string_view bytes) {
  return bytes.starts_with(footer_cookie) && big(bytes, version_at, 4) == format_version;
}

// The footer that counts; empty where the file has none. A mark at the end counts only where it fits the file, for a
// medium may end in the last sector of a disk that lies on it. Of one that doesn't match its checksum the copy counts,
// where that matches its own.
std::string footer_of(const ContainerFile& file, bool& from_copy) {
  const std::string copy = file.some(0, footer_size);
  const bool has_copy = copy.size() == footer_size && is_footer(copy) && big(copy, type_at, 4) != fixed;
  for (const std::size_t length : {footer_size, footer_size - 1}) {
    std::string footer = file.last(length);
    if (!is_footer(footer)) continue;
    const bool fits = big(footer, type_at, 4) == fixed
                          ? big(footer, size_at, 8) == file.size() - length
                          : file.some(big(footer, header_offset_at, 8), header_cookie.size()) == header_cookie;
    footer.resize(footer_size, '\0');
    if (fits && (checks(footer, footer_sum_at) || !has_copy || !checks(copy, footer_sum_at))) return footer;
  }
  from_copy = true;
  return has_copy ? copy : std::string();
}

std::string from_utf16be(std::string_view bytes) {
  std::string little_endian;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) little_endian += {bytes[i + 1], bytes[i]};
  return base::from_utf16le(little_endian);
}

Result<void> read_dynamic(const ContainerFile& file, Disk& disk) {
  const std::string bytes = EXHIBIT_TRY(file.exactly(disk.header, header_size));
  if (!bytes.starts_with(header_cookie))
    return file.corrupt(disk.header, "has no VHD header at offset " + std::to_string(disk.header));
  disk.unsure = disk.unsure || !checks(bytes, header_sum_at);
  disk.table = big(bytes, table_at, 8);
  disk.entries = big(bytes, entries_at, 4);
  disk.block_size = big(bytes, block_size_at, 4);
  disk.parent_identity = bytes.substr(parent_identity_at, identity_size);
  disk.parent_name = from_utf16be(std::string_view(bytes).substr(parent_name_at, parent_name_size));
  if (disk.block_size < sector || disk.block_size % sector != 0 || disk.block_size > most_block_size ||
      disk.size > disk.entries * disk.block_size)
    return file.corrupt(disk.header, "the VHD's header has values that make no sense");
  const std::uint64_t needed = (disk.size + disk.block_size - 1) / disk.block_size;
  if (!base::within(disk.table, needed * 4, file.size())) {
    return file.corrupt(disk.table, "the VHD's block table reaches past the file's end at " +
                                        std::to_string(file.size()) + "; the file is truncated");
  }
  return {};
}

Result<Disk> read_disk(const ContainerFile& file) {
  Disk disk;
  const std::string footer = footer_of(file, disk.from_copy);
  if (footer.empty()) {
    return file.corrupt(file.size(),
                        "is named as a VHD, but has no footer at its end; the file is truncated, or not a "
                        "VHD: then rename it");
  }
  disk.unsure = !checks(footer, footer_sum_at);
  disk.type = big(footer, type_at, 4);
  disk.size = big(footer, size_at, 8);
  disk.header = big(footer, header_offset_at, 8);
  disk.identity = footer.substr(identity_at, identity_size);
  disk.creator = base::clean_utf8(footer.substr(creator_at, 4)).text;
  if (disk.type == dynamic || disk.type == differencing) EXHIBIT_TRY(read_dynamic(file, disk));
  if (disk.type < fixed || disk.type > differencing)
    return file.unsupported("is a VHD of the unknown type " + std::to_string(disk.type));
  return disk;
}

class VhdMap final : public MediumMap {
 public:
  VhdMap(ContainerFile file, const Disk& disk) : disk_(disk), table_(file) {}

  Stretch at(std::uint64_t offset) override {
    if (disk_.type == fixed) return Stretch::stored(disk_.size - offset, 0, offset);
    const std::uint64_t within = offset % disk_.block_size, length = disk_.block_size - within;
    const auto entry = table_.big(disk_.table + offset / disk_.block_size * 4, 4);
    if (!entry) return Stretch::lost(length, DoubtCause::missing_segment);
    if (*entry == unallocated) return Stretch::parent(length);
    // A bit a sector, in whole sectors, then the block.
    const std::uint64_t bitmap = *entry * sector;
    const std::uint64_t bitmap_size = (disk_.block_size / sector / 8 + sector - 1) / sector * sector;
    const Stretch stored = Stretch::stored(length, 0, bitmap + std::max(bitmap_size, sector) + within);
    return disk_.type == differencing ? by_sectors(bitmap, within, stored) : stored;
  }

 private:
  // As many sectors as are alike: written here, or the parent's.
  Stretch by_sectors(std::uint64_t bitmap, std::uint64_t within, Stretch stored) {
    const auto is_here = [&](std::uint64_t number) -> std::optional<bool> {
      const auto bits = table_.big(bitmap + number / 8, 1);
      return bits ? std::optional((*bits >> (7 - number % 8) & 1) != 0) : std::nullopt;
    };
    const std::uint64_t first = within / sector, end = disk_.block_size / sector;
    const auto here = is_here(first);
    std::uint64_t next = first + 1;
    while (next < end && is_here(next) == here) ++next;
    stored.length = next * sector - within;
    if (!here) return Stretch::lost(stored.length, DoubtCause::missing_segment);
    return *here ? stored : Stretch::parent(stored.length);
  }

  Disk disk_;
  TableReader table_;
};

Recognition recognise(const std::vector<SegmentFile>& segments) {
  const ContainerFile file = ContainerFile::first_of(segments);
  bool from_copy = false;
  if (footer_of(file, from_copy).empty())
    return has_extension(file.name(), ".vhd") ? Recognition::damaged : Recognition::not_mine;
  const auto disk = read_disk(file);
  return disk.ok() || disk.error().code != ErrorCode::corrupt ? Recognition::mine : Recognition::damaged;
}

Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) {
  MappedParts parts;
  std::vector<SegmentFile> others = split_off_others(segments);
  parts.segments = std::move(segments);
  const ContainerFile file(parts.segments);
  const Disk disk = EXHIBIT_TRY(read_disk(file));
  if (disk.type != differencing) {
    EXHIBIT_TRY(check_all_used(file.name(), others));
  } else {
    parts.parent = EXHIBIT_TRY(open_parent(file.name(), disk.parent_name, std::move(others)));
    if (parts.parent->description().identity != disk.parent_identity) {
      return Error{ErrorCode::corrupt,
                   file.name() + ": " + base_name(disk.parent_name) + " isn't the parent that it was made over: its " +
                       "unique ID is another one",
                   file.name(),
                   {}};
    }
  }
  parts.description.format = "vhd";
  parts.description.size = disk.size;
  parts.description.identity = disk.identity;
  parts.description.acquisition["creator_application"] = disk.creator;
  if (disk.from_copy)
    parts.description.notices.push_back(file.name() +
                                        ": the footer at its end is missing or damaged; its copy at the " +
                                        "start was used; the file may be truncated");
  if (disk.unsure)
    parts.description.notices.push_back(file.name() +
                                        ": the VHD's footer or header doesn't match its checksum; what it " +
                                        "says was used all the same");
  parts.files.push_back(file);
  parts.map = std::make_unique<VhdMap>(file, disk);
  return make_mapped_image(std::move(parts));
}

}  // namespace
}  // namespace vhd

extern const Format vhd_format;
const Format vhd_format = {"vhd", image::vhd::recognise, image::vhd::open};

}  // namespace exhibit::image
