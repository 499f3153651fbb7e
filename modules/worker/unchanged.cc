#include "worker/unchanged.h"

#include <algorithm>
#include <cstring>

#include "base/record.h"
#include "hash/multi_digest.h"

namespace exhibit::worker {
namespace {

constexpr std::size_t piece = std::size_t{64} << 10;

// What the volume's own walk tells is told there.
class Quiet final : public base::Reporter {
 public:
  Quiet(Output& output, std::string object) : output_(output), object_(std::move(object)) {}
  void touch(std::string_view, std::uint64_t bytes) override { output_.touch(object_, bytes); }
  void problem(const Problem&) override {}

 private:
  Output& output_;
  std::string object_;
};

}  // namespace

Result<Unchanged> Unchanged::create(OpenVolume& now, OpenVolume& then, const std::vector<volume::Range>& differing,
                                    Output& output) {
  Unchanged unchanged(now, then, differing);
  auto filesystem = now.filesystem();
  // Of a volume that can't be walked now nothing is known to be as it was.
  if (!filesystem.ok() || *filesystem == nullptr) return unchanged;
  Quiet quiet(output, then.id());
  EXHIBIT_TRY((*filesystem)->walk({}, quiet, [&](const Item& item) { unchanged.keys_.push_back(key_of(item)); }));
  std::sort(unchanged.keys_.begin(), unchanged.keys_.end());
  return unchanged;
}

// 128 bits of the SHA-256 over all that an item says, but for the volume that it lies in.
Unchanged::Key Unchanged::key_of(Item item) {
  item.id.erase(0, item.volume.size());
  item.content.erase(0, item.volume.size());
  item.volume.clear();
  const std::string line = base::to_line(item);
  const std::string digest = hash::digest_of("sha256", line);
  Key key{};
  std::memcpy(key.data(), digest.data(), sizeof key);
  return key;
}

bool Unchanged::holds(const Item& item) {
  return std::binary_search(keys_.begin(), keys_.end(), key_of(item)) && has_same_bytes(item);
}

// Bytes are read only where they may differ.
bool Unchanged::has_same_bytes(const Item& item) {
  if (!item.extents) return item.size == 0 || differing_->empty();
  for (const Extent& extent : *item.extents) {
    if (extent.offset == sparse_run) continue;
    const auto begin = static_cast<std::uint64_t>(extent.offset), end = begin + extent.length;
    auto range = std::partition_point(differing_->begin(), differing_->end(),
                                      [&](const volume::Range& each) { return each.offset + each.length <= begin; });
    for (; range != differing_->end() && range->offset < end; ++range) {
      const std::uint64_t from = std::max(begin, range->offset), to = std::min(end, range->offset + range->length);
      if (!is_same(from, to - from)) return false;
    }
  }
  return true;
}

bool Unchanged::is_same(std::uint64_t offset, std::uint64_t length) {
  std::vector<std::byte> a(static_cast<std::size_t>(std::min<std::uint64_t>(piece, length))), b(a.size());
  while (length > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(a.size(), length));
    const auto now = now_->bytes().read_at(offset, std::span(a).first(part));
    const auto then = then_->bytes().read_at(offset, std::span(b).first(part));
    if (!now.ok() || !then.ok() || *now != part || *then != part) return false;
    if (std::memcmp(a.data(), b.data(), part) != 0) return false;
    if (!now_->bytes().doubts(offset, part).empty() || !then_->bytes().doubts(offset, part).empty()) return false;
    offset += part;
    length -= part;
  }
  return true;
}

}  // namespace exhibit::worker
