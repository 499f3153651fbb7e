#pragma once
// Stretches of a content that are in doubt, as reading meets them.

#include <exhibit/byte_source.h>

#include <map>

namespace exhibit::filesystem {

class Doubts {
 public:
  // What is known already stays as it is.
  void add(std::uint64_t offset, std::uint64_t length, DoubtCause cause);
  // Sorted, clipped to [offset, offset + length); neighbours of one cause are one stretch.
  std::vector<Doubt> within(std::uint64_t offset, std::uint64_t length) const;

 private:
  std::map<std::uint64_t, std::pair<std::uint64_t, DoubtCause>> known_;  // disjoint
};

}  // namespace exhibit::filesystem
