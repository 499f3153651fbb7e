// VMware's virtual disks: one file or several, flat or sparse or compressed, alone or as a snapshot over a parent.

#include <algorithm>

#include "base/checked.h"
#include "image/codecs.h"
#include "image/format.h"
#include "image/formats/vmdk/descriptor.h"
#include "image/formats/vmdk/sparse_extent.h"

namespace exhibit::image {
namespace vmdk {
namespace {

// One stretch of the medium, and what it is read from.
struct Part {
  std::uint64_t start = 0, length = 0;  // of the medium, bytes
  std::optional<std::size_t> file;      // none: zeros
  std::uint64_t place = 0;              // flat: in the file
  std::optional<SparseExtent> sparse;
};

class VmdkMap final : public MediumMap {
 public:
  explicit VmdkMap(std::vector<Part> parts) : parts_(std::move(parts)) {}

  Stretch at(std::uint64_t offset) override {
    const auto after = std::upper_bound(parts_.begin(), parts_.end(), offset,
                                        [](std::uint64_t at, const Part& part) { return at < part.start; });
    Part& part = *std::prev(after);
    const std::uint64_t within = offset - part.start, left = part.length - within;
    if (!part.file) return Stretch::zeros(left);
    if (!part.sparse) return Stretch::stored(left, *part.file, part.place + within);
    Stretch stretch = part.sparse->at(within);
    stretch.file = *part.file;
    stretch.length = std::min(stretch.length, left);
    stretch.unit += part.start;
    return stretch;
  }

  bool unpack(const Stretch& stretch, std::string_view stored, std::span<std::byte> out) override {
    return inflater_.zlib(stored, out).value_or(0) >= stretch.method;
  }

 private:
  std::vector<Part> parts_;
  Inflater inflater_;
};

// What the named file is: a descriptor alone, or an extent that may hold one.
struct Head {
  SparseKind kind = SparseKind::none;
  SparseHeader sparse;
  std::optional<Descriptor> descriptor;
};

Result<Head> read_head(const ContainerFile& file) {
  Head head;
  const std::string start = file.some(0, sector_size);
  head.kind = sparse_kind(start);
  if (head.kind == SparseKind::none) {
    head.descriptor = EXHIBIT_TRY(read_descriptor(file, file.some(0, longest_descriptor)));
    return head;
  }
  head.sparse = EXHIBIT_TRY(read_sparse_header(file));
  if (head.sparse.descriptor == 0) return head;
  const auto place = base::checked_multiply(head.sparse.descriptor, sector_size);
  const std::uint64_t sectors =
      std::min<std::uint64_t>(head.sparse.descriptor_sectors, longest_descriptor / sector_size);
  if (!place) return file.corrupt(0, "the VMDK descriptor lies past the file's end");
  const std::string text = EXHIBIT_TRY(file.exactly(*place, static_cast<std::size_t>(sectors * sector_size)));
  // An extent of several may have room for one, and none in it.
  if (is_descriptor(text)) head.descriptor = EXHIBIT_TRY(read_descriptor(file, text));
  return head;
}

bool is_mine(const ContainerFile& file) {
  const std::string start = file.some(0, sector_size);
  return sparse_kind(start) != SparseKind::none || is_descriptor(start);
}

// Extents of a split disk are named so by VMware: …-s001.vmdk, …-f001.vmdk, …-flat.vmdk, …-delta.vmdk; the flat ones
// have no mark of their own.
bool is_named_as_extent(const std::string& name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string::npos) return false;
  const std::string end = name.substr(dash + 1);
  return end.starts_with("flat.") || (end.size() > 4 && end.front() == 'f' && end[1] >= '0' && end[1] <= '9');
}

Recognition recognise(const std::vector<SegmentFile>& segments) {
  const ContainerFile file = ContainerFile::first_of(segments);
  if (!is_mine(file)) {
    const bool claimed = has_extension(file.name(), ".vmdk") && !is_named_as_extent(file.name());
    return claimed ? Recognition::damaged : Recognition::not_mine;
  }
  const auto head = read_head(file);
  return head.ok() || head.error().code != ErrorCode::corrupt ? Recognition::mine : Recognition::damaged;
}

class Opener {
 public:
  explicit Opener(std::vector<SegmentFile> segments) : own_(std::move(segments)), others_(split_off_others(own_)) {}

  Result<std::unique_ptr<Image>> open() {
    const ContainerFile first(own_);
    const Head head = EXHIBIT_TRY(read_head(first));
    name_ = first.name();
    if (!head.descriptor) {
      return Error{ErrorCode::not_found,
                   name_ +
                       ": is one extent of a VMDK in several files; name the descriptor, the .vmdk file that is a "
                       "short text, with this one beside it",
                   name_,
                   {}};
    }
    if (head.kind != SparseKind::none) {
      parts_.description.size = head.sparse.sectors * sector_size;
      parts_.files.push_back(first);
      extents_.push_back({0, parts_.description.size, 0, 0, SparseExtent(first, head.sparse)});
    } else {
      EXHIBIT_TRY(open_extents(head.descriptor->extents));
    }
    describe(*head.descriptor);
    EXHIBIT_TRY(open_parent_of(*head.descriptor));
    parts_.segments = std::move(own_);
    parts_.map = std::make_unique<VmdkMap>(std::move(extents_));
    return make_mapped_image(std::move(parts_));
  }

 private:
  void describe(const Descriptor& descriptor) {
    parts_.description.format = "vmdk";
    parts_.description.identity = descriptor.cid;
    if (!descriptor.create_type.empty()) parts_.description.acquisition["create_type"] = descriptor.create_type;
  }

  // Files first: views of them are made once the vector grows no more.
  Result<void> open_extents(const std::vector<Extent>& extents) {
    if (extents.empty()) return Error{ErrorCode::corrupt, name_ + ": the VMDK descriptor names no extent", name_, 0};
    std::map<std::string, std::size_t> indices;
    for (const Extent& extent : extents) {
      if (extent.type == "ZERO" || indices.contains(base_name(extent.file))) continue;
      auto file = take_file(others_, extent.file);
      if (!file) {
        return Error{ErrorCode::not_found,
                     name_ + ": its extent " + base_name(extent.file) + " is missing; put it beside " + name_ +
                         " or give it with --segments",
                     name_,
                     {}};
      }
      indices.emplace(base_name(extent.file), own_.size());
      own_.push_back(std::move(*file));
    }
    for (const SegmentFile& segment : own_) parts_.files.emplace_back(std::span(&segment, 1));
    for (const Extent& extent : extents) {
      const bool zeros = extent.type == "ZERO";
      EXHIBIT_TRY(add_extent(extent, zeros ? std::nullopt : std::optional(indices[base_name(extent.file)])));
    }
    return {};
  }

  Result<void> add_extent(const Extent& extent, std::optional<std::size_t> file) {
    Part part{parts_.description.size, extent.sectors * sector_size, file, 0, {}};
    const auto end = base::checked_add(part.start, part.length);
    if (!end) return Error{ErrorCode::corrupt, name_ + ": its extents are longer than any medium", name_, 0};
    parts_.description.size = *end;
    if (extent.type == "FLAT" || extent.type == "VMFS") {
      part.place = extent.first_sector * sector_size;
    } else if (extent.type == "SPARSE" || extent.type == "VMFSSPARSE") {
      const ContainerFile& sparse = parts_.files[*file];
      SparseHeader header = EXHIBIT_TRY(read_sparse_header(sparse));
      if (header.sectors < extent.sectors) {
        return sparse.corrupt(0, "is shorter than the descriptor " + name_ + " says: " +
                                     std::to_string(header.sectors) + " sectors of " + std::to_string(extent.sectors));
      }
      part.sparse.emplace(sparse, header);
    } else if (extent.type != "ZERO") {
      return Error{ErrorCode::unsupported,
                   name_ + ": has an extent of the type " + extent.type + ", which this version doesn't read",
                   name_,
                   {}};
    }
    extents_.push_back(std::move(part));
    return {};
  }

  Result<void> open_parent_of(const Descriptor& descriptor) {
    if (!descriptor.has_parent()) return check_all_used(name_, others_);
    parts_.parent = EXHIBIT_TRY(open_parent(name_, descriptor.parent_file, std::move(others_)));
    if (parts_.parent->description().identity == descriptor.parent_cid) return {};
    return Error{ErrorCode::corrupt,
                 name_ + ": " + base_name(descriptor.parent_file) +
                     " isn't the parent that it was made over, or was changed since: its content ID is " +
                     parts_.parent->description().identity + ", not " + descriptor.parent_cid,
                 name_,
                 {}};
  }

  std::string name_;
  std::vector<SegmentFile> own_, others_;
  std::vector<Part> extents_;
  MappedParts parts_;
};

Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) { return Opener(std::move(segments)).open(); }

}  // namespace
}  // namespace vmdk

extern const Format vmdk_format;
const Format vmdk_format = {"vmdk", image::vmdk::recognise, image::vmdk::open};

}  // namespace exhibit::image
