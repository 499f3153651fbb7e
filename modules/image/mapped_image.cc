#include "image/mapped_image.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "image/damage_map.h"

namespace exhibit::image {
namespace {

class MappedImage final : public Image {
 public:
  explicit MappedImage(MappedParts parts) : parts_(std::move(parts)) {
    for (const Doubt& doubt : parts_.doubts) damage_.add(doubt.offset, doubt.length, doubt.cause);
  }

  const ImageDescription& description() const override { return parts_.description; }
  std::uint64_t size() const override { return parts_.description.size; }
  std::uint64_t damaged_reads() const override { return damaged_reads_; }
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return damage_.within(offset, length);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= size()) return std::size_t{0};
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size() - offset));
    for (std::size_t done = 0; done < wanted;) {
      const std::uint64_t at = offset + done;
      const Stretch stretch = parts_.map->at(at);
      EXHIBIT_CHECK(stretch.length > 0);
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(wanted - done, stretch.length));
      read_stretch(stretch, at, buffer.subspan(done, part));
      done += part;
    }
    if (damage_.touches(offset, wanted)) ++damaged_reads_;
    return wanted;
  }

 private:
  struct Unit {
    std::uint64_t start = UINT64_MAX;
    std::uint64_t last_use = 0;
    std::string bytes;
  };
  // A disk error costs the block it is in and no more.
  static constexpr std::size_t block = 512;
  static constexpr std::uint64_t most_kept = std::uint64_t{8} << 20;  // unpacked bytes, if it is more than one unit
  static constexpr std::size_t most_units = 64;                       // they are looked through one by one

  void read_stretch(const Stretch& stretch, std::uint64_t at, std::span<std::byte> part) {
    switch (stretch.kind) {
      case Stretch::Kind::stored:
        return read_stored(stretch, at, part);
      case Stretch::Kind::packed:
        return read_packed(stretch, at, part);
      case Stretch::Kind::parent:
        return read_parent(at, part);
      case Stretch::Kind::zeros:
        std::memset(part.data(), 0, part.size());
        return;
      case Stretch::Kind::lost:
        return lose(at, part, stretch.cause);
    }
  }

  void lose(std::uint64_t at, std::span<std::byte> part, DoubtCause cause) {
    std::memset(part.data(), 0, part.size());
    damage_.add(at, part.size(), cause);
  }

  void read_stored(const Stretch& stretch, std::uint64_t at, std::span<std::byte> part) {
    const auto got = parts_.files[stretch.file].read(stretch.place, part);
    if (got.ok()) {
      if (*got < part.size()) lose(at + *got, part.subspan(*got), DoubtCause::missing_segment);
      return;
    }
    if (part.size() <= block) return lose(at, part, DoubtCause::read_error);
    for (std::size_t done = 0; done < part.size();) {
      const std::size_t step = std::min(part.size() - done, block - static_cast<std::size_t>((at + done) % block));
      Stretch piece = stretch;
      piece.place += done;
      read_stored(piece, at + done, part.subspan(done, step));
      done += step;
    }
  }

  void read_parent(std::uint64_t at, std::span<std::byte> part) {
    std::size_t got = 0;
    if (parts_.parent) {
      const auto read = parts_.parent->read_at(at, part);
      if (!read.ok()) return lose(at, part, DoubtCause::read_error);
      got = *read;
      for (const Doubt& doubt : parts_.parent->doubts(at, got)) damage_.add(doubt.offset, doubt.length, doubt.cause);
    }
    std::memset(part.data() + got, 0, part.size() - got);
  }

  void read_packed(const Stretch& stretch, std::uint64_t at, std::span<std::byte> part) {
    const Unit* unit = find(stretch.unit);
    if (unit == nullptr) {
      const auto known = bad_.find(stretch.unit);
      const auto cause = known != bad_.end() ? std::optional(known->second) : unpack(stretch, unit);
      if (cause) {
        bad_.emplace(stretch.unit, *cause);
        return lose(at, part, *cause);
      }
    }
    std::memcpy(part.data(), unit->bytes.data() + (at - stretch.unit), part.size());
  }

  // Nothing where all went well; `unit` is then the unpacked one.
  std::optional<DoubtCause> unpack(const Stretch& stretch, const Unit*& unit) {
    if (stretch.unit_length > longest_unit || stretch.packed_length > longest_packed) return DoubtCause::read_error;
    const ContainerFile& file = parts_.files[stretch.file];
    // A writer may say that a unit reaches to the end of a sector that the file doesn't have.
    const std::uint64_t there = stretch.place < file.size() ? file.size() - stretch.place : 0;
    if (there == 0) return DoubtCause::missing_segment;
    const std::string stored =
        file.some(stretch.place, static_cast<std::size_t>(std::min(there, stretch.packed_length)));
    Unit& room = oldest(stretch.unit_length);
    room.start = UINT64_MAX;
    room.bytes.resize(static_cast<std::size_t>(stretch.unit_length));
    if (!parts_.map->unpack(stretch, stored, std::as_writable_bytes(std::span(room.bytes))))
      return there < stretch.packed_length ? DoubtCause::missing_segment : DoubtCause::crc_error;
    room.start = stretch.unit;
    room.last_use = ++uses_;
    unit = &room;
    return std::nullopt;
  }

  const Unit* find(std::uint64_t start) {
    for (Unit& unit : units_) {
      if (unit.start != start) continue;
      unit.last_use = ++uses_;
      return &unit;
    }
    return nullptr;
  }

  Unit& oldest(std::uint64_t length) {
    const auto most = std::clamp<std::uint64_t>(most_kept / std::max<std::uint64_t>(length, 1), 1, most_units);
    if (units_.size() > most) units_.resize(static_cast<std::size_t>(most));
    if (units_.size() < most) return units_.emplace_back();
    return *std::min_element(units_.begin(), units_.end(),
                             [](const Unit& a, const Unit& b) { return a.last_use < b.last_use; });
  }

  MappedParts parts_;
  DamageMap damage_;
  std::vector<Unit> units_;
  std::map<std::uint64_t, DoubtCause> bad_;  // units, by their start: not unpacked a second time
  std::uint64_t uses_ = 0, damaged_reads_ = 0;
};

}  // namespace

Result<std::unique_ptr<Image>> make_mapped_image(MappedParts parts) {
  const std::string& name = parts.segments.front().name;
  if (parts.description.size > static_cast<std::uint64_t>(INT64_MAX))
    return Error{ErrorCode::size_limit, name + ": says that its medium is larger than 2^63 bytes", name, {}};
  if (parts.description.size == 0) return Error{ErrorCode::corrupt, name + ": holds a medium of no bytes", name, {}};
  return std::unique_ptr<Image>(std::make_unique<MappedImage>(std::move(parts)));
}

std::vector<SegmentFile> split_off_others(std::vector<SegmentFile>& segments) {
  const auto behind = segments.begin() + static_cast<std::ptrdiff_t>(pieces_of_first(segments));
  std::vector<SegmentFile> others(std::make_move_iterator(behind), std::make_move_iterator(segments.end()));
  segments.erase(behind, segments.end());
  return others;
}

std::string base_name(std::string_view path) {
  const std::size_t slash = path.find_last_of("/\\");
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

std::optional<SegmentFile> take_file(std::vector<SegmentFile>& segments, std::string_view name) {
  const std::string wanted = base_name(name);
  const auto found = std::find_if(segments.begin(), segments.end(), [&](const auto& s) { return s.name == wanted; });
  if (found == segments.end()) return std::nullopt;
  SegmentFile taken = std::move(*found);
  segments.erase(found);
  return taken;
}

Result<std::unique_ptr<Image>> open_parent(const std::string& child, const std::string& parent,
                                           std::vector<SegmentFile> others, const std::optional<std::string>& as) {
  auto file = take_file(others, parent);
  if (!file) {
    const std::string wanted = base_name(parent);
    return Error{ErrorCode::not_found,
                 child + ": is a difference to " + wanted + ", which is missing; give it with --segments " + wanted +
                     ", and likewise what that one is a difference to",
                 child,
                 {}};
  }
  std::vector<SegmentFile> segments;
  segments.push_back(std::move(*file));
  // A plain medium takes no other files: they would be taken for its later pieces.
  if (as == "raw") EXHIBIT_TRY(check_all_used(child, others));
  for (SegmentFile& other : others) segments.push_back(std::move(other));
  auto opened = EXHIBIT_TRY(open_image(std::move(segments), as));
  if (opened->description().format == "split-raw") {
    return Error{ErrorCode::invalid_argument,
                 child + ": more files were given than it and its parent " + base_name(parent) +
                     " are made of; leave out of --segments what doesn't belong to it",
                 child,
                 {}};
  }
  return opened;
}

Result<void> check_all_used(const std::string& image, const std::vector<SegmentFile>& others) {
  if (others.empty()) return {};
  return Error{
      ErrorCode::invalid_argument,
      image + ": has no use for " + others.front().name + "; leave it out of --segments, or put it into another folder",
      image,
      {}};
}

}  // namespace exhibit::image
