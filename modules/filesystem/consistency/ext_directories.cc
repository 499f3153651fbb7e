#include <algorithm>

#include "base/crc.h"
#include "base/text.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

constexpr std::string_view bad_entries = "bad directory entries";

std::string_view text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class DirectoryCheck {
 public:
  DirectoryCheck(ExtVolume& volume, Directory& self, const Inode& inode)
      : volume_(volume), super_(volume.super), self_(self), inode_(inode) {}

  void run() {
    if (inode_.is(layout::flag_inline_data)) return inline_content();
    const Map map = find_blocks(volume_, inode_);
    std::uint64_t next = 0;
    for (const Run& run : map.runs) {
      if (run.logical != next)
        tell("directories with holes", volume_.inode_place(self_.inode),
             "block " + std::to_string(next) + " of its content is missing");
      if (run.unwritten)
        tell("directories with holes", volume_.block_place(run.physical, run.count),
             "its content is marked as never written");
      for (std::uint64_t i = 0; i < run.count; ++i)
        if (volume_.spend(volume_.map_budget, 1)) block(run.logical + i, run.physical + i);
      next = run.logical + run.count;
    }
    if (next == 0) tell("directories with holes", volume_.inode_place(self_.inode), "it has no content");
    if (inode_.is(layout::flag_index)) check_hash_tree(volume_, inode_, map.runs);
  }

 private:
  void tell(std::string_view kind, Place place, const std::string& what) {
    volume_.teller.corrupt(kind, place, "directory " + inode_.name() + ": " + what);
  }

  // '.' and '..' of an inline directory aren't stored: its content begins with the parent's number.
  void inline_content() {
    const Place place = volume_.inode_place(self_.inode);
    self_.dot_dot = u32(inode_.map(), 0);
    count(self_.inode);
    count(self_.dot_dot);
    names_.clear();
    entries(inode_.map().subspan(4), {place.offset + layout::inode_blocks_offset + 4, layout::inode_blocks_size - 4},
            2);
    const Attributes attributes = find_inline_data(inode_);
    if (attributes.inline_size > 0)
      entries(inode_.bytes().subspan(attributes.inline_offset, attributes.inline_size),
              {place.offset + attributes.inline_offset, attributes.inline_size}, 2);
    duplicates(place);
  }

  void block(std::uint64_t logical, std::uint64_t physical) {
    if (!volume_.read_block(physical, buffer_)) return;
    const Place place = volume_.block_place(physical);
    const Bytes bytes(buffer_);
    const bool node = inode_.is(layout::flag_index) && (logical == 0 || is_tree_node(bytes));
    if (super_.has_checksums() && !node) checksum(bytes, place);
    names_.clear();
    entries(bytes, place, logical == 0 ? 0 : 2);
    duplicates(place);
  }

  // A node of the hash tree looks like one empty entry.
  bool is_tree_node(Bytes bytes) const { return u32(bytes, 0) == 0 && record_length(bytes) == super_.block_size; }

  std::size_t record_length(Bytes bytes) const {
    const std::size_t stored = u16(bytes, 4);
    const bool whole = super_.block_size == 65536 && (stored == 0 || stored == 65535);
    return whole ? super_.block_size : stored;
  }

  void checksum(Bytes bytes, Place place) {
    const std::size_t at = bytes.size() - layout::checksum_tail_size;
    const Bytes tail = bytes.subspan(at);
    if (u32(tail, 0) != 0 || u16(tail, 4) != layout::checksum_tail_size || u8(tail, 6) != 0 ||
        u8(tail, 7) != layout::checksum_tail_type)
      tell("wrong checksums of directories", place, "its checksum is missing");
    else if (u32(tail, 8) != base::crc32c(inode_.checksum_seed(super_), bytes.first(at)))
      tell("wrong checksums of directories", place, "its checksum doesn't hold");
  }

  // `index`: 0 where '.' and '..' come first, 2 where they don't.
  void entries(Bytes bytes, Place place, std::size_t index) {
    for (std::size_t at = 0; at < bytes.size(); ++index) {
      const Bytes rest = bytes.subspan(at);
      const std::size_t length = record_length(rest);
      const std::size_t name = u8(rest, 6);
      if (rest.size() < layout::entry_head || length < layout::entry_head + 4 || length % 4 != 0 ||
          length > rest.size() || layout::entry_head + name > length)
        return tell(bad_entries, {place.offset + at, rest.size()},
                    "the entry at byte " + std::to_string(at) + " of its block has an impossible length");
      const Place here{place.offset + at, length};
      if (index < 2)
        dot(index, rest, here);
      else if (u32(rest, 0) != 0)
        entry(rest, here);
      at += length;
    }
    if (index < 2) tell(bad_entries, place, "'.' or '..' is missing");
  }

  void dot(std::size_t index, Bytes bytes, Place place) {
    const std::string_view name = text(bytes.subspan(layout::entry_head, u8(bytes, 6)));
    const std::uint32_t target = u32(bytes, 0);
    if (name != (index == 0 ? "." : "..")) {
      tell(bad_entries, place, index == 0 ? "its first entry isn't '.'" : "its second entry isn't '..'");
      if (target != 0 && name != ".") entry(bytes, place);
      return;
    }
    if (index == 0 && target != self_.inode) tell(bad_entries, place, "'.' isn't itself");
    if (index == 1) self_.dot_dot = target;
    if (index == 1 && !volume_.valid_inode(target)) tell(bad_entries, place, "'..' is outside of the file system");
    check_type(bytes, target, name, place);
    count(target);
  }

  void entry(Bytes bytes, Place place) {
    const std::uint32_t target = u32(bytes, 0);
    const Bytes name = bytes.subspan(layout::entry_head, u8(bytes, 6));
    const std::string_view called = text(name);
    check_name(called, place);
    names_.push_back(called);
    const std::string to = "an entry points to inode " + std::to_string(target);
    if (!volume_.valid_inode(target)) return tell(bad_entries, place, to + ", outside of the file system");
    if (called == "." || called == "..")
      return tell(bad_entries, place, "there is a second '" + std::string(called) + "'");
    if (target < super_.first_inode) return tell(bad_entries, place, to + ", which is reserved");
    const std::uint8_t kind = volume_.kinds[target];
    if (kind == not_in_use) return tell(bad_entries, place, to + ", which isn't in use");
    if (kind == attribute_value) return tell(bad_entries, place, to + ", which holds an extended attribute");
    check_type(bytes, target, called, place);
    count(target);
    if (kind == directory) adopt(target, place);
  }

  void check_name(std::string_view name, Place place) {
    if (name.empty()) return tell(bad_entries, place, "an entry has no name");
    if (inode_.is(layout::flag_encrypted)) return;
    if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
      tell(bad_entries, place, "an entry's name has characters that it can't have");
    else if (inode_.is(layout::flag_casefold) && super_.has(layout::incompat_casefold) && !base::clean_utf8(name).exact)
      tell(bad_entries, place, "an entry's name isn't UTF-8, as this directory's must be");
  }

  void check_type(Bytes bytes, std::uint32_t target, std::string_view name, Place place) {
    if (!volume_.valid_inode(target)) return;
    const std::uint8_t type = u8(bytes, 7), kind = volume_.kinds[target];
    // Type 0 says that the type is unknown, which is always allowed.
    const bool known = kind != not_in_use && kind != unknown && type != 0;
    const std::uint8_t expected = !super_.has(layout::incompat_filetype) || kind >= attribute_value ? 0 : kind;
    if (known && type != expected)
      tell("wrong types in directory entries", place,
           (name == "." || name == ".." ? std::string(name) : "the entry of inode " + std::to_string(target)) +
               " has a type that the inode hasn't");
  }

  void adopt(std::uint32_t child, Place place) {
    const auto found = std::lower_bound(volume_.directories.begin(), volume_.directories.end(), child,
                                        [](const Directory& a, std::uint32_t inode) { return a.inode < inode; });
    if (found == volume_.directories.end() || found->inode != child) return;
    if (found->parent != 0)
      tell(bad_entries, place, "an entry is a second name of directory inode " + std::to_string(child));
    else
      found->parent = self_.inode;
  }

  void count(std::uint32_t target) {
    if (volume_.valid_inode(target) && volume_.entries[target] < UINT16_MAX) ++volume_.entries[target];
  }

  void duplicates(Place place) {
    std::sort(names_.begin(), names_.end());
    if (std::adjacent_find(names_.begin(), names_.end()) != names_.end())
      tell(bad_entries, place, "two entries of a block have the same name");
  }

  ExtVolume& volume_;
  const Superblock& super_;
  Directory& self_;
  const Inode& inode_;
  std::vector<std::byte> buffer_;
  std::vector<std::string_view> names_;  // of the block at hand
};

// Whether each directory leads up to the root. Directories with no name at all are told as such elsewhere.
void check_loops(ExtVolume& volume) {
  auto& all = volume.directories;
  const auto find = [&all](std::uint32_t inode) {
    return static_cast<std::size_t>(std::lower_bound(all.begin(), all.end(), inode,
                                                     [](const Directory& a, std::uint32_t b) { return a.inode < b; }) -
                                    all.begin());
  };
  enum : std::uint8_t { fresh, on_the_way, done };
  std::vector<std::uint8_t> states(all.size(), fresh);
  std::vector<std::size_t> way;
  for (std::size_t start = 0; start < all.size(); ++start) {
    std::size_t at = start;
    way.clear();
    while (at < all.size() && states[at] == fresh) {
      states[at] = on_the_way;
      way.push_back(at);
      at = all[at].parent == 0 ? all.size() : find(all[at].parent);
    }
    if (at < all.size() && states[at] == on_the_way)
      volume.teller.corrupt("directories out of reach", volume.inode_place(all[at].inode),
                            "directory inode " + std::to_string(all[at].inode) + ": it lies inside of itself");
    for (const std::size_t passed : way) states[passed] = done;
  }
}

void check_reach(ExtVolume& volume) {
  for (const Directory& each : volume.directories) {
    const std::string name = "directory inode " + std::to_string(each.inode);
    const Place place = volume.inode_place(each.inode);
    if (each.inode < volume.super.first_inode && each.inode != layout::root_inode) continue;
    const std::uint32_t parent = each.inode == layout::root_inode ? each.inode : each.parent;
    if (parent == 0)
      volume.teller.corrupt("inodes out of reach", place, name + ": it is in use, but no directory names it");
    else if (each.dot_dot != parent)
      volume.teller.corrupt("wrong '..'", place,
                            name + ": its '..' is inode " + std::to_string(each.dot_dot) + ", but it lies in inode " +
                                std::to_string(parent));
  }
}

void check_links(ExtVolume& volume) {
  const Superblock& super = volume.super;
  for (std::uint32_t inode = layout::root_inode; inode <= super.inodes; ++inode) {
    const std::uint8_t kind = volume.kinds[inode];
    if (inode < super.first_inode && inode != layout::root_inode) continue;
    if (kind == not_in_use || kind == unknown) continue;
    if (std::find(std::begin(super.hidden_inodes), std::end(super.hidden_inodes), inode) !=
            std::end(super.hidden_inodes) ||
        inode == super.journal)
      continue;
    const std::uint32_t says = volume.links[inode], found = volume.entries[inode];
    const std::string name = "inode " + std::to_string(inode);
    if (kind == attribute_value ? found == 0 : found == 0 && kind != directory) {
      volume.teller.corrupt("inodes out of reach", volume.inode_place(inode),
                            name + ": it is in use, but no directory names it");
      continue;
    }
    if (kind == attribute_value || says == found) continue;
    // A directory with more subdirectories than can be counted says 1.
    if (kind == directory && says == 1 && (super.ro_compat & layout::ro_dir_nlink) != 0) continue;
    volume.teller.corrupt(
        "wrong counts of links", volume.inode_place(inode),
        name + ": its count of links is " + std::to_string(says) + ", found " + std::to_string(found));
  }
}

}  // namespace

void check_directories(ExtVolume& volume) {
  std::vector<std::byte> buffer;
  for (Directory& each : volume.directories)
    if (volume.read_inode(each.inode, buffer)) DirectoryCheck(volume, each, Inode(each.inode, buffer)).run();
  check_reach(volume);
  check_loops(volume);
  check_links(volume);
}

}  // namespace exhibit::filesystem::consistency
