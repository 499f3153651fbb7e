#pragma once
// The stretches of a source that are not vouched for.

#include <exhibit/byte_source.h>

#include <map>

namespace exhibit::image {

class DamageMap {
 public:
  // Where stretches overlap, the one that was added first keeps its cause.
  void add(std::uint64_t offset, std::uint64_t length, DoubtCause cause);
  // Sorted, without overlaps, clipped to [offset, offset + length); neighbours of one cause are one stretch.
  std::vector<Doubt> within(std::uint64_t offset, std::uint64_t length) const;
  bool touches(std::uint64_t offset, std::uint64_t length) const;

 private:
  std::map<std::uint64_t, Doubt> stretches_;  // by offset, never overlapping
};

}  // namespace exhibit::image
