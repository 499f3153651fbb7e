// VirtualBox's disk images. VirtualBox, VDICore.h: VDIPREHEADER, VDIHEADER1PLUS.

#include <algorithm>

#include "base/checked.h"
#include "image/format.h"
#include "image/mapped_image.h"

namespace exhibit::image {
namespace vdi {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t header_size = 512;
constexpr std::size_t signature_at = 64, version_at = 68, type_at = 76, blocks_at = 340, data_at = 344, size_at = 368,
                      block_size_at = 376, block_extra_at = 380, block_count_at = 384, identity_at = 392,
                      parent_identity_at = 424, identity_size = 16;
constexpr auto signature = "\x7f\x10\xda\xbe"sv;
constexpr std::uint64_t block_free = 0xffffffff, block_zero = 0xfffffffe;
constexpr std::uint64_t most_block_size = std::uint64_t{1} << 30;
enum Type : std::uint64_t { normal = 1, fixed = 2, undo = 3, differencing = 4 };

struct Header {
  std::uint64_t type = 0, map = 0, data = 0, size = 0, block_size = 0, block_extra = 0, blocks = 0;
  std::string identity, parent;
};

bool is_mine(const ContainerFile& file) {
  const std::string start = file.some(0, header_size);
  return start.starts_with("<<< "sv) &&
         std::string_view(start).substr(std::min(signature_at, start.size())).starts_with(signature);
}

Result<Header> read_header(const ContainerFile& file) {
  const std::string bytes = EXHIBIT_TRY(file.exactly(0, header_size));
  if (const std::uint64_t major = little(bytes, version_at + 2, 2); major != 1)
    return file.unsupported("is a VDI image of version " + std::to_string(major));
  Header header{little(bytes, type_at, 4),
                little(bytes, blocks_at, 4),
                little(bytes, data_at, 4),
                little(bytes, size_at, 8),
                little(bytes, block_size_at, 4),
                little(bytes, block_extra_at, 4),
                little(bytes, block_count_at, 4),
                bytes.substr(identity_at, identity_size),
                bytes.substr(parent_identity_at, identity_size)};
  if (header.type < normal || header.type > differencing)
    return file.unsupported("is a VDI image of the unknown type " + std::to_string(header.type));
  const auto room = base::checked_multiply(header.block_size, header.blocks);
  if (header.block_size == 0 || header.block_size > most_block_size || header.block_size % 512 != 0 ||
      header.block_extra > most_block_size || !room || *room < header.size)
    return file.corrupt(0, "the VDI header has values that make no sense");
  if (!base::within(header.map, header.blocks * 4, file.size()))
    return file.corrupt(header.map,
                        "the VDI's block map reaches past the file's end at " + std::to_string(file.size()));
  return header;
}

class VdiMap final : public MediumMap {
 public:
  VdiMap(ContainerFile file, const Header& header) : header_(header), table_(file) {}

  Stretch at(std::uint64_t offset) override {
    const std::uint64_t block = offset / header_.block_size, within = offset % header_.block_size;
    const std::uint64_t length = header_.block_size - within;
    const auto entry = table_.little(header_.map + block * 4, 4);
    if (!entry) return Stretch::lost(length, DoubtCause::missing_segment);
    if (*entry == block_free) return Stretch::parent(length);
    if (*entry == block_zero) return Stretch::zeros(length);
    if (*entry >= header_.blocks) return Stretch::lost(length, DoubtCause::read_error);
    const std::uint64_t step = header_.block_size + header_.block_extra;
    return Stretch::stored(length, 0, header_.data + *entry * step + header_.block_extra + within);
  }

 private:
  Header header_;
  TableReader table_;
};

Recognition recognise(const std::vector<SegmentFile>& segments) {
  const ContainerFile file = ContainerFile::first_of(segments);
  if (!is_mine(file)) return has_extension(file.name(), ".vdi") ? Recognition::damaged : Recognition::not_mine;
  const auto header = read_header(file);
  return header.ok() || header.error().code != ErrorCode::corrupt ? Recognition::mine : Recognition::damaged;
}

// A differencing image knows its parent by its identity alone.
std::optional<std::string> parent_among(const std::vector<SegmentFile>& others, const std::string& identity) {
  for (const SegmentFile& other : others) {
    const ContainerFile file{std::span(&other, 1)};
    if (!is_mine(file)) continue;
    const auto header = read_header(file);
    if (header.ok() && header->identity == identity) return other.name;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) {
  MappedParts parts;
  std::vector<SegmentFile> others = split_off_others(segments);
  parts.segments = std::move(segments);
  const ContainerFile file(parts.segments);
  if (!is_mine(file)) return file.corrupt(0, "is named as a VDI image, but doesn't begin as one");
  const Header header = EXHIBIT_TRY(read_header(file));
  if (header.type == differencing || header.type == undo) {
    const auto parent = parent_among(others, header.parent);
    if (!parent) {
      return Error{ErrorCode::not_found,
                   file.name() + ": is a difference to another VDI image, which is missing; give that one and those " +
                       "before it with --segments",
                   file.name(),
                   {}};
    }
    parts.parent = EXHIBIT_TRY(open_parent(file.name(), *parent, std::move(others)));
  } else {
    EXHIBIT_TRY(check_all_used(file.name(), others));
  }
  parts.description.format = "vdi";
  parts.description.size = header.size;
  parts.description.identity = header.identity;
  parts.files.push_back(file);
  parts.map = std::make_unique<VdiMap>(file, header);
  return make_mapped_image(std::move(parts));
}

}  // namespace
}  // namespace vdi

extern const Format vdi_format;
const Format vdi_format = {"vdi", image::vdi::recognise, image::vdi::open};

}  // namespace exhibit::image
