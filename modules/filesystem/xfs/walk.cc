#include "filesystem/xfs/walk.h"

#include <algorithm>
#include <array>

#include "base/record.h"
#include "base/text.h"
#include "filesystem/depth_first.h"
#include "filesystem/xfs/groups.h"
#include "filesystem/xfs/log.h"

namespace exhibit::filesystem::xfs {
namespace {

constexpr std::string_view orphan_folder = "/$OrphanFiles";  // as The Sleuth Kit names it
constexpr std::size_t longest_path = std::size_t{1} << 20;   // bytes

ItemKind kind_of_type(std::uint8_t type) {
  constexpr std::array kinds = {ItemKind::file,   ItemKind::file, ItemKind::directory, ItemKind::device,
                                ItemKind::device, ItemKind::fifo, ItemKind::socket,    ItemKind::symlink};
  return type < kinds.size() ? kinds[type] : ItemKind::file;
}

ItemKind kind_of_mode(std::uint16_t mode) {
  switch (mode & 0170000) {
    case 0040000:
      return ItemKind::directory;
    case 0020000:
    case 0060000:
      return ItemKind::device;
    case 0010000:
      return ItemKind::fifo;
    case 0140000:
      return ItemKind::socket;
    case 0120000:
      return ItemKind::symlink;
    default:
      return ItemKind::file;
  }
}

// Seconds and nanoseconds in four bytes each; with big times nanoseconds since 2^31 seconds before 1970.
std::optional<std::string> time_at(const Inode& inode, std::size_t offset) {
  constexpr std::uint64_t a_second = 1'000'000'000;
  if (inode.has_big_times) {
    const std::uint64_t stamp = u64(inode.bytes, offset);
    return base::rfc3339(static_cast<std::int64_t>(stamp / a_second) + INT32_MIN,
                         static_cast<std::uint32_t>(stamp % a_second), 9);
  }
  const std::uint32_t nanoseconds = u32(inode.bytes, offset + 4);
  const auto seconds = static_cast<std::int32_t>(u32(inode.bytes, offset));
  return nanoseconds < a_second ? base::rfc3339(seconds, nanoseconds, 9) : base::rfc3339(seconds, 0, 0);
}

Times times_of(const Inode& inode) {
  Times times{
      .modified = time_at(inode, 40), .accessed = time_at(inode, 32), .changed = time_at(inode, 48), .born = {}};
  if (inode.has_birth) times.born = time_at(inode, 144);
  return times;
}

}  // namespace

std::string address_of(std::uint64_t inode) { return "i" + std::to_string(inode); }

void Walk::run() {
  tell_log();
  descend(volume_.super().root, "", ItemState::allocated);
  named_.insert(volume_.super().root);
  drain();
  unnamed_inodes();
}

bool Walk::begin(const std::string& object, std::uint64_t bytes) {
  if (skip_.contains(object)) return false;
  reporter_.touch(object, bytes);
  return true;
}

void Walk::problem(const std::string& where, const char* cause, std::string detail) {
  reporter_.problem({where, "walk", cause, {}, std::move(detail)});
}

void Walk::tell_log() {
  if (!begin(volume_id_ + ":/log", std::uint64_t{volume_.super().log_blocks} * volume_.super().block_size)) return;
  switch (log_state(volume_)) {
    case LogState::clean:
      return;
    case LogState::dirty:
      return problem(volume_id_, "unsupported",
                     "the file system wasn't unmounted cleanly: its log may hold later changes, which Exhibit doesn't "
                     "replay; items are told as they stand outside of the log");
    case LogState::elsewhere:
      return problem(volume_id_, "unsupported",
                     "the log is on another device: whether it holds later changes is not known");
    case LogState::unreadable:
      return problem(volume_id_, "corrupt", "the log can't be read: whether it holds later changes is not known");
  }
}

void Walk::drain() {
  walk_depth_first(pending_, [this](const Pending& next) { directory(next); });
}

void Walk::directory(const Pending& pending) {
  const std::string id = volume_id_ + "/" + address_of(pending.inode) + ":" + base::clean_utf8(pending.path).text + "/";
  if (!begin(id, volume_.super().directory_block_size)) return;
  if (descended_.contains(pending.inode))
    return problem(id, "corrupt", "the directory was listed under another path before; its entries are not told again");
  descended_.insert(pending.inode);
  Faults faults;
  const auto inode = read_inode(volume_, pending.inode, faults);
  if (inode && !inode->is_directory()) faults.add("its inode is none of a directory");
  if (inode && inode->is_directory())
    read_directory(volume_, *inode, faults, [&](const Entry& found) { entry(found, pending); });
  if (faults.any()) problem(id, "corrupt", "the directory doesn't hold, and entries may be missing: " + faults.text());
}

void Walk::entry(const Entry& entry, const Pending& pending) {
  const std::string path = pending.path + "/" + entry.name;
  const std::string id = volume_id_ + "/" + address_of(entry.inode) + ":" + base::clean_utf8(path).text;
  if (!begin(id, volume_.super().block_size)) return;
  if (entry.is_removed) return nameless_item(entry, path, ItemState::overwritten);
  Faults faults;
  const auto inode = read_inode(volume_, entry.inode, faults);
  if (!inode || inode->mode == 0) {
    problem(id, "corrupt", inode ? "its inode isn't in use" : faults.text());
    return nameless_item(entry, path, pending.state);
  }
  named_.insert(entry.inode);
  if (entry.type != 0 && kind_of_type(entry.type) != kind_of_mode(inode->mode))
    faults.add("its entry and its inode say different kinds");
  inode_item(*inode, path, pending.state, faults);
  if (inode->is_directory()) descend(entry.inode, path, pending.state);
}

void Walk::descend(std::uint64_t inode, const std::string& path, ItemState state) {
  if (path.size() > longest_path)
    return problem(volume_id_ + "/" + address_of(inode), "depth-limit",
                   "a directory's path is longer than 1 MiB; it is not descended");
  pending_.push_back({path, inode, state});
}

Item Walk::item_of(std::uint64_t inode, const std::string& path, ItemState state) const {
  Item item;
  item.volume = volume_id_;
  const auto clean = base::clean_utf8(path);
  item.path = clean.text;
  if (!clean.exact) item.path_raw = base::base64_encode(path);
  item.content = volume_id_ + "/" + address_of(inode);
  item.id = item.content + ":" + item.path;
  item.state = state;
  return item;
}

void Walk::inode_item(const Inode& inode, const std::string& path, ItemState state, Faults& faults) {
  Item item = item_of(inode.number, path, state);
  item.kind = kind_of_mode(inode.mode);
  item.mode = inode.mode & 07777U;
  item.uid = inode.uid;
  item.gid = inode.gid;
  item.times = times_of(inode);
  Content content = content_of(volume_, inode, faults);
  item.size = content.size;
  item.transform = content.transform;
  if (item.kind == ItemKind::symlink) {
    if (const auto target = link_target(volume_, content)) item.link_target = base::clean_utf8(*target).text;
  }
  if (content.unsupported) {
    problem(item.id, "unsupported", *content.unsupported);
  } else if (content.is_told) {
    item.doubt = content.layout.gaps;
    item.extents = std::move(content.layout.extents);
  }
  if (faults.any()) {
    problem(item.id, "corrupt", faults.text());
  } else if (!item.doubt.empty()) {
    problem(item.id, "corrupt", "parts of its content lie past the volume's end");
  }
  tell(std::move(item));
}

// A name without an inode of its own: removed (its inode is another file's, or says nothing any more) or damaged.
void Walk::nameless_item(const Entry& entry, const std::string& path, ItemState state) {
  Item item = item_of(entry.inode, path, state);
  item.kind = kind_of_type(entry.type);
  tell(std::move(item));
}

void Walk::tell(Item item) {
  if (told_.add(item)) visit_(std::move(item));
}

// Inodes in use that no directory names: content of an unlinked file that was still open, or of a lost directory.
void Walk::unnamed_inodes() {
  if (!begin(volume_id_ + ":/unnamed", volume_.super().blocks * volume_.super().block_size)) return;
  std::vector<std::uint64_t> found;
  NumberSet named_inside;
  Faults faults;
  walk_inodes(
      volume_,
      [&](const Inode& inode) {
        if (named_.contains(inode.number) || volume_.super().is_internal(inode.number)) return;
        found.push_back(inode.number);
        if (inode.is_directory()) names_in(inode, named_inside);
      },
      faults);
  if (faults.any()) problem(volume_id_, "corrupt", "inodes that no name leads to were not all found: " + faults.text());
  // First those that no other of them names: the rest is told in its place below them, if not part of a circle.
  for (const std::uint64_t number : found)
    if (!named_inside.contains(number)) unnamed_inode(number);
  for (const std::uint64_t number : found)
    if (!named_.contains(number) && named_inside.contains(number)) unnamed_inode(number);
}

void Walk::names_in(const Inode& directory, NumberSet& into) const {
  Faults told_later;
  read_directory(volume_, directory, told_later, [&](const Entry& entry) {
    if (!entry.is_removed) into.insert(entry.inode);
  });
}

void Walk::unnamed_inode(std::uint64_t number) {
  const std::string path = std::string(orphan_folder) + "/OrphanFile-" + std::to_string(number);
  if (!begin(volume_id_ + "/" + address_of(number) + ":" + path, volume_.super().block_size)) return;
  Faults faults;
  const auto inode = read_inode(volume_, number, faults);
  if (!inode) return;
  inode_item(*inode, path, ItemState::orphan, faults);
  if (inode->is_directory() && !descended_.contains(number)) descend(number, path, ItemState::orphan);
  drain();
}

}  // namespace exhibit::filesystem::xfs
