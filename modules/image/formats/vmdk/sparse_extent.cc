#include "image/formats/vmdk/sparse_extent.h"

#include <algorithm>

#include "base/checked.h"

namespace exhibit::image::vmdk {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t header_size = 512;
// SparseExtentHeader, and its flags.
constexpr std::size_t version_at = 4, flags_at = 8, capacity_at = 12, grain_size_at = 20, descriptor_at = 28,
                      descriptor_size_at = 36, entries_at = 44, redundant_at = 48, directory_at = 56, line_ends_at = 73,
                      algorithm_at = 77;
constexpr std::uint64_t has_zeroed_grains = 1 << 2, has_compressed_grains = 1 << 16;
constexpr std::uint64_t directory_at_end = UINT64_MAX;  // the footer says
constexpr std::uint64_t algorithm_deflate = 1;
// COWDisk_Header.
constexpr std::size_t esx_sectors_at = 12, esx_grain_at = 16, esx_directory_at = 20, esx_entries_at = 24;
constexpr std::uint64_t esx_entries_per_table = 4096;
// The format's own largest is 64 KiB a grain and 512 entries a table; writers have used others.
constexpr std::uint64_t most_grain_sectors = 4096, most_entries = std::uint64_t{1} << 20;
constexpr std::uint64_t most_sectors = std::uint64_t{1} << 53;
constexpr std::uint64_t marker_size = 12;  // before a compressed grain: its first sector and its length

Result<SparseHeader> checked(const ContainerFile& file, SparseHeader header) {
  if (header.sectors == 0 || header.sectors > most_sectors || header.grain_sectors == 0 ||
      header.grain_sectors > most_grain_sectors || header.entries_per_table == 0 ||
      header.entries_per_table > most_entries)
    return file.corrupt(0, "the VMDK header at offset 0 has values that make no sense");
  const std::uint64_t per_table = header.grain_sectors * header.entries_per_table;
  header.directory_entries = (header.sectors + per_table - 1) / per_table;
  const auto place = base::checked_multiply(header.directory, sector_size);
  if (!place || *place == 0 || !base::within(*place, header.directory_entries * 4, file.size())) {
    return file.corrupt(0, "the grain directory of the VMDK lies past the file's end at " +
                               std::to_string(file.size()) + "; the file is truncated or its header damaged");
  }
  return header;
}

Result<SparseHeader> read_hosted(const ContainerFile& file, std::string_view bytes) {
  SparseHeader header;
  header.sectors = little(bytes, capacity_at, 8);
  header.grain_sectors = little(bytes, grain_size_at, 8);
  header.descriptor = little(bytes, descriptor_at, 8);
  header.descriptor_sectors = little(bytes, descriptor_size_at, 8);
  header.entries_per_table = little(bytes, entries_at, 4);
  header.directory = little(bytes, directory_at, 8);
  const std::uint64_t flags = little(bytes, flags_at, 4), version = little(bytes, version_at, 4);
  header.zeroed_grains = (flags & has_zeroed_grains) != 0;
  header.compressed = (flags & has_compressed_grains) != 0;
  if (version < 1 || version > 3) return file.unsupported("is a VMDK of version " + std::to_string(version));
  if (header.compressed && little(bytes, algorithm_at, 2) != algorithm_deflate)
    return file.unsupported("is a VMDK with an unknown compression");
  if (bytes.substr(line_ends_at, 4) != "\n \r\n"sv)
    return file.corrupt(line_ends_at, "was transferred as text, which changed its bytes; get an unchanged copy");
  return header;
}

// The header's copy at the end of a stream-optimised extent, before the marker of the end.
Result<SparseHeader> read_footer(const ContainerFile& file) {
  const std::string bytes = file.last(2 * header_size);
  if (bytes.size() < 2 * header_size || sparse_kind(bytes) != SparseKind::hosted ||
      little(bytes, directory_at, 8) == directory_at_end)
    return file.corrupt(file.size(), "the VMDK's footer is missing; the file is truncated");
  return read_hosted(file, bytes);
}

Result<SparseHeader> read_esx(const ContainerFile& file, std::string_view bytes) {
  SparseHeader header;
  header.sectors = little(bytes, esx_sectors_at, 4);
  header.grain_sectors = little(bytes, esx_grain_at, 4);
  header.directory = little(bytes, esx_directory_at, 4);
  header.entries_per_table = esx_entries_per_table;
  return checked(file, header);
}

}  // namespace

SparseKind sparse_kind(std::string_view start) {
  if (start.starts_with("KDMV"sv)) return SparseKind::hosted;
  return start.starts_with("COWD"sv) ? SparseKind::esx : SparseKind::none;
}

Result<SparseHeader> read_sparse_header(const ContainerFile& file) {
  const std::string bytes = EXHIBIT_TRY(file.exactly(0, header_size));
  switch (sparse_kind(bytes)) {
    case SparseKind::none:
      return file.corrupt(0, "doesn't begin as a sparse extent of a VMDK");
    case SparseKind::esx:
      return read_esx(file, bytes);
    case SparseKind::hosted:
      break;
  }
  SparseHeader header = EXHIBIT_TRY(read_hosted(file, bytes));
  if (header.directory == directory_at_end) {
    SparseHeader footer = EXHIBIT_TRY(read_footer(file));
    footer.descriptor = header.descriptor;
    footer.descriptor_sectors = header.descriptor_sectors;
    header = footer;
  }
  return checked(file, header);
}

Stretch SparseExtent::packed(std::uint64_t grain, std::uint64_t place, std::uint64_t length) {
  const auto stored = tables_.little(place + 8, 4);
  if (!stored) return Stretch::lost(length, DoubtCause::missing_segment);
  if (tables_.little(place, 8) != grain * header_.grain_sectors) return Stretch::lost(length, DoubtCause::crc_error);
  const std::uint64_t grain_size = header_.grain_sectors * sector_size;
  Stretch stretch = Stretch::stored(length, 0, place + marker_size);
  stretch.kind = Stretch::Kind::packed;
  stretch.unit = grain * grain_size;
  // Some writers store the last grain whole, past the extent's end, and some don't.
  stretch.unit_length = grain_size;
  stretch.method = static_cast<std::uint32_t>(std::min(grain_size, header_.sectors * sector_size - stretch.unit));
  stretch.packed_length = *stored;
  return stretch;
}

Stretch SparseExtent::at(std::uint64_t offset) {
  const std::uint64_t grain_size = header_.grain_sectors * sector_size;
  const std::uint64_t grain = offset / grain_size;
  const std::uint64_t end = std::min((grain + 1) * grain_size, header_.sectors * sector_size);
  const std::uint64_t length = end - offset;
  const std::uint64_t table_number = grain / header_.entries_per_table;
  const auto table = tables_.little(header_.directory * sector_size + table_number * 4, 4);
  if (!table) return Stretch::lost(length, DoubtCause::missing_segment);
  if (*table == 0) {
    const std::uint64_t table_end = (table_number + 1) * header_.entries_per_table * grain_size;
    return Stretch::parent(std::min(table_end, header_.sectors * sector_size) - offset);
  }
  const auto entry = tables_.little(*table * sector_size + grain % header_.entries_per_table * 4, 4);
  if (!entry) return Stretch::lost(length, DoubtCause::missing_segment);
  if (*entry == 0) return Stretch::parent(length);
  if (*entry == 1 && header_.zeroed_grains) return Stretch::zeros(length);
  const std::uint64_t place = *entry * sector_size;
  if (place >= size_) return Stretch::lost(length, DoubtCause::missing_segment);
  if (header_.compressed) return packed(grain, place, length);
  return Stretch::stored(length, 0, place + offset % grain_size);
}

}  // namespace exhibit::image::vmdk
