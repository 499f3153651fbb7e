#include "filesystem/tsk/walk.h"

#include <tsk/fs/tsk_iso9660.h>

#include <algorithm>

#include "base/record.h"
#include "base/text.h"
#include "filesystem/depth_first.h"
#include "filesystem/tsk/allocation.h"
#include "filesystem/tsk/directory.h"
#include "filesystem/tsk/times.h"
#include "volume/tsk_image.h"

namespace exhibit::filesystem::tsk {

namespace {

constexpr std::string_view orphan_folder = "/$OrphanFiles";
constexpr std::uint64_t largest_size = (std::uint64_t{1} << 53) - 1;  // that a record holds
constexpr std::size_t longest_path = std::size_t{1} << 20;            // bytes

bool is_virtual_folder(const TSK_FS_INFO& fs, TSK_INUM_T address) { return address == TSK_FS_ORPHANDIR_INUM((&fs)); }

ItemKind kind_of_name(TSK_FS_NAME_TYPE_ENUM type) {
  switch (type) {
    case TSK_FS_NAME_TYPE_DIR:
      return ItemKind::directory;
    case TSK_FS_NAME_TYPE_LNK:
      return ItemKind::symlink;
    case TSK_FS_NAME_TYPE_CHR:
    case TSK_FS_NAME_TYPE_BLK:
      return ItemKind::device;
    case TSK_FS_NAME_TYPE_FIFO:
      return ItemKind::fifo;
    case TSK_FS_NAME_TYPE_SOCK:
      return ItemKind::socket;
    case TSK_FS_NAME_TYPE_VIRT:
    case TSK_FS_NAME_TYPE_VIRT_DIR:
      return ItemKind::virtual_file;
    default:
      return ItemKind::file;
  }
}

ItemKind kind_of(const TSK_FS_META& meta) {
  switch (meta.type) {
    case TSK_FS_META_TYPE_DIR:
      return ItemKind::directory;
    case TSK_FS_META_TYPE_LNK:
      return ItemKind::symlink;
    case TSK_FS_META_TYPE_CHR:
    case TSK_FS_META_TYPE_BLK:
      return ItemKind::device;
    case TSK_FS_META_TYPE_FIFO:
      return ItemKind::fifo;
    case TSK_FS_META_TYPE_SOCK:
      return ItemKind::socket;
    case TSK_FS_META_TYPE_VIRT:
    case TSK_FS_META_TYPE_VIRT_DIR:
      return ItemKind::virtual_file;
    default:
      return ItemKind::file;
  }
}

// FAT's volume label and exFAT's own tables, which libtsk shows among the root directory's files.
bool is_fat_system_name(const TSK_FS_INFO& fs, std::string_view path) {
  return TSK_FS_TYPE_ISFAT(fs.ftype) != 0 &&
         (path == "/$ALLOC_BITMAP" || path == "/$UPCASE_TABLE" || path.ends_with(" (Volume Label Entry)"));
}

// libtsk invents modes and owners where the file system has none.
bool has_modes(const TSK_FS_INFO& fs) {
  if (TSK_FS_TYPE_ISISO9660(fs.ftype) != 0) return reinterpret_cast<const ISO_INFO&>(fs).rr_found != 0;
  return TSK_FS_TYPE_ISNTFS(fs.ftype) == 0 && TSK_FS_TYPE_ISFAT(fs.ftype) == 0;
}

bool is_dot(std::string_view name) { return name == "." || name == ".."; }

}  // namespace

Walk::Walk(const Context& context, const std::set<std::string>& skip, base::Reporter& reporter,
           const std::function<void(Item)>& visit)
    : context_(context), skip_(skip), reporter_(reporter), visit_(visit), metadata_(context.fs, context.volume) {}

void Walk::run() {
  find_deleted();
  pending_.push_back({"", context_.fs.root_inum, context_.fs.root_inum, Reach::live});
  drain();
  unnamed_metadata();
  if (context_.deleted == nullptr) return;
  for (const Error& fault : context_.deleted->faults()) problem(context_.volume_id, name_of(fault.code), fault.message);
}

void Walk::find_deleted() {
  if (context_.deleted == nullptr) return;
  if (begin(context_.volume_id + ":/journal", context_.deleted->journal_bytes())) {
    context_.deleted->find_all();
  } else {
    context_.deleted->forgo();
  }
}

const DeletedInodes::Found* Walk::from_journal(TSK_INUM_T address) {
  return context_.deleted != nullptr ? context_.deleted->found(address) : nullptr;
}

void Walk::drain() {
  walk_depth_first(pending_, [this](const Pending& next) { directory(next); });
}

bool Walk::begin(const std::string& object, std::uint64_t bytes) {
  if (skip_.contains(object)) return false;
  reporter_.touch(object, bytes);
  context_.forget_damage();
  return true;
}

void Walk::problem(const std::string& where, const char* cause, std::string detail) {
  reporter_.problem({where, "walk", cause, {}, std::move(detail)});
}

void Walk::directory(const Pending& pending) {
  const std::string id =
      context_.volume_id + "/" + address_of(pending.address) + ":" + base::clean_utf8(pending.path).text + "/";
  const bool orphans = is_virtual_folder(context_.fs, pending.address);
  if (!begin(id, orphans ? context_.volume.size() : context_.description.block_size)) return;
  if (!descended_.insert(pending.address).second) {
    problem(id, "corrupt", "the directory was listed under another path before; its entries are not told again");
    return;
  }
  const std::uint64_t damaged = context_.volume.damaged_reads();
  tsk_error_reset();
  // NTFS: which sequence number belongs to which name is left to libtsk.
  if (orphans && context_.fs.ftype != TSK_FS_TYPE_NTFS) know_named(context_.fs, unallocated_named_);
  const auto [dir, result] = open_directory(context_.fs, pending.address);
  if (result != TSK_OK)
    problem(id, "corrupt",
            "the directory can't be read to its end: " + volume::take_tsk_error("The Sleuth Kit gives no reason"));
  tsk_error_reset();
  if (result == TSK_OK && pending.reach == Reach::live) folder_fault(id, pending.address);
  if (dir) names_of(*dir, pending);
  if (context_.volume.damaged_reads() != damaged)
    problem(id, "io-error", "the directory was read from a damaged part of the medium; entries may be missing");
}

void Walk::folder_fault(const std::string& id, TSK_INUM_T address) {
  const TSK_FS_TYPE_ENUM type = context_.fs.ftype;
  if (TSK_FS_TYPE_ISFAT(type) == 0 || type == TSK_FS_TYPE_EXFAT || is_virtual_folder(context_.fs, address)) return;
  const bool is_root = address == context_.fs.root_inum;
  const Raw entry = is_root ? Raw() : metadata_.read(address);
  if (!is_root && entry.size() == 0) return;
  const char* fault = fat_folder_fault(context_.fs, metadata_.fat(), context_.volume, is_root ? nullptr : &entry);
  if (fault != nullptr) problem(id, "corrupt", std::string(fault) + "; entries may be missing");
}

// Names of deleted files that are gone from the directory. Before those that it has: the orphans' folder stands last.
void Walk::old_names_of(TSK_FS_DIR& dir, const Pending& pending) {
  if (context_.deleted == nullptr || dir.fs_file == nullptr || is_virtual_folder(context_.fs, pending.address)) return;
  auto names = context_.deleted->names_in(*dir.fs_file);
  if (names.empty()) return;
  std::set<std::pair<TSK_INUM_T, std::string_view>> present;
  for (std::size_t i = 0; i < dir.names_used; ++i)
    if (dir.names[i].name != nullptr) present.emplace(dir.names[i].meta_addr, dir.names[i].name);
  for (DeletedInodes::Name& old : names) {
    if (present.contains({old.number, old.name})) continue;
    TSK_FS_NAME name{};
    name.tag = TSK_FS_NAME_TAG;
    name.name = old.name.data();
    name.name_size = old.name.size() + 1;
    name.meta_addr = old.number;
    name.par_addr = pending.address;
    name.type = old.type;
    name.flags = TSK_FS_NAME_FLAG_UNALLOC;
    entry(name, pending);
  }
}

void Walk::names_of(TSK_FS_DIR& dir, const Pending& pending) {
  old_names_of(dir, pending);
  for (std::size_t i = 0; i < tsk_fs_dir_getsize(&dir); ++i) {
    const TSK_FS_NAME* name = tsk_fs_dir_get_name(&dir, i);
    if (name == nullptr || name->name == nullptr) continue;
    const bool is_own = is_dot(name->name) && (name->meta_addr == pending.address || name->meta_addr == pending.parent);
    if (!is_own) entry(*name, pending);
    forget_name(dir, i);
  }
}

// Null where it can't be read, or was another file's since. Not by tsk_fs_dir_get, which hides what was deleted from
// NTFS: there a record's sequence number grows by one when its file is deleted.
File Walk::metadata_for(const TSK_FS_NAME& name) {
  const bool allocated = (name.flags & TSK_FS_NAME_FLAG_ALLOC) != 0;
  if (name.meta_addr == 0 && !allocated) return {};
  File file(tsk_fs_file_open_meta(&context_.fs, nullptr, name.meta_addr));
  tsk_error_reset();
  if (!file || file->meta == nullptr) return {};
  if (TSK_FS_TYPE_ISNTFS(context_.fs.ftype) == 0 || file->meta->seq == name.meta_seq) return file;
  const std::uint32_t next = name.meta_seq == 0xffff ? 1 : name.meta_seq + 1;
  if (allocated || (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) == 0 || file->meta->seq != next) return {};
  return file;
}

// libtsk writes '^' for what isn't ASCII in FAT's 8.3 names: their bytes are in the directory entry.
std::string Walk::raw_name(const TSK_FS_NAME& name) {
  std::string text = name.name;
  if (TSK_FS_TYPE_ISFAT(context_.fs.ftype) == 0 || context_.fs.ftype == TSK_FS_TYPE_EXFAT) return text;
  if (text.find('^') == std::string::npos) return text;
  const std::string stored = fat_short_name(metadata_.read(name.meta_addr));
  const auto same = [](char shown, char c) { return shown == c || (shown == '^' && (c & 0x80) != 0); };
  const bool is_it = std::equal(text.begin(), text.end(), stored.begin(), stored.end(), same);
  return is_it ? stored : text;
}

void Walk::entry(const TSK_FS_NAME& name, const Pending& pending) {
  const std::string path = pending.path + "/" + raw_name(name);
  const std::string id = context_.volume_id + "/" + address_of(name.meta_addr) + ":" + base::clean_utf8(path).text;
  if (!begin(id, context_.description.block_size)) return;
  const File file = metadata_for(name);
  if (file && (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0) unallocated_named_.insert(file->meta->addr);
  // A "." or ".." that leads to some other directory doesn't name it; one that leads to a file is told.
  if (is_dot(name.name) && (!file || TSK_FS_IS_DIR_META(file->meta->type) || TSK_FS_IS_DIR_NAME(name.type))) return;
  const bool allocated = (name.flags & TSK_FS_NAME_FLAG_ALLOC) != 0;
  if (!file) {
    const bool live = allocated && (pending.reach == Reach::live || pending.reach == Reach::unnamed);
    nameless_item(name, path, live ? ItemState::allocated : ItemState::overwritten);
    return;
  }
  if (allocated && (pending.reach == Reach::live || pending.reach == Reach::unnamed)) named_.insert(file->meta->addr);
  const ItemState state = state_of(name, *file, pending.reach);
  file_items(*file, path, state);
  // What an unallocated name's reused metadata leads to is told under its own name.
  const bool reused_metadata = state == ItemState::overwritten && (file->meta->flags & TSK_FS_META_FLAG_ALLOC) != 0;
  // Nor are another file's bytes a directory.
  const bool lost = state == ItemState::overwritten && from_journal(file->meta->addr) != nullptr;
  if (TSK_FS_IS_DIR_META(file->meta->type) && !reused_metadata && !lost) {
    Reach reach = pending.reach;
    if (is_virtual_folder(context_.fs, file->meta->addr)) {
      reach = Reach::orphan;
    } else if (reach != Reach::orphan && !allocated) {
      reach = Reach::deleted;
    }
    descend(*file, path, pending.address, reach);
  }
}

void Walk::descend(const TSK_FS_FILE& file, const std::string& path, TSK_INUM_T parent, Reach reach) {
  if (path.size() > longest_path) {
    problem(context_.volume_id + "/" + address_of(file.meta->addr), "depth-limit",
            "a directory's path is longer than 1 MiB; it is not descended");
    return;
  }
  pending_.push_back({path, file.meta->addr, parent, reach});
}

ItemState Walk::state_of(const TSK_FS_NAME& name, TSK_FS_FILE& file, Reach reach) {
  const bool allocated = (name.flags & TSK_FS_NAME_FLAG_ALLOC) != 0;
  if (allocated && reach == Reach::live) return ItemState::allocated;
  if (allocated && reach == Reach::unnamed) return ItemState::orphan;
  if ((file.meta->flags & TSK_FS_META_FLAG_ALLOC) != 0 || is_reused(file)) return ItemState::overwritten;
  return reach == Reach::orphan || reach == Reach::unnamed ? ItemState::orphan : ItemState::deleted;
}

// Whether a block that unallocated metadata claims is allocated: then it belongs to another file.
bool Walk::is_reused(TSK_FS_FILE& file) {
  // ISO 9660 doesn't record what is free: all of it counts as allocated.
  if (TSK_FS_TYPE_ISISO9660(context_.fs.ftype) != 0) return false;
  if (context_.deleted != nullptr && context_.deleted->is_overwritten(file.meta->addr)) return true;
  if (!allocation_) {
    auto allocation = allocation_of(context_.fs, context_.volume.size());
    if (!allocation.ok()) problem(context_.volume_id, "corrupt", allocation.error().message);
    allocation_ = allocation.ok() ? allocation.take() : std::vector<ClassRun>();
  }
  for (const Stream& stream : streams_of(file)) {
    if (stream.attribute == nullptr || (stream.attribute->flags & TSK_FS_ATTR_NONRES) == 0) continue;
    const Resolved resolved = resolve(file, stream, context_.volume);
    if (resolved.source == Resolved::Source::text) continue;
    for (const Extent& extent : layout_of(context_.fs, *stream.attribute, context_.volume.size()).extents) {
      if (extent.offset != sparse_run &&
          touches_allocated(*allocation_, static_cast<std::uint64_t>(extent.offset), extent.length))
        return true;
    }
  }
  return false;
}

Item Walk::item_of(TSK_FS_FILE& file, const std::string& path, ItemState state) {
  Item item;
  item.volume = context_.volume_id;
  const auto clean = base::clean_utf8(path);
  item.path = clean.text;
  if (!clean.exact) item.path_raw = base::base64_encode(path);
  item.state = state;
  item.kind = is_fat_system_name(context_.fs, path) ? ItemKind::virtual_file : kind_of(*file.meta);
  if (has_modes(context_.fs) && item.kind != ItemKind::virtual_file) {
    item.mode = static_cast<std::uint32_t>(file.meta->mode) & 07777U;
    item.uid = file.meta->uid;
    item.gid = file.meta->gid;
  }
  if (item.kind == ItemKind::symlink && file.meta->link != nullptr)
    item.link_target = base::clean_utf8(file.meta->link).text;
  item.times = times_of(metadata_, file);
  if (const auto* old = from_journal(file.meta->addr)) {
    item.via = "journal";
    // What changed last is its deletion, which the inode itself tells.
    Times times = ext_times(old->inode);
    times.changed = std::move(item.times.changed);
    item.times = std::move(times);
  }
  return item;
}

void Walk::file_items(TSK_FS_FILE& file, const std::string& path, ItemState state) {
  const Item common = item_of(file, path, state);
  for (const Stream& stream : streams_of(file)) {
    Item item = common;
    add_stream(item, file, stream, path);
    tell(std::move(item));
  }
}

void Walk::add_stream(Item& item, TSK_FS_FILE& file, const Stream& stream, const std::string& path) {
  item.content = context_.volume_id + "/" + stream.address;
  item.id = item.content + ":" + item.path;
  if (stream.name) {
    const auto clean = base::clean_utf8(*stream.name);
    item.stream = clean.text;
    item.id += ":" + clean.text;
    if (!clean.exact) item.path_raw = base::base64_encode(path + ":" + *stream.name);
    if (item.kind == ItemKind::directory)
      item.kind = ItemKind::file;  // a directory's alternate stream is a file's content
  }
  add_content(item, file, stream);
}

void Walk::add_content(Item& item, TSK_FS_FILE& file, const Stream& stream) {
  Resolved resolved = resolve(file, stream, context_.volume);
  item.size = resolved.size;
  if (item.size > largest_size) {
    problem(item.id, "corrupt", "its size is beyond 2^53 bytes; its content is not told");
    item.size = 0;
    return;
  }
  item.transform = resolved.transform;
  if (resolved.source == Resolved::Source::runs) {
    item.doubt = resolved.layout.gaps;
    item.extents = std::move(resolved.layout.extents);
  } else if (resolved.source == Resolved::Source::text) {
    item.extents =
        resolved.text.empty() ? std::vector<Extent>() : metadata_.resident_extents(file, nullptr, resolved.text);
  } else if (resolved.transform == "resident") {
    const std::string_view bytes(reinterpret_cast<const char*>(stream.attribute->rd.buf), stream.size);
    item.extents = metadata_.resident_extents(file, stream.attribute, bytes);
  }
  item_problems(item, file, stream, resolved);
}

void Walk::item_problems(const Item& item, TSK_FS_FILE& file, const Stream& stream, const Resolved& resolved) {
  if (item.state != ItemState::allocated) return;
  if (resolved.source == Resolved::Source::none && item.kind != ItemKind::directory)
    problem(item.id, "corrupt", "The Sleuth Kit gives no content for it");
  if (!item.doubt.empty()) problem(item.id, "corrupt", "parts of its content lie in no run, or past the volume's end");
  if (stream.attribute != nullptr && (stream.attribute->flags & TSK_FS_ATTR_ENC) != 0)
    problem(item.id, "encrypted", "encrypted by EFS: its content is told as stored");
  constexpr std::uint32_t ext_encrypted = 0x800;  // EXT4_ENCRYPT_FL
  if (TSK_FS_TYPE_ISEXT(context_.fs.ftype) != 0 && (metadata_.read(file.meta->addr).le32(32) & ext_encrypted) != 0)
    problem(item.id, "encrypted", "encrypted by fscrypt: its content, or the names in it, are told as stored");
}

// A name without readable metadata: reused (then libtsk hides it) or damaged.
void Walk::nameless_item(const TSK_FS_NAME& name, const std::string& path, ItemState state) {
  Item item;
  item.volume = context_.volume_id;
  const auto clean = base::clean_utf8(path);
  item.path = clean.text;
  if (!clean.exact) item.path_raw = base::base64_encode(path);
  item.content = context_.volume_id + "/" + address_of(name.meta_addr);
  item.id = item.content + ":" + item.path;
  item.kind = kind_of_name(name.type);
  item.state = state;
  if (state == ItemState::allocated) problem(item.id, "corrupt", "its metadata can't be read");
  tell(std::move(item));
}

void Walk::tell(Item item) {
  if (told_.add(item)) visit_(std::move(item));
}

// Metadata in use that no directory names: content of an unlinked file that was still open, or of a lost directory.
// libtsk lists only unallocated metadata as orphans. Not FAT, exFAT, HFS+ and ISO 9660, whose names are the metadata.
void Walk::unnamed_metadata() {
  TSK_FS_INFO& fs = context_.fs;
  const bool ext = TSK_FS_TYPE_ISEXT(fs.ftype) != 0;
  if (!ext && fs.ftype != TSK_FS_TYPE_NTFS && TSK_FS_TYPE_ISFFS(fs.ftype) == 0) return;
  if (!begin(context_.volume_id + ":/unnamed", context_.volume.size())) return;
  // The reserved ones: ext's journal and the like, NTFS's first 24 records, UFS's 0 and 1.
  constexpr TSK_INUM_T ext_first = 11, ntfs_first = 24, ufs_first = 3;
  const TSK_INUM_T first = std::max(fs.first_inum, ext                            ? ext_first
                                                   : fs.ftype == TSK_FS_TYPE_NTFS ? ntfs_first
                                                                                  : ufs_first);
  struct Found {
    const NumberSet& named;
    std::vector<TSK_INUM_T> addresses;
  } found{named_, {}};
  const auto collect = [](TSK_FS_FILE* file, void* pointer) {
    auto& into = *static_cast<Found*>(pointer);
    if (file->meta != nullptr && (file->meta->flags & TSK_FS_META_FLAG_ALLOC) != 0 &&
        !into.named.contains(file->meta->addr))
      into.addresses.push_back(file->meta->addr);
    return TSK_WALK_CONT;
  };
  constexpr auto in_use = static_cast<TSK_FS_META_FLAG_ENUM>(TSK_FS_META_FLAG_ALLOC | TSK_FS_META_FLAG_USED);
  tsk_error_reset();
  if (first < fs.last_inum && tsk_fs_meta_walk(&fs, first, fs.last_inum - 1, in_use, collect, &found) != 0)
    problem(context_.volume_id, "corrupt",
            "metadata that no name leads to was not all found: " +
                volume::take_tsk_error("The Sleuth Kit gives no reason"));
  // First those that no other of them names: the rest is told in its place below them, if not part of a circle.
  const auto named_inside = names_in(found.addresses);
  for (const TSK_INUM_T address : found.addresses)
    if (!named_inside.contains(address)) unnamed_file(address);
  for (const TSK_INUM_T address : found.addresses)
    if (!named_.contains(address) && named_inside.contains(address)) unnamed_file(address);
}

// What the directories among `addresses` name.
std::unordered_set<TSK_INUM_T> Walk::names_in(const std::vector<TSK_INUM_T>& addresses) {
  std::unordered_set<TSK_INUM_T> names;
  for (const TSK_INUM_T address : addresses) {
    const File file(tsk_fs_file_open_meta(&context_.fs, nullptr, address));
    if (!file || file->meta == nullptr || !TSK_FS_IS_DIR_META(file->meta->type)) continue;
    const auto [dir, result] = open_directory(context_.fs, address);
    if (result != TSK_OK) continue;
    for (std::size_t i = 0; i < tsk_fs_dir_getsize(dir.get()); ++i) {
      const TSK_FS_NAME* name = tsk_fs_dir_get_name(dir.get(), i);
      if (name != nullptr && name->name != nullptr && !is_dot(name->name) &&
          (name->flags & TSK_FS_NAME_FLAG_ALLOC) != 0)
        names.insert(name->meta_addr);
    }
  }
  tsk_error_reset();
  return names;
}

void Walk::unnamed_file(TSK_INUM_T address) {
  if (is_virtual_folder(context_.fs, address) || address == context_.fs.root_inum) return;
  const std::string path = std::string(orphan_folder) + "/OrphanFile-" + std::to_string(address);
  if (!begin(context_.volume_id + "/" + address_of(address) + ":" + path, context_.description.block_size)) return;
  const File file(tsk_fs_file_open_meta(&context_.fs, nullptr, address));
  tsk_error_reset();
  if (!file || file->meta == nullptr) return;
  file_items(*file, path, ItemState::orphan);
  if (TSK_FS_IS_DIR_META(file->meta->type) && !descended_.contains(address))
    descend(*file, path, context_.fs.root_inum, Reach::unnamed);
  drain();
}

}  // namespace exhibit::filesystem::tsk
