#include "filesystem/consistency/exfat_volume.h"

#include <algorithm>
#include <utility>

namespace exhibit::filesystem::consistency::exfat {
namespace {

constexpr std::uint64_t region_sectors = 12, checked_sectors = 11;  // [3], main and backup boot region
constexpr std::uint32_t end_of_chain = 0xFFFFFFFF;                  // [4.1]

std::vector<std::byte> bytes_at(ByteSource& volume, std::uint64_t offset, std::size_t length) {
  std::vector<std::byte> bytes(length);
  const auto got = volume.read_at(offset, bytes);
  bytes.resize(got.ok() ? *got : 0);
  return bytes;
}

// [3.4], figure 1
std::uint32_t boot_checksum(Bytes sectors) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < sectors.size(); ++i)
    if (i != 106 && i != 107 && i != 112)  // VolumeFlags and PercentInUse, which change in use
      sum = std::rotr(sum, 1) + u8(sectors, i);
  return sum;
}

// The boot sector's fields [3.1].
struct BootSector {
  explicit BootSector(Bytes bytes)
      : volume_length(field<std::uint64_t>(bytes, 72)),
        fat_offset(u32(bytes, 80)),
        fat_length(u32(bytes, 84)),
        heap_offset(u32(bytes, 88)),
        clusters(u32(bytes, 92)),
        root(u32(bytes, 96)),
        flags(u16(bytes, 106)),
        sector_shift(u8(bytes, 108)),
        cluster_shift(u8(bytes, 109)),
        fats(u8(bytes, 110)),
        percent(u8(bytes, 112)) {}

  std::uint64_t sector() const { return std::uint64_t{1} << sector_shift; }
  std::uint64_t cluster() const { return sector() << cluster_shift; }

  std::uint64_t volume_length;  // sectors
  std::uint32_t fat_offset, fat_length, heap_offset, clusters, root;
  std::uint16_t flags;
  std::uint8_t sector_shift, cluster_shift, fats, percent;
};

bool usable(Bytes bytes, std::uint64_t volume_size) {
  const std::string_view name = "EXFAT   ";
  if (bytes.size() < 512 || std::memcmp(bytes.data() + 3, name.data(), name.size()) != 0) return false;
  const BootSector boot(bytes);
  return boot.sector_shift >= 9 && boot.sector_shift <= 12 && boot.cluster_shift <= 25 - boot.sector_shift &&
         boot.fats >= 1 && boot.fats <= 2 && boot.clusters > 0 && boot.heap_offset * boot.sector() < volume_size;
}

void check_fields(Bytes bytes, std::uint64_t at, std::uint64_t volume_size, Teller& tell) {
  const BootSector boot(bytes);
  const auto wrong = [&](std::size_t offset, std::size_t length, const std::string& what) {
    tell.corrupt("wrong fields of the boot sector", {at + offset, length}, "exFAT boot sector: " + what);
  };
  const auto text = [](std::uint64_t number) { return std::to_string(number); };
  if (u8(bytes, 0) != 0xEB || u8(bytes, 1) != 0x76 || u8(bytes, 2) != 0x90)
    wrong(0, 3, "the jump instruction is wrong");
  if (!all_zero(bytes.subspan(11, 53))) wrong(11, 53, "bytes that must be zero are not");
  if (u16(bytes, 510) != 0xAA55) wrong(510, 2, "the signature is wrong");
  if (u8(bytes, 105) == 0 || u8(bytes, 105) > 99) wrong(104, 2, "the file system's revision is impossible");
  if (boot.percent > 100 && boot.percent != 0xFF) wrong(112, 1, "the percentage in use is " + text(boot.percent));
  if (boot.fat_offset < 2 * region_sectors) wrong(80, 4, "the file allocation table lies in the boot regions");
  if (boot.fat_length * boot.sector() < (std::uint64_t{boot.clusters} + first_cluster) * 4)
    wrong(84, 4, "the file allocation table is too short for " + text(boot.clusters) + " clusters");
  if (std::uint64_t{boot.fat_offset} + std::uint64_t{boot.fat_length} * boot.fats > boot.heap_offset)
    wrong(88, 4, "the clusters begin within the file allocation tables");
  const std::uint64_t heap_sectors = std::uint64_t{boot.clusters} << boot.cluster_shift;
  if (heap_sectors + boot.heap_offset > boot.volume_length)
    wrong(92, 4, text(boot.clusters) + " clusters don't fit into " + text(boot.volume_length) + " sectors");
  if (boot.root < first_cluster || boot.root - first_cluster >= boot.clusters)
    wrong(96, 4, "the root directory's first cluster is " + text(boot.root) + ", of " + text(boot.clusters));
  if (boot.volume_length > volume_size / boot.sector())
    wrong(72, 8,
          "the file system is of " + text(boot.volume_length) + " sectors of " + text(boot.sector()) +
              " bytes, the volume of " + text(volume_size) + " bytes");
}

// The region's last sector repeats the checksum of the others [3.4].
void check_region(ByteSource& volume, std::uint64_t at, std::uint64_t sector, const char* which, Teller& tell) {
  const auto region = bytes_at(volume, at, static_cast<std::size_t>(region_sectors * sector));
  const Place place{at + checked_sectors * sector, sector};
  const std::string name = std::string("exFAT ") + which + " boot region: ";
  if (region.size() < region_sectors * sector) {
    tell.corrupt("boot regions that can't be read", place, name + "it can't be read whole");
    return;
  }
  const Bytes checked = Bytes(region).first(static_cast<std::size_t>(checked_sectors * sector));
  const std::uint32_t sum = boot_checksum(checked);
  for (std::size_t i = checked.size(); i < region.size(); i += 4)
    if (u32(region, i) != sum) {
      tell.corrupt(
          "wrong checksums of boot regions", place,
          name + "the checksum is " + std::to_string(u32(region, i)) + ", its sectors' is " + std::to_string(sum));
      return;
    }
}

Geometry geometry_of(const BootSector& boot, std::uint64_t volume_size) {
  Geometry geometry;
  geometry.sector = boot.sector();
  geometry.cluster = boot.cluster();
  geometry.second_fat = (boot.flags & 1U) != 0 && boot.fats == 2;  // ActiveFat [3.1.13.1]
  geometry.fat = (boot.fat_offset + (geometry.second_fat ? std::uint64_t{boot.fat_length} : 0)) * boot.sector();
  geometry.heap = boot.heap_offset * boot.sector();
  geometry.said_clusters = boot.clusters;
  geometry.clusters = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(boot.clusters, (volume_size - geometry.heap) / geometry.cluster));
  geometry.root = boot.root;
  return geometry;
}

struct Backup {
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes;
};

// The backup boot sector is the 13th sector; where the first one is destroyed, nothing else says how long a sector is.
std::optional<Backup> find_backup(ByteSource& volume) {
  for (const std::uint64_t sector : {512U, 1024U, 2048U, 4096U}) {
    Backup backup{region_sectors * sector, bytes_at(volume, region_sectors * sector, 512)};
    if (usable(backup.bytes, volume.size()) && BootSector(backup.bytes).sector() == sector) return backup;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Geometry> read_geometry(ByteSource& volume, Teller& tell) {
  const auto main = bytes_at(volume, 0, 512);
  std::uint64_t at = 0;
  auto used = main;
  if (!usable(main, volume.size())) {
    auto backup = find_backup(volume);
    tell.corrupt("boot sectors beyond use", {0, 512},
                 std::string("exFAT: the main boot sector is beyond use; the backup ") +
                     (backup ? "was used" : "is, too: nothing else was checked"));
    if (!backup) return std::nullopt;
    at = backup->offset;
    used = std::move(backup->bytes);
  }
  const BootSector boot(used);
  check_fields(used, at, volume.size(), tell);
  check_region(volume, 0, boot.sector(), "main", tell);
  check_region(volume, region_sectors * boot.sector(), boot.sector(), "backup", tell);
  const auto backup = bytes_at(volume, region_sectors * boot.sector(), 512);
  const auto said = [](Bytes bytes, std::size_t offset, std::size_t length) { return bytes.subspan(offset, length); };
  if (at == 0 && backup.size() == 512 &&
      (!std::ranges::equal(said(main, 0, 106), said(backup, 0, 106)) ||
       !std::ranges::equal(said(main, 108, 3), said(backup, 108, 3))))
    tell.corrupt("boot sectors that differ", {region_sectors * boot.sector(), 512},
                 "exFAT: the backup boot sector differs from the main one");
  return geometry_of(boot, volume.size());
}

Clusters::Clusters(ByteSource& volume, const Geometry& geometry, Teller& tell)
    : volume_(volume), geometry_(geometry), tell_(tell), taken_(geometry.clusters) {}

void Clusters::tell_unreadable(std::uint64_t offset, std::uint64_t length) {
  if (std::exchange(told_unreadable_, true)) return;
  tell_.unchecked(ErrorCode::io_error, {offset, length},
                  "exFAT: these bytes, and perhaps others, can't be read; what they hold wasn't checked");
}

// Bytes that no multiple of the window's step parts: fields and entries lie at multiples of their own length.
Bytes Clusters::load(Window& window, std::uint64_t offset, std::size_t length) {
  const std::uint64_t start = offset / window.step * window.step;
  if (window.bytes.empty() || window.offset != start) {
    window.offset = start;
    window.bytes = bytes_at(volume_, start, static_cast<std::size_t>(window.step));
  }
  const auto within = static_cast<std::size_t>(offset - start);
  if (within + length > window.bytes.size()) {
    tell_unreadable(offset, length);
    return {};
  }
  return Bytes(window.bytes).subspan(within, length);
}

// The cluster behind `cluster` in a chain of which `count` are known; nothing at its end, or where it is broken.
std::optional<std::uint32_t> Clusters::follow(std::uint32_t cluster, std::uint64_t count,
                                              const std::optional<std::uint64_t>& needed, const std::string& owner) {
  const Place entry{geometry_.fat + std::uint64_t{cluster} * 4, 4};
  const std::uint32_t found = u32(load(fat_, entry.offset, 4), 0);
  if (found == end_of_chain) {
    if (needed && count < *needed)
      tell_.corrupt(
          "chains of clusters that are too short", entry,
          owner + ": its chain ends after " + std::to_string(count) + " of " + std::to_string(*needed) + " clusters");
    return std::nullopt;
  }
  if (!geometry_.has(found)) {
    tell_.corrupt("broken chains of clusters", entry,
                  owner + ": its chain is broken at cluster " + std::to_string(cluster) +
                      ", whose entry in the file allocation table is " + std::to_string(found));
    return std::nullopt;
  }
  if (needed && count == *needed) {
    tell_.corrupt("chains of clusters that are too long", entry,
                  owner + ": its chain goes on behind the " + std::to_string(count) + " clusters of its size");
    return std::nullopt;
  }
  return found;
}

std::vector<Run> Clusters::take(const Allocation& allocation, const std::string& owner, Place place) {
  std::vector<Run> runs;
  std::optional<std::uint64_t> needed;
  if (allocation.size) needed = *allocation.size / geometry_.cluster + (*allocation.size % geometry_.cluster != 0);
  if (needed == 0U && allocation.first == 0) return runs;
  if (needed == 0U || !geometry_.has(allocation.first)) {
    tell_.corrupt("impossible first clusters", place,
                  owner + ": its first cluster is " + std::to_string(allocation.first) + ", its size " +
                      (allocation.size ? std::to_string(*allocation.size) : "unknown") + "; the volume holds " +
                      std::to_string(geometry_.clusters) + " clusters");
    return runs;
  }
  const std::uint64_t left = geometry_.clusters - (allocation.first - first_cluster);
  if (needed && *needed > (allocation.contiguous ? left : geometry_.clusters)) {
    tell_.corrupt("sizes past the volume's end", place,
                  owner + ": its size of " + std::to_string(*allocation.size) + " bytes reaches past the volume's end");
    if (allocation.contiguous) needed = left;
  }
  std::uint32_t cluster = allocation.first;
  for (std::uint64_t count = 1;; ++count) {
    if (taken_.set(cluster - first_cluster)) {
      const bool own = std::ranges::any_of(
          runs, [&](const Run& run) { return cluster >= run.first && cluster - run.first < run.count; });
      tell_.corrupt(own ? "chains of clusters that loop" : "clusters used twice",
                    {geometry_.offset_of(cluster), geometry_.cluster},
                    owner +
                        (own ? ": its chain loops at cluster " : ": it uses what something before it uses: cluster ") +
                        std::to_string(cluster));
      return runs;
    }
    if (!runs.empty() && runs.back().first + runs.back().count == cluster) {
      ++runs.back().count;
    } else {
      runs.push_back({cluster, 1});
    }
    if (allocation.contiguous) {
      if (count == needed) return runs;
      ++cluster;
    } else {
      const auto found = follow(cluster, count, needed, owner);
      if (!found) return runs;
      cluster = *found;
    }
  }
}

Bytes Clusters::read(std::uint32_t cluster, std::uint64_t offset, std::size_t length) {
  return load(data_, geometry_.offset_of(cluster) + offset, length);
}

std::vector<std::byte> Clusters::read_all(const std::vector<Run>& runs, std::uint64_t size) {
  std::vector<std::byte> all;
  for (const Run& run : runs) {
    const std::uint64_t part = std::min<std::uint64_t>(size - all.size(), run.count * geometry_.cluster);
    const auto bytes = bytes_at(volume_, geometry_.offset_of(run.first), static_cast<std::size_t>(part));
    all.insert(all.end(), bytes.begin(), bytes.end());
    if (bytes.size() < part) {
      tell_unreadable(geometry_.offset_of(run.first), part);
      break;
    }
  }
  return all;
}

void Clusters::check_allocated(const std::vector<Run>& runs, const std::string& owner, Place place) {
  if (bitmap_.empty()) return;
  std::uint64_t free = 0;
  std::uint32_t first = 0;
  for (const Run& run : runs)
    for (std::uint32_t cluster = run.first; cluster - run.first < run.count; ++cluster)
      if (!bit_of(bitmap_, cluster - first_cluster) && free++ == 0) first = cluster;
  if (free > 0)
    tell_.corrupt("clusters in use that the allocation bitmap holds free", place,
                  owner + ": " + std::to_string(free) +
                      " of its clusters are free by the allocation bitmap, the first is " + std::to_string(first));
}

}  // namespace exhibit::filesystem::consistency::exfat
