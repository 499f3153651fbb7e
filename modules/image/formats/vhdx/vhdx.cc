// Hyper-V's virtual hard disks: fixed, dynamic and differencing. [MS-VHDX] "Virtual Hard Disk v2 (VHDX) File Format".

#include <algorithm>

#include "image/format.h"
#include "image/formats/vhdx/header.h"
#include "image/mapped_image.h"

namespace exhibit::image {
namespace vhdx {
namespace {

// The block allocation table, 2.5: an entry a block, and after each `ratio` of them one for their sectors' bitmap.
constexpr std::uint64_t entry_size = 8, sectors_per_bitmap = std::uint64_t{1} << 23;
constexpr std::uint64_t place_mask = ~((std::uint64_t{1} << 20) - 1);
enum State : std::uint64_t { not_present = 0, undefined = 1, zero = 2, unmapped = 3, present = 6, partial = 7 };

class VhdxMap final : public MediumMap {
 public:
  VhdxMap(ContainerFile file, const Disk& disk)
      : disk_(disk), ratio_(sectors_per_bitmap * disk.sector_size / disk.block_size), tables_(file) {}

  Stretch at(std::uint64_t offset) override {
    const std::uint64_t block = offset / disk_.block_size, within = offset % disk_.block_size;
    const std::uint64_t length = disk_.block_size - within;
    const auto entry = entry_at(block + block / ratio_);
    if (!entry) return Stretch::lost(length, DoubtCause::missing_segment);
    const Stretch stored = Stretch::stored(length, 0, (*entry & place_mask) + within);
    switch (*entry & 7) {
      case not_present:
        return Stretch::parent(length);
      case undefined:
      case zero:
      case unmapped:
        return Stretch::zeros(length);
      case present:
        return stored;
      case partial:
        return by_sectors(block, within, stored);
      default:
        return Stretch::lost(length, DoubtCause::read_error);
    }
  }

 private:
  std::optional<std::uint64_t> entry_at(std::uint64_t index) {
    if (index >= disk_.table_size / entry_size) return std::nullopt;
    return tables_.little(disk_.table + index * entry_size, entry_size);
  }

  // As many sectors as are alike: written here, or the parent's.
  Stretch by_sectors(std::uint64_t block, std::uint64_t within, Stretch stored) {
    const std::uint64_t chunk = block / ratio_, sectors = disk_.block_size / disk_.sector_size;
    const auto bitmap = entry_at(chunk * (ratio_ + 1) + ratio_);
    if (!bitmap || (*bitmap & 7) != present) return Stretch::lost(stored.length, DoubtCause::read_error);
    const std::uint64_t first_of_block = block % ratio_ * sectors;
    const auto is_here = [&](std::uint64_t sector) -> std::optional<bool> {
      const std::uint64_t number = first_of_block + sector;
      const auto bits = tables_.little((*bitmap & place_mask) + number / 8, 1);
      return bits ? std::optional((*bits >> number % 8 & 1) != 0) : std::nullopt;
    };
    const std::uint64_t first = within / disk_.sector_size;
    const auto here = is_here(first);
    std::uint64_t next = first + 1;
    while (next < sectors && is_here(next) == here) ++next;
    stored.length = next * disk_.sector_size - within;
    if (!here) return Stretch::lost(stored.length, DoubtCause::missing_segment);
    return *here ? stored : Stretch::parent(stored.length);
  }

  Disk disk_;
  std::uint64_t ratio_;  // blocks to a bitmap
  TableReader tables_;
};

Recognition recognise(const std::vector<SegmentFile>& segments) {
  const ContainerFile file = ContainerFile::first_of(segments);
  if (!is_mine(file)) return has_extension(file.name(), ".vhdx") ? Recognition::damaged : Recognition::not_mine;
  const auto disk = read_disk(file);
  return disk.ok() || disk.error().code != ErrorCode::corrupt ? Recognition::mine : Recognition::damaged;
}

Result<void> open_parent_of(const std::string& name, const Disk& disk, std::vector<SegmentFile> others,
                            MappedParts& parts) {
  if (!disk.has_parent) return check_all_used(name, others);
  parts.parent = EXHIBIT_TRY(open_parent(name, disk.parent_path, std::move(others)));
  if (parts.parent->description().identity == disk.parent_identity) return {};
  return Error{ErrorCode::corrupt,
               name + ": " + base_name(disk.parent_path) +
                   " isn't the parent that it was made over, or was written to since: its identity is another one",
               name,
               {}};
}

Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) {
  MappedParts parts;
  std::vector<SegmentFile> others = split_off_others(segments);
  parts.segments = std::move(segments);
  ContainerFile file(parts.segments);
  const Disk disk = EXHIBIT_TRY(read_disk(file));
  EXHIBIT_TRY(open_parent_of(file.name(), disk, std::move(others), parts));
  if (disk.patches) file.patch(disk.patches);
  parts.description.format = "vhdx";
  parts.description.size = disk.size;
  parts.description.sector_size = static_cast<std::uint32_t>(disk.sector_size);
  parts.description.identity = disk.write_identity;
  parts.files.push_back(file);
  parts.map = std::make_unique<VhdxMap>(file, disk);
  return make_mapped_image(std::move(parts));
}

}  // namespace
}  // namespace vhdx

extern const Format vhdx_format;
const Format vhdx_format = {"vhdx", image::vhdx::recognise, image::vhdx::open};

}  // namespace exhibit::image
