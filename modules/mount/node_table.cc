#include "mount/node_table.h"

#include "base/record.h"

namespace exhibit::mount {

Result<NodeTable> NodeTable::create(const std::string& folder) {
  NodeTable table(EXHIBIT_TRY(Store::create(folder)));
  Node root;
  root.is_folder = true;
  root.name = EXHIBIT_TRY(table.store_.append(""));
  root.record = nothing;
  table.nodes_.push_back(root);
  return table;
}

// FNV-1a over the parent and the name, folded.
std::uint32_t NodeTable::digest(NodeId parent, std::string_view name) {
  constexpr std::uint64_t basis = 0xcbf29ce484222325, prime = 0x100000001b3;
  std::uint64_t value = (basis ^ parent) * prime;
  for (const char c : name) value = (value ^ static_cast<unsigned char>(c)) * prime;
  return static_cast<std::uint32_t>(value ^ value >> 32);
}

void NodeTable::place(NodeId id) {
  std::size_t slot = nodes_[id].name_digest & (slots_.size() - 1);
  while (slots_[slot] != no_node) slot = (slot + 1) & (slots_.size() - 1);
  slots_[slot] = id;
}

void NodeTable::grow() {
  constexpr std::size_t least = 64;
  if (nodes_.size() * 2 < slots_.size()) return;
  slots_.assign(std::max(least, slots_.size() * 2), no_node);
  for (NodeId id = root_node + 1; id < nodes_.size(); ++id) place(id);
}

Result<NodeId> NodeTable::add(NodeId parent, std::string_view name, std::string_view record, bool is_folder) {
  if (nodes_.size() >= no_node) return Error{ErrorCode::size_limit, "more entries than a mount can show", {}, {}};
  Node node;
  node.parent = parent;
  node.name_digest = digest(parent, name);
  node.is_folder = is_folder;
  node.name = EXHIBIT_TRY(store_.append(name));
  node.record = record.empty() ? nothing : EXHIBIT_TRY(store_.append(record));
  const auto id = static_cast<NodeId>(nodes_.size());
  nodes_.push_back(node);
  Node& folder = nodes_[parent];
  if (folder.first_child == no_node) {
    folder.first_child = id;
  } else {
    nodes_[folder.last_child].next = id;
  }
  folder.last_child = id;
  const std::size_t slots = slots_.size();
  grow();
  if (slots_.size() == slots) place(id);
  return id;
}

Result<void> NodeTable::describe(NodeId folder, std::string_view record) {
  nodes_[folder].record = EXHIBIT_TRY(store_.append(record));
  return {};
}

void NodeTable::add_stream(NodeId owner, NodeId stream) {
  nodes_[stream].next_stream = nodes_[owner].first_stream;
  nodes_[owner].first_stream = stream;
}

Result<NodeId> NodeTable::find(NodeId parent, std::string_view name) const {
  if (slots_.empty()) return no_node;
  const std::uint32_t wanted = digest(parent, name);
  for (std::size_t slot = wanted & (slots_.size() - 1); slots_[slot] != no_node;
       slot = (slot + 1) & (slots_.size() - 1)) {
    const NodeId id = slots_[slot];
    if (nodes_[id].name_digest != wanted || nodes_[id].parent != parent) continue;
    if (EXHIBIT_TRY(this->name(id)) == name) return id;
  }
  return no_node;
}

std::size_t NodeTable::depth(NodeId id) const {
  std::size_t depth = 0;
  for (; nodes_[id].parent != no_node; id = nodes_[id].parent) ++depth;
  return depth;
}

Result<std::optional<Item>> NodeTable::item(NodeId id) const {
  if (!is_described(id)) return std::optional<Item>();
  const std::string text = EXHIBIT_TRY(store_.read(nodes_[id].record));
  base::RecordLine line;
  EXHIBIT_TRY(line.read_any(text));
  return std::optional<Item>(EXHIBIT_TRY(base::item_from_record(line)));
}

}  // namespace exhibit::mount
