#include "mount/view.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include "mount/attributes.h"
#include "mount/content.h"
#include "mount/fuse.h"
#include "mount/names.h"

namespace exhibit::mount {
namespace {

// Nothing changes: the kernel need not ask twice.
constexpr double for_ever = 365.0 * 24 * 3600;  // seconds
// The most that an attribute may hold, and a list of their names (XATTR_SIZE_MAX, XATTR_LIST_MAX; linux/limits.h).
constexpr std::size_t largest_attribute = 65536;
constexpr std::size_t longest_attribute_name = 255;
// What evidence calls an attribute is never one on this machine: a label or a capability must mean nothing here.
constexpr char stream_prefix[] = "user.stream.", stored_prefix[] = "user.stored.";

const View& view_of(fuse_req_t request) { return *static_cast<const View*>(fuse_req_userdata(request)); }

fuse_ino_t number_of(NodeId node) { return node + FUSE_ROOT_ID; }
std::optional<NodeId> node_of(const View& view, fuse_ino_t number) {
  const fuse_ino_t node = number - FUSE_ROOT_ID;
  if (node >= view.tree.nodes.size()) return std::nullopt;
  return static_cast<NodeId>(node);
}

Result<struct stat> stat_of(const View& view, NodeId node) {
  const auto item = EXHIBIT_TRY(view.tree.nodes.item(node));
  return mount::stat_of(item, view.tree.nodes.at(node).is_folder, number_of(node));
}

Result<fuse_entry_param> entry_of(const View& view, NodeId node) {
  fuse_entry_param entry{};
  entry.ino = number_of(node);
  entry.attr = EXHIBIT_TRY(stat_of(view, node));
  entry.attr_timeout = entry.entry_timeout = for_ever;
  return entry;
}

void start(void*, fuse_conn_info* connection) {
  connection->max_readahead = engine::largest_read;
  connection->want |= connection->capable &
                      (FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS | FUSE_CAP_CACHE_SYMLINKS);
}

void look_up(fuse_req_t request, fuse_ino_t number, const char* name) {
  const View& view = view_of(request);
  const auto parent = node_of(view, number);
  const auto found = parent ? view.tree.nodes.find(*parent, name) : Result<NodeId>(no_node);
  if (!found.ok()) return void(fuse_reply_err(request, EIO));
  if (*found == no_node) {
    fuse_entry_param none{};
    none.entry_timeout = for_ever;
    return void(fuse_reply_entry(request, &none));
  }
  const auto entry = entry_of(view, *found);
  if (!entry.ok()) return void(fuse_reply_err(request, EIO));
  fuse_reply_entry(request, &*entry);
}

void get_attributes(fuse_req_t request, fuse_ino_t number, fuse_file_info*) {
  const View& view = view_of(request);
  const auto node = node_of(view, number);
  const auto stat = node ? stat_of(view, *node) : Result<struct stat>(Error{});
  if (!stat.ok()) return void(fuse_reply_err(request, EIO));
  fuse_reply_attr(request, &*stat, for_ever);
}

// The volume whose bytes a node's item counts in, and the folder that its links may not leave.
const Space* space_of(const View& view, const Item& item) {
  const auto found = view.tree.spaces.find(item.volume);
  return found == view.tree.spaces.end() ? nullptr : &found->second;
}

// How far below the folder that it may not leave a link lies.
std::size_t depth_in(const View& view, const Space& space, NodeId link) {
  return view.tree.nodes.depth(view.tree.nodes.at(link).parent) - view.tree.nodes.depth(space.folder);
}

void reply_target(fuse_req_t request, std::string_view stored, std::size_t depth) {
  const auto target = safe_target(stored, depth);
  if (!target) return void(fuse_reply_err(request, EIO));
  fuse_reply_readlink(request, target->c_str());
}

// Of a record's text that isn't exact, or where it has none, the link's content is the target.
bool is_exact(const std::optional<std::string>& target) {
  constexpr std::string_view replaced = "\xEF\xBF\xBD";  // U+FFFD
  return target && target->find(replaced) == std::string::npos;
}

void read_link(fuse_req_t request, fuse_ino_t number) {
  const View& view = view_of(request);
  const auto node = node_of(view, number);
  auto item = node ? view.tree.nodes.item(*node) : Result<std::optional<Item>>(std::optional<Item>());
  const Space* space = item.ok() && *item ? space_of(view, **item) : nullptr;
  if (space == nullptr) return void(fuse_reply_err(request, EIO));
  const std::size_t depth = depth_in(view, *space, *node);
  if (is_exact((*item)->link_target)) return reply_target(request, *(*item)->link_target, depth);
  const std::uint64_t size = (*item)->size;
  auto wanted = size > 0 && size <= longest_target ? Content(std::move(**item), *space).request(0, size)
                                                   : Result<engine::ReadRequest>(Error{});
  if (!wanted.ok()) return void(fuse_reply_err(request, EIO));
  view.reads->submit(wanted.take(), [request, depth](const Result<std::span<const std::byte>>& got) {
    if (!got.ok()) return void(fuse_reply_err(request, EIO));
    reply_target(request, {reinterpret_cast<const char*>(got->data()), got->size()}, depth);
  });
}

// --- contents ---

void open_file(fuse_req_t request, fuse_ino_t number, fuse_file_info* file) {
  const View& view = view_of(request);
  if ((file->flags & O_ACCMODE) != O_RDONLY || (file->flags & (O_TRUNC | O_APPEND)) != 0)
    return void(fuse_reply_err(request, EROFS));
  const auto node = node_of(view, number);
  auto item = node ? view.tree.nodes.item(*node) : Result<std::optional<Item>>(std::optional<Item>());
  if (!item.ok() || !*item) return void(fuse_reply_err(request, EIO));
  std::call_once(view.opened, view.first_open);
  file->keep_cache = 1;
  file->noflush = 1;
  static const Space none;
  const Space* space = space_of(view, **item);
  auto content = std::make_unique<Content>(std::move(**item), space != nullptr ? *space : none);
  file->fh = reinterpret_cast<std::uint64_t>(content.get());
  // A request that was interrupted is not answered by a release.
  if (fuse_reply_open(request, file) == 0) (void)content.release();
}

void close_file(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  const std::unique_ptr<Content> content(reinterpret_cast<Content*>(file->fh));
  fuse_reply_err(request, 0);
}

void reply_bytes(fuse_req_t request, const Result<std::span<const std::byte>>& bytes) {
  if (!bytes.ok()) return void(fuse_reply_err(request, EIO));
  fuse_reply_buf(request, reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

void read_problems(fuse_req_t request, const View& view, std::uint64_t offset, std::size_t length) {
  const auto text = view.tree.problems.bytes(offset, length);
  if (!text.ok()) return void(fuse_reply_err(request, EIO));
  fuse_reply_buf(request, text->data(), text->size());
}

void read_file(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t at, fuse_file_info* file) {
  const View& view = view_of(request);
  const Content& content = *reinterpret_cast<const Content*>(file->fh);
  const auto offset = static_cast<std::uint64_t>(at);
  if (at < 0 || offset >= content.size() || bytes == 0) return void(fuse_reply_buf(request, nullptr, 0));
  const auto length =
      static_cast<std::size_t>(std::min<std::uint64_t>(content.size() - offset, std::min(bytes, engine::largest_read)));
  if (view.tree.problems_file != no_node && number == number_of(view.tree.problems_file))
    return read_problems(request, view, offset, length);
  auto wanted = content.request(offset, length);
  if (!wanted.ok()) return void(fuse_reply_err(request, EIO));
  view.reads->submit(wanted.take(),
                     [request](const Result<std::span<const std::byte>>& got) { reply_bytes(request, got); });
}

// --- folders ---

// Entries from `at`, which is a node's number, 0 for "." and 1 for ".."; then the number that is next.
struct Position {
  NodeId node = no_node;  // no_node for the two
  std::string name;
  off_t next = 0;
};

Result<std::optional<Position>> position_at(const View& view, NodeId folder, off_t at) {
  constexpr off_t end = INT64_MAX;
  const auto place_of = [](NodeId node) { return node == no_node ? end : static_cast<off_t>(node) + 2; };
  const Node& itself = view.tree.nodes.at(folder);
  if (at == 0) return std::optional<Position>({no_node, ".", 1});
  if (at == 1) return std::optional<Position>({no_node, "..", place_of(itself.first_child)});
  if (at == end || !view.tree.nodes.has(static_cast<NodeId>(at - 2))) return std::optional<Position>();
  const auto node = static_cast<NodeId>(at - 2);
  return std::optional<Position>(
      {node, EXHIBIT_TRY(view.tree.nodes.name(node)), place_of(view.tree.nodes.at(node).next)});
}

// What it took of `left` bytes at `out`; more than `left`: it didn't fit.
Result<std::size_t> put_entry(fuse_req_t request, const View& view, NodeId folder, const Position& position,
                              bool with_attributes, char* out, std::size_t left) {
  fuse_entry_param entry{};
  if (position.node != no_node) {
    entry = EXHIBIT_TRY(entry_of(view, position.node));
  } else {
    // No look-up: the kernel takes only number and type of these.
    const NodeId parent = view.tree.nodes.at(folder).parent;
    entry.attr.st_ino = number_of(position.name == "." || parent == no_node ? folder : parent);
    entry.attr.st_mode = S_IFDIR;
  }
  if (with_attributes) return fuse_add_direntry_plus(request, out, left, position.name.c_str(), &entry, position.next);
  return fuse_add_direntry(request, out, left, position.name.c_str(), &entry.attr, position.next);
}

Result<std::string> entries(fuse_req_t request, const View& view, NodeId folder, std::size_t bytes, off_t at,
                            bool with_attributes) {
  std::string out(bytes, '\0');
  std::size_t used = 0;
  while (const auto position = EXHIBIT_TRY(position_at(view, folder, at))) {
    const std::size_t took =
        EXHIBIT_TRY(put_entry(request, view, folder, *position, with_attributes, out.data() + used, bytes - used));
    if (took > bytes - used) break;
    used += took;
    at = position->next;
  }
  out.resize(used);
  return out;
}

void open_folder(fuse_req_t request, fuse_ino_t, fuse_file_info* file) {
  file->cache_readdir = file->keep_cache = 1;
  fuse_reply_open(request, file);
}

void list(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t at, bool with_attributes) {
  const View& view = view_of(request);
  const auto folder = node_of(view, number);
  const auto listed = folder
                          ? entries(request, view, *folder, std::min(bytes, engine::largest_read), at, with_attributes)
                          : Result<std::string>(Error{});
  if (!listed.ok()) return void(fuse_reply_err(request, EIO));
  fuse_reply_buf(request, listed->data(), listed->size());
}

void read_folder(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t at, fuse_file_info*) {
  list(request, number, bytes, at, false);
}

void read_folder_plus(fuse_req_t request, fuse_ino_t number, std::size_t bytes, off_t at, fuse_file_info*) {
  list(request, number, bytes, at, true);
}

// --- extended attributes ---

// Streams that an attribute can hold; larger ones stand beside the entry as files.
Result<std::optional<Item>> stream_item(const View& view, NodeId stream) {
  auto item = EXHIBIT_TRY(view.tree.nodes.item(stream));
  const bool fits = item && item->stream && item->size <= largest_attribute &&
                    item->stream->size() <= longest_attribute_name - std::strlen(stream_prefix);
  if (!fits) item.reset();
  return item;
}

// A list of attributes, or one's value: how long it is where `size` is 0, ERANGE where it doesn't fit.
void reply_attribute(fuse_req_t request, std::string_view value, std::size_t size) {
  if (size == 0) {
    fuse_reply_xattr(request, value.size());
  } else if (value.size() > size) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, value.data(), value.size());
  }
}

Result<std::string> attribute_names(const View& view, NodeId node) {
  std::string names;
  const auto item = EXHIBIT_TRY(view.tree.nodes.item(node));
  if (!item || item->id.empty()) return names;
  for (const Attribute& attribute : attributes_of(*item)) names.append(attribute.name).push_back('\0');
  NodeId stream = view.tree.nodes.at(node).first_stream;
  for (; stream != no_node; stream = view.tree.nodes.at(stream).next_stream) {
    const auto found = EXHIBIT_TRY(stream_item(view, stream));
    if (!found) continue;
    const std::string name = stream_prefix + *found->stream;
    if (names.size() + name.size() + 1 > largest_attribute) break;  // the others are files all the same
    names.append(name).push_back('\0');
  }
  return names;
}

// What the file system stores with an entry comes from a worker, who alone can read it.
std::optional<Content> stored_with(const View& view, const std::optional<Item>& item) {
  // Of an overwritten entry they would be another's.
  const bool may_have = item && !item->stream && item->state != ItemState::overwritten;
  const Space* space = may_have ? space_of(view, *item) : nullptr;
  if (space == nullptr || !space->has_attributes) return std::nullopt;
  return Content(*item, *space);
}

void list_attributes(fuse_req_t request, fuse_ino_t number, std::size_t size) {
  const View& view = view_of(request);
  const auto node = node_of(view, number);
  auto names = node ? attribute_names(view, *node) : Result<std::string>(std::string());
  const auto item = node ? view.tree.nodes.item(*node) : Result<std::optional<Item>>(std::optional<Item>());
  if (!names.ok() || !item.ok()) return void(fuse_reply_err(request, EIO));
  const auto stored = stored_with(view, *item);
  auto wanted = stored ? stored->attributes(stored_prefix) : std::nullopt;
  if (!wanted) return reply_attribute(request, *names, size);
  view.reads->submit(std::move(*wanted),
                     [request, size, own = names.take()](const Result<std::span<const std::byte>>& got) {
                       if (!got.ok()) return void(fuse_reply_err(request, EIO));
                       const std::string_view more(reinterpret_cast<const char*>(got->data()), got->size());
                       reply_attribute(request, own + std::string(more), size);
                     });
}

void get_stored(fuse_req_t request, const View& view, const std::optional<Item>& item, std::string_view name,
                std::size_t size) {
  const auto stored = stored_with(view, item);
  auto wanted = stored ? stored->attribute(name) : std::nullopt;
  if (!wanted) return void(fuse_reply_err(request, ENODATA));
  view.reads->submit(std::move(*wanted), [request, size](const Result<std::span<const std::byte>>& got) {
    if (!got.ok()) return void(fuse_reply_err(request, got.error().code == ErrorCode::not_found ? ENODATA : EIO));
    reply_attribute(request, {reinterpret_cast<const char*>(got->data()), got->size()}, size);
  });
}

void reply_stream(fuse_req_t request, const View& view, Item item, std::size_t size) {
  const std::size_t length = item.size;
  if (size == 0 || length == 0) return reply_attribute(request, std::string(length, '\0'), size);
  if (length > size) return void(fuse_reply_err(request, ERANGE));
  const Space* space = space_of(view, item);
  auto wanted =
      space != nullptr ? Content(std::move(item), *space).request(0, length) : Result<engine::ReadRequest>(Error{});
  if (!wanted.ok()) return void(fuse_reply_err(request, EIO));
  view.reads->submit(wanted.take(),
                     [request](const Result<std::span<const std::byte>>& got) { reply_bytes(request, got); });
}

void get_attribute(fuse_req_t request, fuse_ino_t number, const char* name, std::size_t size) {
  const View& view = view_of(request);
  const auto node = node_of(view, number);
  if (!node) return void(fuse_reply_err(request, ENODATA));
  const std::string_view wanted = name;
  if (!wanted.starts_with("user.")) return void(fuse_reply_err(request, ENODATA));
  const auto item = view.tree.nodes.item(*node);
  if (!item.ok()) return void(fuse_reply_err(request, EIO));
  if (!*item || (*item)->id.empty()) return void(fuse_reply_err(request, ENODATA));
  if (wanted.starts_with(stored_prefix))
    return get_stored(request, view, *item, wanted.substr(std::strlen(stored_prefix)), size);
  for (const Attribute& attribute : attributes_of(**item))
    if (attribute.name == wanted) return reply_attribute(request, attribute.value, size);
  NodeId stream = view.tree.nodes.at(*node).first_stream;
  for (; stream != no_node; stream = view.tree.nodes.at(stream).next_stream) {
    auto found = stream_item(view, stream);
    if (!found.ok()) return void(fuse_reply_err(request, EIO));
    if (*found && wanted == stream_prefix + *(*found)->stream)
      return reply_stream(request, view, std::move(**found), size);
  }
  fuse_reply_err(request, ENODATA);
}

// --- what is asked of the whole ---

void statistics(fuse_req_t request, fuse_ino_t) {
  const View& view = view_of(request);
  struct statvfs all {};
  all.f_bsize = all.f_frsize = 4096;
  all.f_blocks = view.bytes / all.f_frsize;
  all.f_files = view.tree.nodes.size();
  all.f_namemax = longest_name;
  all.f_flag = ST_RDONLY;
  fuse_reply_statfs(request, &all);
}

// Whoever may look at the mount may look at all of it.
void may(fuse_req_t request, fuse_ino_t, int mask) { fuse_reply_err(request, (mask & W_OK) != 0 ? EROFS : 0); }

void forget(fuse_req_t request, fuse_ino_t, std::uint64_t) { fuse_reply_none(request); }
void forget_many(fuse_req_t request, std::size_t, fuse_forget_data*) { fuse_reply_none(request); }

void control(fuse_req_t request, fuse_ino_t, unsigned, void*, fuse_file_info*, unsigned, const void*, std::size_t,
             std::size_t) {
  fuse_reply_err(request, EROFS);
}

// --- refusals ---

template <typename... Arguments>
void refuse(fuse_req_t request, Arguments...) {
  fuse_reply_err(request, EROFS);
}

fuse_lowlevel_ops all_operations() {
  fuse_lowlevel_ops all{};
  all.init = start;
  all.lookup = look_up;
  all.forget = forget;
  all.forget_multi = forget_many;
  all.getattr = get_attributes;
  all.readlink = read_link;
  all.open = open_file;
  all.read = read_file;
  all.release = close_file;
  all.opendir = open_folder;
  all.readdir = read_folder;
  all.readdirplus = read_folder_plus;
  all.statfs = statistics;
  all.access = may;
  all.getxattr = get_attribute;
  all.listxattr = list_attributes;
  all.ioctl = control;
  all.setattr = refuse;
  all.mknod = refuse;
  all.mkdir = refuse;
  all.unlink = refuse;
  all.rmdir = refuse;
  all.symlink = refuse;
  all.rename = refuse;
  all.link = refuse;
  all.write = refuse;
  all.write_buf = refuse;
  all.create = refuse;
  all.setxattr = refuse;
  all.removexattr = refuse;
  all.fallocate = refuse;
  all.copy_file_range = refuse;
  return all;
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops all = all_operations();
  return all;
}

}  // namespace exhibit::mount
