#include "image/damage_map.h"

#include <algorithm>
#include <iterator>

namespace exhibit::image {

void DamageMap::add(std::uint64_t offset, std::uint64_t length, DoubtCause cause) {
  const std::uint64_t end = offset + length;
  while (offset < end) {
    auto next = stretches_.upper_bound(offset);  // the first that starts after `offset`
    if (next != stretches_.begin()) {
      Doubt& before = std::prev(next)->second;
      const std::uint64_t before_end = before.offset + before.length;
      if (before_end > offset) {
        offset = before_end;
        continue;
      }
      const std::uint64_t free_end = next == stretches_.end() ? end : std::min(end, next->first);
      if (before_end == offset && before.cause == cause) {
        before.length += free_end - offset;
        offset = free_end;
        continue;
      }
    }
    const std::uint64_t free_end = next == stretches_.end() ? end : std::min(end, next->first);
    stretches_.emplace(offset, Doubt{offset, free_end - offset, cause});
    offset = free_end;
  }
}

std::vector<Doubt> DamageMap::within(std::uint64_t offset, std::uint64_t length) const {
  std::vector<Doubt> found;
  const std::uint64_t end = offset + length < offset ? UINT64_MAX : offset + length;
  auto at = stretches_.upper_bound(offset);
  if (at != stretches_.begin()) --at;
  for (; at != stretches_.end() && at->first < end; ++at) {
    const std::uint64_t from = std::max(offset, at->second.offset);
    const std::uint64_t to = std::min(end, at->second.offset + at->second.length);
    if (from >= to) continue;
    if (!found.empty() && found.back().cause == at->second.cause && found.back().offset + found.back().length == from) {
      found.back().length += to - from;
    } else {
      found.push_back({from, to - from, at->second.cause});
    }
  }
  return found;
}

bool DamageMap::touches(std::uint64_t offset, std::uint64_t length) const {
  return !stretches_.empty() && !within(offset, length).empty();
}

}  // namespace exhibit::image
