// QEMU's disk images, versions 1 to 3: compressed clusters, subclusters, external data files, backing files.

#include <algorithm>

#include "image/codecs.h"
#include "image/format.h"
#include "image/formats/qcow/header.h"
#include "image/mapped_image.h"

namespace exhibit::image {
namespace qcow {
namespace {

constexpr std::uint64_t entry_size = 8, extended_entry_size = 16, subclusters = 32;
constexpr std::uint64_t place_mask = 0x00fffffffffffe00;  // bits 9 to 55
constexpr std::uint64_t bit_compressed = std::uint64_t{1} << 62, bit_zero = 1;
constexpr std::uint64_t v1_bit_compressed = std::uint64_t{1} << 63;
constexpr std::uint64_t sector = 512;

class QcowMap final : public MediumMap {
 public:
  // `data_file`: the index of the file that holds what isn't compressed.
  QcowMap(ContainerFile file, const Header& header, std::size_t data_file)
      : header_(header), tables_(file), data_file_(data_file) {}

  Stretch at(std::uint64_t offset) override {
    const std::uint64_t cluster = offset >> header_.cluster_bits;
    const std::uint64_t within = offset & (header_.cluster_size() - 1), length = header_.cluster_size() - within;
    const std::uint64_t index = cluster & ((std::uint64_t{1} << header_.l2_bits) - 1);
    const auto l1 = tables_.big(header_.l1 + (cluster >> header_.l2_bits) * entry_size, entry_size);
    if (!l1) return Stretch::lost(length, DoubtCause::missing_segment);
    const std::uint64_t table = header_.version == 1 ? *l1 : *l1 & place_mask;
    if (table == 0) {
      const std::uint64_t clusters = (std::uint64_t{1} << header_.l2_bits) - index;
      return Stretch::parent((clusters << header_.cluster_bits) - within);
    }
    const std::uint64_t width = header_.extended_l2 ? extended_entry_size : entry_size;
    const auto entry = table <= INT64_MAX ? tables_.big(table + index * width, entry_size) : std::nullopt;
    if (!entry) return Stretch::lost(length, DoubtCause::missing_segment);
    if (header_.version == 1) return first_version(*entry, offset, length);
    if ((*entry & bit_compressed) != 0) return compressed(*entry, offset, length);
    if (header_.extended_l2) {
      const auto bitmap = tables_.big(table + index * width + entry_size, entry_size);
      return bitmap ? subcluster(*entry, *bitmap, within) : Stretch::lost(length, DoubtCause::missing_segment);
    }
    const std::uint64_t place = *entry & place_mask;
    if (header_.version == 3 && (*entry & bit_zero) != 0) return Stretch::zeros(length);
    // In an external data file the first cluster is one like others.
    const bool there = place != 0 || (header_.has_data_file && (*entry >> 63) != 0);
    return there ? Stretch::stored(length, data_file_, place + within) : Stretch::parent(length);
  }

  bool unpack(const Stretch&, std::string_view stored, std::span<std::byte> out) override {
    return (header_.zstd ? unpack_zstd(stored, out) : inflater_.deflate(stored, out)) == out.size();
  }

 private:
  Stretch packed(std::uint64_t offset, std::uint64_t length, std::uint64_t place, std::uint64_t packed_length) const {
    Stretch stretch = Stretch::stored(length, 0, place);
    stretch.kind = Stretch::Kind::packed;
    stretch.unit = offset & ~(header_.cluster_size() - 1);
    stretch.unit_length = header_.cluster_size();
    stretch.packed_length = packed_length;
    return stretch;
  }

  Stretch first_version(std::uint64_t entry, std::uint64_t offset, std::uint64_t length) const {
    if (entry == 0) return Stretch::parent(length);
    if ((entry & v1_bit_compressed) == 0) {
      if (entry > INT64_MAX) return Stretch::lost(length, DoubtCause::read_error);
      return Stretch::stored(length, 0, entry + (offset & (header_.cluster_size() - 1)));
    }
    const std::uint64_t length_at = 63 - header_.cluster_bits;
    const std::uint64_t place = entry & ((std::uint64_t{1} << length_at) - 1);
    return packed(offset, length, place, entry >> length_at & (header_.cluster_size() - 1));
  }

  Stretch compressed(std::uint64_t entry, std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t sectors_at = 62 - (header_.cluster_bits - 8);
    const std::uint64_t place = entry & ((std::uint64_t{1} << sectors_at) - 1);
    const std::uint64_t more_sectors = (entry & (bit_compressed - 1)) >> sectors_at;
    return packed(offset, length, place, (more_sectors + 1) * sector - place % sector);
  }

  // Bits 0 to 31 of the bitmap: allocated; 32 to 63: reads as zeros.
  Stretch subcluster(std::uint64_t entry, std::uint64_t bitmap, std::uint64_t within) const {
    const std::uint64_t size = header_.cluster_size() / subclusters;
    const std::uint64_t number = within / size, length = size - within % size;
    if ((bitmap >> (subclusters + number) & 1) != 0) return Stretch::zeros(length);
    if ((bitmap >> number & 1) == 0) return Stretch::parent(length);
    return Stretch::stored(length, data_file_, (entry & place_mask) + within);
  }

  Header header_;
  TableReader tables_;
  std::size_t data_file_;
  Inflater inflater_;
};

Recognition recognise(const std::vector<SegmentFile>& segments) {
  const ContainerFile file = ContainerFile::first_of(segments);
  if (!is_mine(file)) {
    const bool named = has_extension(file.name(), ".qcow2") || has_extension(file.name(), ".qcow");
    return named ? Recognition::damaged : Recognition::not_mine;
  }
  const auto header = read_header(file);
  return header.ok() || header.error().code != ErrorCode::corrupt ? Recognition::mine : Recognition::damaged;
}

// Our name for a format as QEMU names it; nothing: whatever the file is recognised as.
std::optional<std::string> format_called(const std::string& name) {
  if (name == "vpc") return "vhd";
  if (name == "qcow2") return "qcow";
  if (name == "raw" || name == "qcow" || name == "vmdk" || name == "vdi" || name == "vhdx") return name;
  return std::nullopt;
}

Result<void> open_data_file(const std::string& name, const Header& header, std::vector<SegmentFile>& others,
                            MappedParts& parts) {
  auto data = take_file(others, header.data_file);
  if (!data) {
    return Error{ErrorCode::not_found,
                 name + ": its data file " + base_name(header.data_file) + " is missing; give it with --segments",
                 name,
                 {}};
  }
  parts.segments.push_back(std::move(*data));
  return {};
}

void describe(const std::string& name, const Header& header, ImageDescription& description) {
  description.format = header.version == 1 ? "qcow" : "qcow2";
  description.size = header.size;
  if (header.marked_corrupt)
    description.notices.push_back(name + ": QEMU marked the image as corrupt; its tables may contradict each other");
  if (header.snapshots > 0) {
    description.notices.push_back(name + ": holds " + std::to_string(header.snapshots) +
                                  " internal snapshot(s), which aren't read: only the current state is; extract them " +
                                  "with qemu-img convert -l");
  }
}

Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) {
  MappedParts parts;
  std::vector<SegmentFile> others = split_off_others(segments);
  parts.segments = std::move(segments);
  const std::size_t own = parts.segments.size();
  const std::string name = parts.segments.front().name;
  const Header header = EXHIBIT_TRY(read_header(ContainerFile(parts.segments)));
  if (header.has_data_file) EXHIBIT_TRY(open_data_file(name, header, others, parts));
  if (header.backing.empty()) {
    EXHIBIT_TRY(check_all_used(name, others));
  } else {
    parts.parent =
        EXHIBIT_TRY(open_parent(name, header.backing, std::move(others), format_called(header.backing_format)));
  }
  describe(name, header, parts.description);
  const std::span<const SegmentFile> files(parts.segments);
  parts.files.emplace_back(files.first(own));
  if (header.has_data_file) parts.files.emplace_back(files.subspan(own));
  parts.map = std::make_unique<QcowMap>(parts.files.front(), header, parts.files.size() - 1);
  return make_mapped_image(std::move(parts));
}

}  // namespace
}  // namespace qcow

extern const Format qcow_format;
const Format qcow_format = {"qcow", image::qcow::recognise, image::qcow::open};

}  // namespace exhibit::image
