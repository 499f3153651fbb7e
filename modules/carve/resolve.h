#pragma once
// Which of the objects found in a volume stand: one byte belongs to one object, or to a part of it.

#include <functional>
#include <optional>
#include <vector>

#include "carve/found.h"

namespace exhibit::carve {

struct Standing {
  Found found;
  std::optional<std::size_t> parent;  // its index in the same list
};

// Takes what was found in a volume in the order of place(), and gives what stands, in the same order, in groups that
// share no byte. Memory: what overlaps at one place.
class Resolver {
 public:
  // The least tier that is reported.
  Resolver(const std::vector<Signature>& all, Tier least) : all_(all), least_(least) {}

  // The first and the last byte, plus one, that any extent touches: what `take` is sorted by (first, then last).
  static std::pair<std::uint64_t, std::uint64_t> place(const Found& found);

  void take(Found found, const std::function<void(std::vector<Standing>)>& standing);
  void finish(const std::function<void(std::vector<Standing>)>& standing);

 private:
  const std::vector<Signature>& all_;
  Tier least_;
  std::vector<Found> group_;
  std::uint64_t group_end_ = 0;
};

}  // namespace exhibit::carve
