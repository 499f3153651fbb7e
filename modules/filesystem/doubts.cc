#include "filesystem/doubts.h"

#include <algorithm>
#include <iterator>

namespace exhibit::filesystem {

void Doubts::add(std::uint64_t offset, std::uint64_t length, DoubtCause cause) {
  if (length == 0) return;
  std::uint64_t end = offset + length;
  auto next = known_.upper_bound(offset);
  if (next != known_.begin()) {  // what is known already stays as it is
    const auto before = std::prev(next);
    offset = std::max(offset, before->first + before->second.first);
  }
  while (offset < end) {
    const std::uint64_t until = next == known_.end() ? end : std::min(end, next->first);
    if (offset < until) known_.emplace(offset, std::pair(until - offset, cause));
    if (next == known_.end()) break;
    offset = std::max(offset, next->first + next->second.first);
    ++next;
  }
}

std::vector<Doubt> Doubts::within(std::uint64_t offset, std::uint64_t length) const {
  const std::uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
  std::vector<Doubt> found;
  for (const auto& [start, rest] : known_) {
    const std::uint64_t from = std::max(start, offset), to = std::min(start + rest.first, end);
    if (from >= to) continue;
    if (!found.empty() && found.back().cause == rest.second && found.back().offset + found.back().length == from) {
      found.back().length += to - from;
    } else {
      found.push_back({from, to - from, rest.second});
    }
  }
  return found;
}

}  // namespace exhibit::filesystem
