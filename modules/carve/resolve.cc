#include "carve/resolve.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace exhibit::carve {
namespace {

std::uint64_t begin_of(const Extent& extent) { return static_cast<std::uint64_t>(extent.offset); }
std::uint64_t end_of(const Extent& extent) { return begin_of(extent) + extent.length; }
std::uint64_t first_byte(const Found& found) { return begin_of(found.extents.front()); }

bool touch(const Found& a, const Found& b) {
  for (const Extent& x : a.extents) {
    for (const Extent& y : b.extents) {
      if (begin_of(x) < end_of(y) && begin_of(y) < end_of(x)) return true;
    }
  }
  return false;
}

bool holds(const Found& outer, const Found& inner) {
  return std::all_of(inner.extents.begin(), inner.extents.end(), [&](const Extent& part) {
    return std::any_of(outer.extents.begin(), outer.extents.end(), [&](const Extent& whole) {
      return begin_of(whole) <= begin_of(part) && end_of(part) <= end_of(whole);
    });
  });
}

// Where in `found`'s content the volume's byte `offset` lies; its size if it doesn't.
std::uint64_t content_offset(const Found& found, std::uint64_t offset) {
  std::uint64_t before = 0;
  for (const Extent& extent : found.extents) {
    if (begin_of(extent) <= offset && offset < end_of(extent)) return before + (offset - begin_of(extent));
    before += extent.length;
  }
  return found.size;
}

// Ends the content at `length`, and says so.
void cut(Found& found, std::uint64_t length) {
  std::uint64_t left = length;
  std::vector<Extent> kept;
  for (Extent extent : found.extents) {
    extent.length = std::min(extent.length, left);
    if (extent.length == 0) break;
    left -= extent.length;
    kept.push_back(extent);
  }
  found.extents = std::move(kept);
  found.digests.clear();
  found.type.clear();
  found.size = length;
  found.sound = std::min(found.sound, length);
  std::erase_if(found.doubts, [&](const Doubt& doubt) { return doubt.offset > length; });
  for (Doubt& doubt : found.doubts) doubt.length = std::min(doubt.length, length - doubt.offset);
  if (found.doubts.empty()) found.doubts.push_back({length, 0, DoubtCause::missing_segment});
}

// Which objects lie near others. A container of a hundred thousand parts would else be compared with each of them, and
// they with each other. Bins on levels, those of each as long as several of the level below: an extent is in the
// smallest bin that holds it whole, so that a large one costs no more than a small one.
class Neighbourhood {
 public:
  void add(const Found& found, std::uint32_t number) {
    for (const Extent& extent : found.extents) {
      if (extent.length == 0) continue;
      std::size_t level = 0;
      while (bin(begin_of(extent), level) != bin(end_of(extent) - 1, level)) ++level;
      levels_[level][bin(begin_of(extent), level)].push_back(number);
    }
  }
  // The numbers of those that may touch `found`, in order.
  std::vector<std::uint32_t> near(const Found& found) const {
    std::vector<std::uint32_t> numbers;
    for (const Extent& extent : found.extents) {
      if (extent.length > 0) gather(begin_of(extent), end_of(extent) - 1, numbers);
    }
    return in_order(std::move(numbers));
  }
  // Of those that may hold the volume's byte `offset`.
  std::vector<std::uint32_t> at(std::uint64_t offset) const {
    std::vector<std::uint32_t> numbers;
    gather(offset, offset, numbers);
    return in_order(std::move(numbers));
  }

 private:
  static constexpr unsigned lowest_bits = 12, bits_a_level = 3;  // of a bin's bytes
  static constexpr std::size_t levels = (64 - lowest_bits + bits_a_level - 1) / bits_a_level + 1;

  static std::uint64_t bin(std::uint64_t offset, std::size_t level) {
    const std::size_t bits = lowest_bits + bits_a_level * level;
    return bits < 64 ? offset >> bits : 0;
  }
  void gather(std::uint64_t first, std::uint64_t last, std::vector<std::uint32_t>& numbers) const {
    for (std::size_t level = 0; level < levels; ++level) {
      const auto& bins = levels_[level];
      for (auto at = bins.lower_bound(bin(first, level)); at != bins.end() && at->first <= bin(last, level); ++at) {
        numbers.insert(numbers.end(), at->second.begin(), at->second.end());
      }
    }
  }
  static std::vector<std::uint32_t> in_order(std::vector<std::uint32_t> numbers) {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    return numbers;
  }

  std::array<std::map<std::uint64_t, std::vector<std::uint32_t>>, levels> levels_;
};

class Group {
 public:
  Group(const std::vector<Signature>& all, std::vector<Found> found) : all_(all), found_(std::move(found)) {
    drop_covered();
    std::sort(found_.begin(), found_.end(), [&](const Found& a, const Found& b) { return claim(a) < claim(b); });
  }

  std::vector<Standing> resolve() {
    for (Found& found : found_) consider(found);
    std::vector<std::uint32_t> order, places(standing_.size());
    for (std::uint32_t i = 0; i < standing_.size(); ++i) {
      if (standing_[i].has_value()) order.push_back(i);
    }
    std::sort(order.begin(), order.end(), [&](std::uint32_t i, std::uint32_t j) {
      const Found &a = *standing_[i], &b = *standing_[j];
      return std::tuple(first_byte(a), b.size, a.signature) < std::tuple(first_byte(b), a.size, b.signature);
    });
    for (std::uint32_t i = 0; i < order.size(); ++i) places[order[i]] = i;
    std::vector<Standing> standing;
    for (const std::uint32_t number : order) {
      const auto parent = parent_of(*standing_[number]);
      standing.push_back({*standing_[number], parent ? std::optional<std::size_t>(places[*parent]) : std::nullopt});
    }
    return standing;
  }

 private:
  // The strongest claim to its bytes first. What was joined and holds is better than the same object broken.
  std::tuple<int, bool, bool, int, std::uint64_t, std::uint64_t, std::uint32_t> claim(const Found& found) const {
    return {-static_cast<int>(found.tier),
            !found.doubts.empty(),
            found.is_joined,
            -static_cast<int>(all_[found.signature].strength),
            UINT64_MAX - found.size,
            first_byte(found),
            found.signature};
  }

  // Of a format that is never a part: what begins within an earlier object of the same format is that object's
  // (Carver::carve passes over it, as far as it sees).
  void drop_covered() {
    std::map<std::uint32_t, std::pair<std::uint64_t, std::uint64_t>> covering;  // by signature: first byte, end
    std::stable_sort(found_.begin(), found_.end(),
                     [](const Found& a, const Found& b) { return first_byte(a) < first_byte(b); });
    std::erase_if(found_, [&](const Found& found) {
      if (all_[found.signature].is_nested || found.is_joined || found.tier < Tier::plausible) return false;
      auto& [begin, end] = covering[found.signature];
      if (first_byte(found) > begin && first_byte(found) < end) return true;
      if (Resolver::place(found).second > end) std::tie(begin, end) = Resolver::place(found);
      return false;
    });
  }

  void consider(Found& found) {
    std::vector<std::uint32_t> absorbed;
    for (const std::uint32_t number : near_.near(found)) {
      if (!standing_[number] || !touch(found, *standing_[number])) continue;
      const Found& other = *standing_[number];
      const bool same_begin = first_byte(found) == first_byte(other);
      if (holds(other, found)) {
        const bool is_part = found.tier == Tier::validated && all_[found.signature].is_nested && !same_begin;
        if (!is_part) return;
      } else if (absorbs(found, other)) {
        absorbed.push_back(number);
      } else if (holds(found, other)) {
        // A broken object may hold whole ones, but only as far as it is itself believed.
        if (found.tier == Tier::validated && !same_begin) continue;
        if (same_begin || !yields_to(found, other)) return;
      } else if (found.tier == Tier::validated || !yields_to(found, other)) {
        return;
      }
    }
    for (const std::uint32_t number : absorbed) standing_[number].reset();
    near_.add(found, static_cast<std::uint32_t>(standing_.size()));
    standing_.emplace_back(found);
  }

  // Whether `other`, of a format that is never reported as a part, lies where `found` is sure of itself: the message
  // that an armoured key was sent in stands, and not the key.
  bool absorbs(const Found& found, const Found& other) const {
    if (all_[other.signature].is_nested || all_[found.signature].strength == Strength::weak) return false;
    const std::uint64_t at = content_offset(found, first_byte(other));
    return at > 0 && holds(found, other) && at <= found.sound && other.size <= found.sound - at;
  }

  // Behind a stretch that is in doubt, an object whose end is known is believed again.
  static bool goes_on_at(const Found& found, std::uint64_t at) {
    return std::any_of(found.doubts.begin(), found.doubts.end(),
                       [&](const Doubt& doubt) { return doubt.length > 0 && doubt.offset + doubt.length <= at; });
  }

  // Whether something is left of a broken object once `other` has its bytes; what is left then ends before it.
  bool yields_to(Found& found, const Found& other) const {
    const std::uint64_t at = content_offset(found, Resolver::place(other).first);
    const bool is_believed = at < found.sound || goes_on_at(found, at);
    if (is_believed && holds(found, other) && all_[other.signature].is_nested) return true;  // its part
    if (found.is_joined || at == 0 || at >= found.size) return false;
    cut(found, at);
    return found.size >= all_[found.signature].minimum;
  }

  std::optional<std::uint32_t> parent_of(const Found& found) const {
    std::optional<std::uint32_t> parent;
    for (const std::uint32_t number : near_.at(first_byte(found))) {
      if (!standing_[number]) continue;
      const Found& other = *standing_[number];
      if (first_byte(other) == first_byte(found) || !holds(other, found)) continue;
      if (!parent || other.size < standing_[*parent]->size) parent = number;
    }
    return parent;
  }

  const std::vector<Signature>& all_;
  std::vector<Found> found_;
  Neighbourhood near_;
  std::vector<std::optional<Found>> standing_;  // none: it was absorbed
};

}  // namespace

std::pair<std::uint64_t, std::uint64_t> Resolver::place(const Found& found) {
  std::pair<std::uint64_t, std::uint64_t> place{UINT64_MAX, 0};
  for (const Extent& extent : found.extents) {
    place.first = std::min(place.first, begin_of(extent));
    place.second = std::max(place.second, end_of(extent));
  }
  return place;
}

void Resolver::take(Found found, const std::function<void(std::vector<Standing>)>& standing) {
  if (found.tier < least_ || found.extents.empty()) return;
  const auto [begin, end] = place(found);
  if (begin >= group_end_) finish(standing);
  group_end_ = std::max(group_end_, end);
  group_.push_back(std::move(found));
}

void Resolver::finish(const std::function<void(std::vector<Standing>)>& standing) {
  if (!group_.empty()) standing(Group(all_, std::exchange(group_, {})).resolve());
  group_end_ = 0;
}

}  // namespace exhibit::carve
