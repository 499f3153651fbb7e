#pragma once
// The order in which a file system's directories are walked: a directory before those within it, these in the order in
// which it has them; without recursion, as trees may be as deep as their maker liked.

#include <algorithm>
#include <vector>

namespace exhibit::filesystem {

// Until `pending` is empty: takes its last and calls `directory`, which adds to `pending` what lies within.
template <typename Pending, typename Directory>
void walk_depth_first(std::vector<Pending>& pending, const Directory& directory) {
  while (!pending.empty()) {
    const Pending next = std::move(pending.back());
    pending.pop_back();
    const std::size_t before = pending.size();
    directory(next);
    // The last is taken first.
    std::reverse(pending.begin() + static_cast<std::ptrdiff_t>(before), pending.end());
  }
}

}  // namespace exhibit::filesystem
