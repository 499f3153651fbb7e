#pragma once
// The tree of a mount: some fifty bytes of memory an entry, its name and record in a Store.

#include <exhibit/item.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mount/store.h"

namespace exhibit::mount {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = UINT32_MAX, root_node = 0;

struct Node {
  NodeId parent = no_node;
  NodeId first_child = no_node, last_child = no_node, next = no_node;  // entries of a folder, in order
  NodeId first_stream = no_node, next_stream = no_node;                // of the same entry, but the main one
  std::uint32_t name_digest = 0;
  bool is_folder = false;
  std::uint64_t name = 0, record = 0;  // in the store
};

class NodeTable {
 public:
  // With a root.
  static Result<NodeTable> create(const std::string& folder);

  // A new entry of `parent`, which has none of that name. `record` is an item's line; empty: a folder that nothing
  // describes.
  Result<NodeId> add(NodeId parent, std::string_view name, std::string_view record, bool is_folder);
  // Describes a folder that nothing described so far.
  Result<void> describe(NodeId folder, std::string_view record);
  void add_stream(NodeId owner, NodeId stream);
  // After the last of all: from then on what is const may be called by several threads at once.
  Result<void> finish() { return store_.finish(); }

  // no_node where there is none.
  Result<NodeId> find(NodeId parent, std::string_view name) const;
  const Node& at(NodeId id) const { return nodes_[id]; }
  bool has(NodeId id) const { return id < nodes_.size(); }
  std::size_t size() const { return nodes_.size(); }
  std::size_t depth(NodeId id) const;  // the root's is 0
  Result<std::string> name(NodeId id) const { return store_.read(nodes_[id].name); }
  bool is_described(NodeId id) const { return nodes_[id].record != nothing; }
  // nullopt where nothing describes it.
  Result<std::optional<Item>> item(NodeId id) const;

 private:
  static constexpr std::uint64_t nothing = UINT64_MAX;
  explicit NodeTable(Store store) : store_(std::move(store)) {}
  static std::uint32_t digest(NodeId parent, std::string_view name);
  void grow();
  void place(NodeId id);

  Store store_;
  std::vector<Node> nodes_;
  std::vector<NodeId> slots_;  // a hash table with open addressing, at most half full: parent and name -> node
};

}  // namespace exhibit::mount
