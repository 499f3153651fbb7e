#include "mount/tree.h"

#include <algorithm>

#include "base/record.h"
#include "base/text.h"
#include "mount/names.h"

namespace exhibit::mount {
namespace {

constexpr std::string_view orphan_folder = "/$OrphanFiles";  // as a walk calls it
// Each folder has an entry that describes it, or will have: more that have none come of no file system.
constexpr std::uint64_t most_undescribed = std::uint64_t{1} << 20;
constexpr char image_name[] = "image.raw", problems_name[] = "problems.jsonl";

// The metadata address of "E1/p2/i36-128-1" without its attribute: what all streams of an entry share.
std::string address_of(const Item& item) {
  std::string address = item.content.substr(item.content.rfind('/') + 1);
  return address.substr(0, address.find('-'));
}

struct Name {
  std::string path;  // of the entry, as it is stored
  std::string stream;
};

// The exact bytes: path_raw holds the path's, and the stream's behind a ':' where that is what isn't UTF-8.
Result<Name> name_of(const Item& item) {
  Name name{item.path, item.stream.value_or("")};
  if (!item.path_raw) return name;
  const std::string raw = EXHIBIT_TRY(base::base64_decode(*item.path_raw));
  name.path = raw;
  if (!item.stream || base::clean_utf8(raw).text == item.path) return name;
  for (std::size_t colon = raw.rfind(':'); colon != std::string::npos && colon > 0; colon = raw.rfind(':', colon - 1)) {
    if (base::clean_utf8(raw.substr(0, colon)).text != item.path) continue;
    name.path = raw.substr(0, colon);
    name.stream = raw.substr(colon + 1);
    break;
  }
  return name;
}

std::string_view last_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

const char* TreeBuilder::folder_name(Part part) {
  constexpr std::array<const char*, parts> names = {"",       "$Deleted", "$Orphans", "$Overwritten", "$Unallocated",
                                                    "$Slack", "$Carved"};
  return names[part];
}

Result<TreeBuilder> TreeBuilder::create(const std::string& folder, const std::string& evidence_id,
                                        std::uint64_t bytes) {
  TreeBuilder builder({EXHIBIT_TRY(NodeTable::create(folder)), {}, EXHIBIT_TRY(Store::create(folder))});
  builder.streams_ = std::make_unique<Store>(EXHIBIT_TRY(Store::create(folder)));
  builder.tree_.spaces[evidence_id] = {evidence_id, 0, bytes, bytes, root_node, false};
  Item image;
  image.id = image.volume = image.content = evidence_id;
  image.path = std::string("/") + image_name;
  image.size = bytes;
  image.extents = {{0, bytes}};
  EXHIBIT_TRY(builder.tree_.nodes.add(root_node, image_name, base::to_line(image), false));
  return builder;
}

// "E1/p2" -> "p2", "E1/p2/luks" -> "p2.luks".
Result<void> TreeBuilder::add_volume(Space space, const std::string& filesystem) {
  const std::string id = space.id;
  std::string name = id.substr(id.find('/') + 1);
  std::replace(name.begin(), name.end(), '/', '.');
  const NodeId folder = EXHIBIT_TRY(tree_.nodes.add(root_node, safe_name(name), {}, true));
  space.folder = folder;
  space.has_attributes = filesystem.starts_with("ext") || filesystem == "xfs";
  tree_.spaces[id] = std::move(space);
  Folders folders;
  folders.fill(no_node);
  folders[files] = folder;
  folders_[id] = folders;
  return {};
}

Result<void> TreeBuilder::add_problem(std::string_view line) {
  EXHIBIT_TRY(tree_.problems.append_bytes(line));
  return tree_.problems.append_bytes("\n");
}

TreeBuilder::Part TreeBuilder::part_of(const Item& item) {
  switch (item.state) {
    case ItemState::deleted:
      return deleted;
    case ItemState::orphan:
      return orphans;
    case ItemState::overwritten:
      return overwritten;
    case ItemState::carved:
      return carved;
    case ItemState::allocated:
    case ItemState::member:
      break;
  }
  return files;
}

Result<NodeId> TreeBuilder::folder_of(const std::string& volume_id, Part part) {
  const auto found = folders_.find(volume_id);
  if (found == folders_.end()) return Error{ErrorCode::corrupt, "an item of a volume that isn't there", volume_id, {}};
  NodeId& folder = found->second[part];
  if (folder == no_node) folder = EXHIBIT_TRY(tree_.nodes.add(found->second[files], folder_name(part), {}, true));
  return folder;
}

// What evidence calls like one of ours gets another name, whichever comes first.
bool TreeBuilder::is_reserved(NodeId parent, std::string_view name) const {
  if (!name.starts_with('$')) return false;
  bool is_ours = false;
  for (std::size_t part = deleted; part < parts; ++part) is_ours |= name == folder_name(static_cast<Part>(part));
  return is_ours &&
         std::any_of(folders_.begin(), folders_.end(), [&](const auto& each) { return each.second[files] == parent; });
}

// An entry's name in `parent` that no other has: its own, or with its address behind it.
Result<std::string> TreeBuilder::free_name(NodeId parent, const std::string& name, const std::string& address) {
  std::string candidate = safe_name(name);
  for (int copy = 1;; ++copy) {
    if (!is_reserved(parent, candidate) && EXHIBIT_TRY(tree_.nodes.find(parent, candidate)) == no_node)
      return candidate;
    const std::string mark = "#" + address + (copy > 1 ? "-" + std::to_string(copy) : "");
    candidate = safe_name(name, longest_name - mark.size()) + mark;
  }
}

// A folder of that name, made where there is none. Where a file has the name, the folder has another.
Result<NodeId> TreeBuilder::folder_in(NodeId parent, std::string_view name) {
  constexpr std::string_view mark = "#folder";
  std::string candidate = safe_name(name);
  NodeId found = is_reserved(parent, candidate) ? no_node : EXHIBIT_TRY(tree_.nodes.find(parent, candidate));
  const bool taken = is_reserved(parent, candidate) || (found != no_node && !tree_.nodes.at(found).is_folder);
  if (taken) {
    candidate = safe_name(name, longest_name - mark.size()).append(mark);
    found = EXHIBIT_TRY(tree_.nodes.find(parent, candidate));
    // Nothing but what an image does on purpose is called so: then its entries stand beside the file.
    if (found != no_node && !tree_.nodes.at(found).is_folder) return parent;
  }
  if (found != no_node) return found;
  if (++undescribed_ > most_undescribed + items_)
    return Error{ErrorCode::size_limit, "its paths name more folders than it has entries", {}, {}};
  return tree_.nodes.add(parent, candidate, {}, true);
}

Result<NodeId> TreeBuilder::parent_of(NodeId base, std::string_view path) {
  NodeId parent = base;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parent = EXHIBIT_TRY(folder_in(parent, path.substr(0, end)));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parent;
}

Result<void> TreeBuilder::add_item(const base::RecordLine& record) {
  const Item item = EXHIBIT_TRY(base::item_from_record(record));
  ++items_;
  // $Orphans stands for it.
  if (item.kind == ItemKind::virtual_file && item.path == orphan_folder) return {};
  if (!item.stream) return add_entry(item, record.text());
  stream_places_.push_back(EXHIBIT_TRY(streams_->append(record.text())));
  return {};
}

Result<TreeBuilder::Place> TreeBuilder::place_of(const Item& item) {
  const Part part = part_of(item);
  const Name name = EXHIBIT_TRY(name_of(item));
  std::string_view path = name.path;
  if (part == orphans && path.starts_with(orphan_folder)) path.remove_prefix(orphan_folder.size());
  const std::string_view last = last_of(path);
  path.remove_suffix(last.size());
  Place place{EXHIBIT_TRY(folder_of(item.volume, part)), std::string(last), name.stream};
  if (part != carved) place.parent = EXHIBIT_TRY(parent_of(place.parent, path));
  return place;
}

Result<void> TreeBuilder::add_entry(const Item& item, std::string_view line) {
  const Place place = EXHIBIT_TRY(place_of(item));
  const bool is_folder = item.kind == ItemKind::directory;
  if (is_folder) {
    const std::string safe = safe_name(place.name);
    const NodeId known = is_reserved(place.parent, safe) ? no_node : EXHIBIT_TRY(tree_.nodes.find(place.parent, safe));
    const bool is_it = known != no_node && tree_.nodes.at(known).is_folder && !tree_.nodes.is_described(known);
    if (is_it) {
      --undescribed_;
      return tree_.nodes.describe(known, line);
    }
  }
  const std::string name = EXHIBIT_TRY(free_name(place.parent, place.name, address_of(item)));
  EXHIBIT_TRY(tree_.nodes.add(place.parent, name, line, is_folder));
  return {};
}

// The entry whose stream it is: that of its name and address.
Result<NodeId> TreeBuilder::owner_of(const Place& place, const Item& stream) {
  const std::string address = address_of(stream);
  const std::string mark = "#" + address;
  for (const std::string& candidate :
       {safe_name(place.name), safe_name(place.name, longest_name - mark.size()) + mark}) {
    const NodeId found = EXHIBIT_TRY(tree_.nodes.find(place.parent, candidate));
    if (found == no_node) continue;
    const auto item = EXHIBIT_TRY(tree_.nodes.item(found));
    if (item && address_of(*item) == address) return found;
  }
  return no_node;
}

Result<void> TreeBuilder::add_stream(const Item& item, std::string_view line) {
  const Place place = EXHIBIT_TRY(place_of(item));
  const NodeId owner = EXHIBIT_TRY(owner_of(place, item));
  const std::string shown = owner == no_node ? place.name : EXHIBIT_TRY(tree_.nodes.name(owner));
  const std::string name = EXHIBIT_TRY(free_name(place.parent, shown + ":" + place.stream, address_of(item)));
  const NodeId node = EXHIBIT_TRY(tree_.nodes.add(place.parent, name, line, false));
  if (owner != no_node) tree_.nodes.add_stream(owner, node);
  return {};
}

Result<void> TreeBuilder::add_runs(const std::string& volume_id, const base::Json& runs) {
  const auto space = tree_.spaces.find(volume_id);
  EXHIBIT_CHECK(space != tree_.spaces.end());
  for (const base::Json& run : runs) {
    const Part part = run.at(2) == 1 ? slack : unallocated;
    EXHIBIT_TRY(add_run(space->second, part, run.at(0).get<std::uint64_t>(), run.at(1).get<std::uint64_t>()));
  }
  return {};
}

Result<void> TreeBuilder::add_run(const Space& space, Part part, std::uint64_t offset, std::uint64_t length) {
  const std::string name = std::to_string(offset) + "-" + std::to_string(length);
  Item item;
  item.volume = space.id;
  item.id = item.content = space.id + "#" + name;
  item.path = std::string("/") + folder_name(part) + "/" + name;
  item.size = length;
  item.extents = {{static_cast<std::int64_t>(offset), length}};
  const NodeId parent = EXHIBIT_TRY(folder_of(space.id, part));
  EXHIBIT_TRY(tree_.nodes.add(parent, name, base::to_line(item), false));
  return {};
}

Result<Tree> TreeBuilder::finish() {
  EXHIBIT_TRY(streams_->finish());
  base::RecordLine record;
  for (const std::uint64_t place : stream_places_) {
    const std::string line = EXHIBIT_TRY(streams_->read(place));
    EXHIBIT_TRY(record.read_any(line));
    EXHIBIT_TRY(add_stream(EXHIBIT_TRY(base::item_from_record(record)), line));
  }
  EXHIBIT_TRY(tree_.problems.finish());
  if (tree_.problems.size() > 0) {
    Item file;
    file.path = std::string("/") + problems_name;
    file.size = tree_.problems.size();
    tree_.problems_file = EXHIBIT_TRY(tree_.nodes.add(root_node, problems_name, base::to_line(file), false));
  }
  EXHIBIT_TRY(tree_.nodes.finish());
  return std::move(tree_);
}

}  // namespace exhibit::mount
