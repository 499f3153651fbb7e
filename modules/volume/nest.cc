#include "volume/nest.h"

#include <algorithm>

#include "base/volume_id.h"

namespace exhibit::volume {
namespace {

constexpr std::ptrdiff_t most_levels = 8;

class Collector final : public base::Reporter {
 public:
  explicit Collector(std::vector<Error>& errors) : errors_(errors) {}
  void touch(std::string_view, std::uint64_t) override {}
  void problem(const Problem& problem) override {
    errors_.push_back({ErrorCode::corrupt, problem.detail, problem.where, {}});
  }

 private:
  std::vector<Error>& errors_;
};

const Layer* layer_of(ByteSource& bytes) {
  const Layer* found = nullptr;
  for (const Layer* layer : all_layers()) {
    if ((found == nullptr || layer->order < found->order) && layer->recognise(bytes)) found = layer;
  }
  return found;
}

}  // namespace

Result<ByteSource*> Nest::bytes(const std::string& id, const Range& base) { return EXHIBIT_TRY(node(id, base))->bytes; }

Result<const Holding*> Nest::holding(const std::string& id, const Range& base) {
  Node* found = EXHIBIT_TRY(node(id, base));
  if (!found->holding) look_into(id, *found);
  return &*found->holding;
}

Result<Nest::Node*> Nest::node(const std::string& id, const Range& base) {
  if (const auto known = nodes_.find(id); known != nodes_.end()) return &known->second;
  Node made;
  if (!base::is_nested(id)) {
    made.slice = slice(medium_, base.offset, base.length);
    made.bytes = made.slice.get();
  } else {
    const Holding* outer = EXHIBIT_TRY(holding(id.substr(0, id.rfind('/')), base));
    const auto inner =
        std::find_if(outer->inner.begin(), outer->inner.end(), [&](const Inner& each) { return each.volume.id == id; });
    if (inner == outer->inner.end()) {
      if (!outer->problems.empty()) return outer->problems.front();
      return Error{ErrorCode::not_found, "there is no such volume", id, {}};
    }
    made.bytes = inner->bytes.get();
    made.kind = inner->volume.kind;
  }
  return &nodes_.emplace(id, std::move(made)).first->second;
}

void Nest::look_into(const std::string& id, Node& node) {
  Holding& holding = node.holding.emplace();
  // A snapshot of a volume holds the snapshots before it once more; a gap holds nothing that begins anywhere.
  if (node.kind == "snapshot" || node.kind == "gap") return;
  const Layer* layer = layer_of(*node.bytes);
  if (std::count(id.begin(), id.end(), '/') > most_levels) {
    if (layer != nullptr) {
      holding.problems.push_back({ErrorCode::depth_limit, "volumes lie in it, deeper than is looked into", id, {}});
    }
    return;
  }
  if (layer != nullptr) return open_layer(id, node, *layer);
  if (base::is_nested(id) && node.kind != "partition") list_partitions(id, node);
}

void Nest::open_layer(const std::string& id, Node& node, const Layer& layer) {
  Holding& holding = *node.holding;
  const auto given = keys_.find(id);
  auto opened = layer.open(*node.bytes, given == keys_.end() ? std::vector<Key>() : given->second, holding);
  // A mark over damage may be all that is left of what was there before: the file system is asked, too.
  const bool is_sure = opened.ok() || (opened.error().code != ErrorCode::corrupt && !holding.may_be_left_over);
  holding.replaces_filesystem = !layer.beside_filesystem && is_sure;
  if (!opened.ok()) holding.problems.push_back(opened.take_error());
  for (Inner& inner : holding.inner) {
    inner.volume.parent = id;
    inner.volume.id = id + "/" + inner.volume.id;
    if (inner.volume.scheme.empty()) inner.volume.scheme = "none";
  }
}

// Of a volume within another one; those of the medium are the survey's own.
void Nest::list_partitions(const std::string& id, Node& node) {
  Holding& holding = *node.holding;
  Collector collector(holding.problems);
  auto listed = list_volumes(*node.bytes, sector_size_, id, collector);
  if (!listed.ok()) return holding.problems.push_back(listed.take_error());
  if (listed->front().kind == "unpartitioned") return;
  holding.replaces_filesystem = true;
  holding.layer = {{"type", listed->front().scheme}};
  holding.held = {{0, node.bytes->size()}};
  for (Volume& volume : *listed) {
    volume.owned.clear();  // it adds nothing to the medium's coverage
    auto bytes = slice(*node.bytes, volume.offset, volume.size);
    holding.inner.push_back({std::move(volume), std::move(bytes), {}});
  }
}

}  // namespace exhibit::volume
