// LVM2, read by ourselves (docs/decisions/0042): logical volumes that lie wholly on this physical volume, in one piece
// or striped. Others are named with what they are.

#include <algorithm>

#include "base/checked.h"
#include "volume/derived_source.h"
#include "volume/layer.h"
#include "volume/layers/lvm/metadata.h"

namespace exhibit::volume {
namespace lvm {
namespace {

class Mapped final : public DerivedSource {
 public:
  Mapped(ByteSource& volume, std::vector<Segment> segments, std::uint64_t size)
      : DerivedSource(volume, size), segments_(std::move(segments)) {}

 protected:
  Result<void> derive(std::uint64_t offset, std::span<std::byte> buffer) override {
    while (!buffer.empty()) {
      const auto behind = std::upper_bound(segments_.begin(), segments_.end(), offset,
                                           [](std::uint64_t at, const Segment& each) { return at < each.start; });
      const Segment& segment = *std::prev(behind);
      const std::uint64_t within = offset - segment.start;
      std::uint64_t place = segment.stripes.front().offset + within, room = segment.length - within;
      if (segment.stripes.size() > 1) {
        const std::uint64_t chunk = within / segment.stripe_bytes, in_chunk = within % segment.stripe_bytes;
        const auto& stripe = segment.stripes[chunk % segment.stripes.size()];
        place = stripe.offset + chunk / segment.stripes.size() * segment.stripe_bytes + in_chunk;
        room = segment.stripe_bytes - in_chunk;
      }
      const auto part = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(room, buffer.size())));
      const std::size_t got = EXHIBIT_TRY(beneath().read_at(place, part));
      if (got < part.size()) return Error{ErrorCode::io_error, "the physical volume ends early", {}, offset};
      offset += part.size();
      buffer = buffer.subspan(part.size());
    }
    return {};
  }

 private:
  std::vector<Segment> segments_;
};

// Where a segment's stripes lie on this physical volume.
std::vector<Range> ranges_of(const Segment& segment) {
  std::vector<Range> ranges;
  for (const auto& stripe : segment.stripes) ranges.push_back({stripe.offset, segment.length / segment.stripes.size()});
  return ranges;
}

// Why it can't be read; empty where it can. On return every byte of it has its place within the physical volume.
std::string obstacle(const LogicalVolume& volume, const Group& group, std::uint64_t size) {
  std::uint64_t end = 0;
  for (const Segment& segment : volume.segments) {
    if (segment.stripes.empty()) return "is of type " + (segment.type.empty() ? "unknown" : segment.type);
    for (const auto& stripe : segment.stripes) {
      if (stripe.volume != group.own_name)
        return "lies on several physical volumes (" + stripe.volume + " beside " + group.own_name + ")";
    }
    const bool is_striped = segment.stripes.size() > 1;
    if (is_striped &&
        (segment.stripe_bytes == 0 || segment.length % (segment.stripe_bytes * segment.stripes.size()) != 0))
      return "has stripes that make no sense";
    if (segment.start != end || segment.length == 0) return "has a hole in its map";
    end += segment.length;
    for (const Range& range : ranges_of(segment))
      if (!base::within(range.offset, range.length, size)) return "reaches past the physical volume's end";
  }
  return end == 0 ? "has no extents" : "";
}

bool is_plain(const std::string& name) {
  return !name.empty() && name.size() <= 127 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+_.-").find(c) != std::string_view::npos;
  });
}

void add_volume(ByteSource& physical, const Group& group, const LogicalVolume& volume, Holding& holding) {
  if (!is_plain(volume.name)) {
    holding.problems.push_back(
        {ErrorCode::corrupt, "a logical volume (" + volume.id + ") has a name that LVM allows none", {}, {}});
    return;
  }
  const std::string why = obstacle(volume, group, physical.size());
  if (!why.empty()) {
    holding.problems.push_back({ErrorCode::unsupported,
                                "logical volume " + group.name + "/" + volume.name + " (" + volume.id + ") " + why +
                                    ", which Exhibit doesn't put together",
                                {},
                                {}});
    return;
  }
  Inner inner;
  inner.volume.id = "lv-" + volume.name;
  inner.volume.kind = "pool";
  inner.volume.offset = volume.segments.front().stripes.front().offset;
  inner.volume.size = volume.segments.back().start + volume.segments.back().length;
  inner.volume.label = group.name + "/" + volume.name;
  inner.volume.transform = "lvm2";
  inner.volume.facts = {{"layer", {{"type", "lvm2"}, {"id", volume.id}}}};
  inner.bytes = std::make_unique<Mapped>(physical, volume.segments, inner.volume.size);
  for (const Segment& segment : volume.segments)
    for (const Range& range : ranges_of(segment)) holding.held.push_back(range);
  holding.inner.push_back(std::move(inner));
}

bool recognise(ByteSource& volume) { return has_label(volume); }

Result<void> open(ByteSource& volume, const std::vector<Key>&, Holding& holding) {
  holding.layer = {{"type", "lvm2"}};
  PhysicalVolume physical;
  const auto read = read_metadata(volume, physical);
  if (!physical.id.empty()) holding.layer["id"] = physical.id;
  if (!read.ok()) return read.error();
  if (!physical.group) return {};  // a physical volume that nobody uses
  const Group& group = *physical.group;
  holding.layer["group"] = group.name;
  holding.layer["group_id"] = group.id;
  if (group.own_name.empty())
    return Error{ErrorCode::corrupt, "LVM2: the group " + group.name + " doesn't know this physical volume", {}, {}};
  holding.tables = {{0, std::min(group.data_offset, volume.size())}};
  for (const LogicalVolume& each : group.volumes)
    if (each.is_visible) add_volume(volume, group, each, holding);
  return {};
}

}  // namespace
}  // namespace lvm

extern const Layer lvm_layer;
const Layer lvm_layer = {"lvm", 30, false, lvm::recognise, lvm::open};

}  // namespace exhibit::volume
