#pragma once
// Which of a snapshot's items are as the volume has them now: told once, with the volume.

#include <array>
#include <string>
#include <vector>

#include "volume/layer.h"
#include "worker/task.h"

namespace exhibit::worker {

class Unchanged {
 public:
  // `now`: the volume that the snapshot is of; `then`: the snapshot. Walks `now`; each object that it meets is a touch
  // of `output`, and its problems are the volume's own, told elsewhere. All must outlive it.
  static Result<Unchanged> create(OpenVolume& now, OpenVolume& then, const std::vector<volume::Range>& differing,
                                  Output& output);

  // Whether the volume has an item of the same place, metadata and bytes. Where that can't be known it hasn't.
  bool holds(const Item& item);

 private:
  using Key = std::array<std::uint64_t, 2>;
  Unchanged(OpenVolume& now, OpenVolume& then, const std::vector<volume::Range>& differing)
      : now_(&now), then_(&then), differing_(&differing) {}
  static Key key_of(Item item);
  bool has_same_bytes(const Item& item);
  bool is_same(std::uint64_t offset, std::uint64_t length);

  OpenVolume *now_, *then_;
  const std::vector<volume::Range>* differing_;
  std::vector<Key> keys_;  // sorted
};

}  // namespace exhibit::worker
