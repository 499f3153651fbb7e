#pragma once
// Volume within volume, from the medium on: the one place that knows how they nest. An id names the way: E1/p2/luks/p1
// is the first partition of what the LUKS volume on E1/p2 holds.

#include <map>

#include "volume/layer.h"

namespace exhibit::volume {

class Nest {
 public:
  // By the volumes' ids.
  using Keys = std::map<std::string, std::vector<Key>>;

  // All must outlive it.
  Nest(ByteSource& medium, std::uint32_t sector_size, const Keys& keys)
      : medium_(medium), sector_size_(sector_size), keys_(keys) {}

  // The bytes of the volume `id`; `base`: where on the medium the volume lies that the id begins with. They and what is
  // held live as long as the nest. Error: that of the layer on the way that can't be opened, or not_found.
  Result<ByteSource*> bytes(const std::string& id, const Range& base);

  // What the volume holds; found out once.
  Result<const Holding*> holding(const std::string& id, const Range& base);

 private:
  struct Node {
    std::unique_ptr<ByteSource> slice;  // of the medium; nullptr for a nested volume
    ByteSource* bytes = nullptr;
    std::string kind;
    std::optional<Holding> holding;
  };
  Result<Node*> node(const std::string& id, const Range& base);
  void look_into(const std::string& id, Node& node);
  void open_layer(const std::string& id, Node& node, const Layer& layer);
  void list_partitions(const std::string& id, Node& node);

  ByteSource& medium_;
  std::uint32_t sector_size_;
  const Keys& keys_;
  std::map<std::string, Node> nodes_;
};

}  // namespace exhibit::volume
