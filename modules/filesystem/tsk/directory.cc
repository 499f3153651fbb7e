// libtsk looks for each new name of a directory among all that it has (fs_dir.c of 4.11.1: tsk_fs_dir_add, and for NTFS
// tsk_fs_dir_contains): a folder of a million entries costs half a million million comparisons. Both are defined here
// once more, with an index. The dynamic linker prefers the program's definitions, so that libtsk calls them
// (docs/decisions/0016-index-of-a-directorys-names.md).

#include "filesystem/tsk/directory.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

// libtsk's own; its public headers lack them.
extern "C" {
std::uint8_t tsk_fs_dir_realloc(TSK_FS_DIR* dir, std::size_t count);
std::uint8_t tsk_fs_name_copy(TSK_FS_NAME* to, const TSK_FS_NAME* from);
std::uint32_t tsk_fs_dir_hash(const char* name);

[[gnu::visibility("default")]] std::uint8_t tsk_fs_dir_add(TSK_FS_DIR* dir, const TSK_FS_NAME* name);
[[gnu::visibility("default")]] std::uint8_t tsk_fs_dir_contains(TSK_FS_DIR* dir, TSK_INUM_T address,
                                                                std::uint32_t hash);
}

namespace exhibit::filesystem::tsk {

namespace {

// Where the names of one directory are in its list, by metadata address and libtsk's hash of the name.
class NameIndex {
 public:
  // Whether it holds what was in the directory after the last name was added here. What was taken out or put in
  // otherwise, or another directory in the same place, shows in the count.
  bool covers(const TSK_FS_DIR& dir) const { return dir_ == &dir && count_ == dir.names_used; }

  void build(const TSK_FS_DIR& dir) {
    dir_ = &dir;
    count_ = 0;
    slots_.assign(std::max(least_slots, slots_for(dir.names_used)), 0);
    for (std::size_t i = 0; i < dir.names_used; ++i) put(dir, i);
    count_ = dir.names_used;
  }

  // The directory's last name.
  void append(const TSK_FS_DIR& dir) {
    if (slots_for(dir.names_used) > slots_.size()) return build(dir);
    put(dir, count_++);
  }

  // Each name with this address and hash, until `call` returns false.
  template <typename Call>
  void find(const TSK_FS_DIR& dir, TSK_INUM_T address, std::uint32_t hash, const Call& call) const {
    for (std::size_t slot = first_slot(address, hash); slots_[slot] != 0; slot = next(slot)) {
      TSK_FS_NAME& name = dir.names[slots_[slot] - 1];
      if (name.meta_addr == address && tsk_fs_dir_hash(name.name) == hash && !call(name)) return;
    }
  }

 private:
  static constexpr std::size_t least_slots = 256;

  // A power of two, of which half stays free.
  static std::size_t slots_for(std::size_t count) {
    std::size_t slots = 1;
    while (slots < count * 2) slots *= 2;
    return slots;
  }
  std::size_t next(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  std::size_t first_slot(TSK_INUM_T address, std::uint32_t hash) const {
    constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio (Knuth 3, 6.4: Fibonacci hashing)
    return static_cast<std::size_t>(((address ^ hash * golden) * golden) >> 32) & (slots_.size() - 1);
  }
  void put(const TSK_FS_DIR& dir, std::size_t position) {
    const TSK_FS_NAME& name = dir.names[position];
    std::size_t slot = first_slot(name.meta_addr, tsk_fs_dir_hash(name.name));
    while (slots_[slot] != 0) slot = next(slot);
    slots_[slot] = static_cast<std::uint32_t>(position + 1);
  }

  const TSK_FS_DIR* dir_ = nullptr;
  std::size_t count_ = 0;
  std::vector<std::uint32_t> slots_;  // a name's position + 1; 0: free
};

// Looking through a few names is faster than an index of them.
constexpr std::size_t few_names = 32;

// While libtsk looks for orphans it fills their folder and reads other directories by turns.
class Indexes {
 public:
  NameIndex& of(const TSK_FS_DIR& dir) {
    if (!indexes_[last_].covers(dir)) last_ = 1 - last_;
    if (!indexes_[last_].covers(dir)) indexes_[last_].build(dir);
    return indexes_[last_];
  }
  void clear() { indexes_ = {}; }

 private:
  std::array<NameIndex, 2> indexes_;
  std::size_t last_ = 0;
};

Indexes& indexes() {
  thread_local Indexes of_this_thread;
  return of_this_thread;
}

// The first name for which `call` returns false ends it.
template <typename Call>
void find_names(TSK_FS_DIR& dir, TSK_INUM_T address, std::uint32_t hash, const Call& call) {
  if (dir.names_used >= few_names) return indexes().of(dir).find(dir, address, hash, call);
  for (std::size_t i = 0; i < dir.names_used; ++i) {
    TSK_FS_NAME& name = dir.names[i];
    if (name.meta_addr == address && tsk_fs_dir_hash(name.name) == hash && !call(name)) return;
  }
}

// As libtsk does it: an unallocated name gives way to an allocated one. Whether the directory has it already.
bool replace_same(TSK_FS_DIR& dir, const TSK_FS_NAME& name, TSK_FS_NAME*& replaced) {
  bool found = false;
  find_names(dir, name.meta_addr, tsk_fs_dir_hash(name.name), [&](TSK_FS_NAME& known) {
    if (std::strcmp(known.name, name.name) != 0) return true;
    found = true;
    if ((known.flags & TSK_FS_NAME_FLAG_UNALLOC) != 0 && (name.flags & TSK_FS_NAME_FLAG_ALLOC) != 0) replaced = &known;
    return false;
  });
  return found;
}

}  // namespace

OpenedDirectory open_directory(TSK_FS_INFO& fs, TSK_INUM_T address) {
  TSK_FS_DIR* opened = nullptr;
  // Not tsk_fs_dir_open_meta, which throws away what could be read of a damaged directory.
  const TSK_RETVAL_ENUM result = fs.dir_open_meta(&fs, &opened, address, 0);
  indexes().clear();
  return {Dir(opened), result};
}

void forget_name(TSK_FS_DIR& dir, std::size_t position) {
  TSK_FS_NAME& name = dir.names[position];
  std::free(std::exchange(name.name, nullptr));
  std::free(std::exchange(name.shrt_name, nullptr));
  name.name_size = name.shrt_name_size = 0;
}

void know_named(TSK_FS_INFO& fs, const std::unordered_set<TSK_INUM_T>& addresses) {
  if (fs.list_inum_named != nullptr) return;
  // The folder's own address is never asked for: an empty list would count as unknown.
  std::vector<TSK_INUM_T> sorted{TSK_FS_ORPHANDIR_INUM((&fs))};
  sorted.insert(sorted.end(), addresses.begin(), addresses.end());
  std::sort(sorted.begin(), sorted.end());  // libtsk's list takes a larger one than it has at once
  for (const TSK_INUM_T address : sorted) tsk_list_add(&fs.list_inum_named, address);
}

}  // namespace exhibit::filesystem::tsk

std::uint8_t tsk_fs_dir_add(TSK_FS_DIR* dir, const TSK_FS_NAME* name) {
  using namespace exhibit::filesystem::tsk;
  constexpr std::size_t most_names = UINT32_MAX - 1;
  constexpr std::size_t more_names = 512;  // libtsk's own step; a share of what is there besides
  // A name of FAT has its own metadata address: it is never there already.
  const bool is_fat = TSK_FS_TYPE_ISFAT(dir->fs_info->ftype) != 0;
  TSK_FS_NAME* to = nullptr;
  if (!is_fat && replace_same(*dir, *name, to) && to == nullptr) return 0;
  const bool is_new = to == nullptr;
  if (is_new) {
    const bool is_full = dir->names_used >= dir->names_alloc;
    if (dir->names_used >= most_names ||
        (is_full && tsk_fs_dir_realloc(dir, dir->names_used + dir->names_used / 8 + more_names) != 0))
      return 1;
    to = &dir->names[dir->names_used];
  }
  if (tsk_fs_name_copy(to, name) != 0) return 1;
  if (dir->addr != 0) {
    to->par_addr = dir->addr;
    to->par_seq = dir->seq;
  }
  if (!is_new) return 0;
  if (is_fat || dir->names_used < few_names) {
    ++dir->names_used;
  } else {
    NameIndex& index = indexes().of(*dir);
    ++dir->names_used;
    index.append(*dir);
  }
  return 0;
}

std::uint8_t tsk_fs_dir_contains(TSK_FS_DIR* dir, TSK_INUM_T address, std::uint32_t hash) {
  std::uint8_t best = 0;
  exhibit::filesystem::tsk::find_names(*dir, address, hash, [&](const TSK_FS_NAME& name) {
    best = static_cast<std::uint8_t>(name.flags);
    return best != TSK_FS_NAME_FLAG_ALLOC;
  });
  return best;
}
