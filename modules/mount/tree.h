#pragma once
// What a mount shows: the records of an image as folders and files. docs/mount.md says what lies where.

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/record_line.h"
#include "mount/node_table.h"

namespace exhibit::mount {

// The bytes that items count their extents in: a volume's, or the whole medium's under the evidence's id.
struct Space {
  std::string id;
  // Bytes of the medium: where the volume on it lies that the id begins with (worker/task.h).
  std::uint64_t offset = 0, size = 0;
  std::uint64_t bytes = 0;      // its own size
  NodeId folder = no_node;      // the root for the medium
  bool has_attributes = false;  // its file system stores extended attributes that a worker reads (ext)
};

struct Tree {
  NodeTable nodes;
  std::map<std::string, Space, std::less<>> spaces;
  Store problems;  // lines of problem records
  NodeId problems_file = no_node;
};

class TreeBuilder {
 public:
  // `folder` takes what doesn't fit into memory. `bytes`: of the medium.
  static Result<TreeBuilder> create(const std::string& folder, const std::string& evidence_id, std::uint64_t bytes);

  // `space`: without its folder. `filesystem`: its type as in the volume's record; empty where it has none.
  Result<void> add_volume(Space space, const std::string& filesystem);
  // An item of a volume that was added, carved ones included; in any order.
  Result<void> add_item(const base::RecordLine& record);
  Result<void> add_problem(std::string_view line);
  // What a volume's account says: [offset, length, whether it is slack] (message `runs`).
  Result<void> add_runs(const std::string& volume_id, const base::Json& runs);

  // After the last of them.
  Result<Tree> finish();

 private:
  enum Part : std::size_t { files, deleted, orphans, overwritten, unallocated, slack, carved, parts };
  static const char* folder_name(Part part);
  using Folders = std::array<NodeId, parts>;  // no_node where a volume has none yet

  explicit TreeBuilder(Tree tree) : tree_(std::move(tree)) {}
  static Part part_of(const Item& item);
  Result<NodeId> folder_of(const std::string& volume_id, Part part);
  Result<NodeId> folder_in(NodeId parent, std::string_view name);
  Result<NodeId> parent_of(NodeId base, std::string_view path);
  bool is_reserved(NodeId parent, std::string_view name) const;
  Result<std::string> free_name(NodeId parent, const std::string& name, const std::string& address);
  // Where an item belongs, and what it is called there if that is free.
  struct Place {
    NodeId parent;
    std::string name, stream;
  };
  Result<Place> place_of(const Item& item);
  Result<void> add_entry(const Item& item, std::string_view line);
  Result<void> add_stream(const Item& item, std::string_view line);
  Result<NodeId> owner_of(const Place& place, const Item& stream);
  Result<void> add_run(const Space& space, Part part, std::uint64_t offset, std::uint64_t length);

  Tree tree_;
  std::uint64_t items_ = 0, undescribed_ = 0;  // folders that only paths name
  std::map<std::string, Folders, std::less<>> folders_;
  std::unique_ptr<Store> streams_;            // lines of what can only be placed once all entries are
  std::vector<std::uint64_t> stream_places_;  // in it
};

}  // namespace exhibit::mount
