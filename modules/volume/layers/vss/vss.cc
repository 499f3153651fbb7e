// NTFS shadow copies, through libvshadow: the volume as it was, once for each store. Nothing of them is hidden by what
// the file system says of the volume now.

#include <algorithm>

#include "volume/bytes.h"
#include "volume/derived_source.h"
#include "volume/layer.h"
#include "volume/layers/vss/shadow_volume.h"
#include "volume/table.h"

namespace exhibit::volume {
namespace vss {
namespace {

using namespace std::string_view_literals;

// libvshadow's documentation, "Volume header": 512 bytes at 0x1e00 that begin with the VSS identifier
// 3808876b-c176-4e48-b7ae-04046e6cc752; where the catalog lies, 0 where there is none.
constexpr std::uint64_t header_at = 0x1e00;
constexpr std::size_t header_bytes = 512, catalog_at = 48;
constexpr auto mark = "\x6b\x87\x08\x38\x76\xc1\x48\x4e\xb7\xae\x04\x04\x6e\x6c\xc7\x52"sv;

bool recognise(ByteSource& volume) {
  const std::string header = bytes_at(volume, header_at, header_bytes);
  return header.size() == header_bytes && header.starts_with(mark) && little(header, catalog_at, 8) != 0;
}

class Snapshot final : public DerivedSource {
 public:
  Snapshot(ByteSource& volume, std::shared_ptr<ShadowVolume> shadow, std::size_t index, std::uint64_t size)
      : DerivedSource(volume, size), shadow_(std::move(shadow)), index_(index) {}

 protected:
  Result<void> derive(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (shadow_->read(index_, offset, buffer)) return {};
    return Error{ErrorCode::corrupt, "libvshadow can't give the volume as it was here", {}, offset};
  }

 private:
  std::shared_ptr<ShadowVolume> shadow_;
  std::size_t index_;
};

// What of the volume may be otherwise than it was: what this store keeps, and what any later one does.
std::optional<std::vector<Range>> differing(const ShadowVolume& shadow, std::size_t index) {
  std::vector<Range> ranges, joined;
  for (std::size_t i = index; i < shadow.stores(); ++i)
    if (!shadow.changed(i, ranges)) return std::nullopt;
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.offset < b.offset; });
  for (const Range& range : ranges) {
    if (!joined.empty() && range.offset <= joined.back().offset + joined.back().length) {
      const std::uint64_t end = std::max(joined.back().offset + joined.back().length, range.offset + range.length);
      joined.back().length = end - joined.back().offset;
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

Result<void> open(ByteSource& volume, const std::vector<Key>&, Holding& holding) {
  holding.layer = {{"type", "vss"}};
  const std::shared_ptr<ShadowVolume> shadow = ShadowVolume::open(volume);
  if (shadow == nullptr)
    return Error{ErrorCode::corrupt, "the volume has shadow copies, but their catalog can't be read", {}, {}};
  if (shadow->stores() < shadow->said())
    holding.problems.push_back({ErrorCode::size_limit,
                                "the volume says that it has " + std::to_string(shadow->said()) +
                                    " shadow copies; only " + std::to_string(shadow->stores()) + " are looked at",
                                {},
                                {}});
  for (std::size_t i = 0; i < shadow->stores(); ++i) {
    const ShadowVolume::Store store = shadow->describe(i);
    const std::string name = "vss" + std::to_string(i + 1);
    if (!store.has_data || store.size == 0) {
      holding.problems.push_back(
          {ErrorCode::corrupt, "shadow copy " + name + " (" + store.id + ") has no data in the volume", {}, {}});
      continue;
    }
    Inner inner;
    inner.volume.id = name;
    inner.volume.kind = "snapshot";
    inner.volume.size = store.size;
    inner.volume.transform = "vss";
    inner.volume.facts = {
        {"layer", {{"type", "vss"}, {"id", store.id}, {"copy_id", store.copy_id}, {"set_id", store.set_id}}},
        {"created", store.created}};
    inner.bytes = std::make_unique<Snapshot>(volume, shadow, i, store.size);
    inner.differing = differing(*shadow, i);
    if (!inner.differing)
      holding.problems.push_back({ErrorCode::corrupt,
                                  "shadow copy " + name + " (" + store.id + "): its table of blocks can't be read",
                                  {},
                                  {}});
    holding.inner.push_back(std::move(inner));
  }
  return {};
}

}  // namespace
}  // namespace vss

extern const Layer vss_layer;
const Layer vss_layer = {"vss", 100, true, vss::recognise, vss::open};

}  // namespace exhibit::volume
