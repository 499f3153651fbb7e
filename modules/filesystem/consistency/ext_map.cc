#include "filesystem/consistency/ext_map.h"

#include <unordered_set>

#include "base/crc.h"

namespace exhibit::filesystem::consistency {
namespace {

constexpr std::string_view out_of_range = "blocks outside of the file system";

class MapWalk {
 public:
  MapWalk(ExtVolume& volume, const Inode& inode, bool first) : volume_(volume), inode_(inode), first_(first) {}

  Map run() {
    if (inode_.is(layout::flag_extents)) {
      const Bytes root = inode_.map();
      extents(root, volume_.inode_place(inode_.number()), u16(root, 6), std::nullopt, max_logical);
    } else {
      block_map();
    }
    return std::move(map_);
  }

 private:
  // Beyond the last logical block that an extent can name.
  static constexpr std::uint64_t max_logical = std::uint64_t{1} << 32;

  void tell(std::string_view kind, Place place, const std::string& what) {
    map_.damaged = true;
    if (first_) volume_.teller.corrupt(kind, place, inode_.name() + ": " + what);
  }

  // Claims the clusters of these blocks; false where one had an owner already.
  bool claim(std::uint64_t block, std::uint64_t count, bool content) {
    const std::uint64_t begin = volume_.cluster_of(block), end = volume_.cluster_of(block + count - 1) + 1;
    bool fresh = true;
    if (first_ && !volume_.spend(volume_.claim_budget, count)) return false;
    for (std::uint64_t cluster = begin; cluster < end; ++cluster) {
      // A cluster's blocks may come as several runs.
      if (content && volume_.super.cluster_ratio > 1 && last_cluster_ == cluster + 1) continue;
      ++map_.clusters;
      if (!first_) continue;
      if (!volume_.used.set(cluster)) continue;
      if (fresh) claimed_twice(volume_.super.first_data_block + cluster * volume_.super.cluster_ratio, cluster);
      fresh = false;
    }
    if (content) last_cluster_ = end;
    return fresh;
  }

  void claimed_twice(std::uint64_t block, std::uint64_t cluster) {
    const bool shared = (volume_.super.ro_compat & layout::ro_shared_blocks) != 0;
    if (volume_.metadata.test(cluster))
      tell("blocks of files in the file system's own structures", volume_.block_place(block),
           "its block " + std::to_string(block) + " is one of the file system's own structures");
    else if (!shared)
      tell("blocks that belong to two files", volume_.block_place(block),
           "its block " + std::to_string(block) + " is already in use by an inode");
  }

  void content(std::uint64_t logical, std::uint64_t physical, std::uint64_t count, bool unwritten, Place place) {
    if (!volume_.in_range(physical, count)) {
      tell(out_of_range, place, "block " + std::to_string(physical) + " of its content is outside of the file system");
      return;
    }
    const std::uint64_t ratio = volume_.super.cluster_ratio;
    if (ratio > 1 && physical % ratio != logical % ratio)
      tell("blocks that break the rules of clusters", place,
           "block " + std::to_string(physical) + " doesn't lie in its cluster as block " + std::to_string(logical) +
               " of the content should");
    claim(physical, count, true);
    map_.last_block = logical + count - 1;
    if (!unwritten) map_.last_written_block = map_.last_block;
    if (!first_) add_run({logical, physical, count, unwritten});
  }

  void add_run(Run run) {
    if (!map_.runs.empty()) {
      Run& last = map_.runs.back();
      if (last.logical + last.count == run.logical && last.physical + last.count == run.physical &&
          last.unwritten == run.unwritten) {
        last.count += run.count;
        return;
      }
    }
    map_.runs.push_back(run);
  }

  // Reads a block of the map itself once; false where it must not or can't be followed.
  bool node(std::uint64_t block, Place parent, std::vector<std::byte>& buffer) {
    if (!volume_.in_range(block)) {
      tell(out_of_range, parent, "block " + std::to_string(block) + " of its map is outside of the file system");
      return false;
    }
    if (!claim(block, 1, false) || !visited_.insert(block).second) {
      map_.damaged = true;
      return false;
    }
    if (!volume_.spend(volume_.map_budget, 1)) return false;
    if (volume_.read_block(block, buffer)) return true;
    map_.damaged = true;
    return false;
  }

  // One node of an extent tree (struct ext4_extent_header and what follows it). Its content must begin at `start`,
  // where a parent says so, and end before `end`.
  void extents(Bytes bytes, Place place, std::uint16_t depth, std::optional<std::uint64_t> start, std::uint64_t end) {
    const std::uint16_t entries = u16(bytes, 2), room = u16(bytes, 4);
    if (u16(bytes, 0) != layout::extent_magic || u16(bytes, 6) != depth || depth > layout::deepest_followed ||
        room == 0 || room > bytes.size() / layout::extent_size - 1 || entries > room) {
      // A file that has nothing yet may have an inode without a tree's header.
      if (!start && all_zero(bytes)) return;
      tell("bad nodes of extent trees", place, "a node of its extent tree has a header that doesn't hold");
      return;
    }
    if (depth > layout::deepest_extent_tree)
      tell("bad nodes of extent trees", place, "its extent tree is deeper than Linux reads");
    if (start && entries == 0) tell("bad nodes of extent trees", place, "a node of its extent tree is empty");
    if (start && !checksum_holds(bytes, room))
      tell("wrong checksums of extent trees", place, "the checksum of a node of its extent tree doesn't hold");
    std::uint64_t next = start.value_or(0);
    for (std::uint16_t i = 0; i < entries; ++i) {
      const Bytes entry = bytes.subspan(layout::extent_size * (std::size_t{i} + 1), layout::extent_size);
      const std::uint64_t logical = u32(entry, 0);
      if (i == 0 && start && logical != *start)
        tell("extent trees out of order", place,
             "a node of its extent tree begins at block " + std::to_string(logical) + ", its parent says " +
                 std::to_string(*start));
      if (logical < next || logical >= end) {
        tell("extent trees out of order", place,
             "an entry of its extent tree at block " + std::to_string(logical) + " overlaps its neighbour");
        continue;
      }
      next = depth == 0 ? leaf(entry, place, end) : index(bytes, i, entries, place, depth, end);
    }
  }

  // Returns where the next extent may begin.
  std::uint64_t leaf(Bytes entry, Place place, std::uint64_t end) {
    const std::uint64_t logical = u32(entry, 0);
    const std::uint64_t physical = u32(entry, 8) | std::uint64_t{u16(entry, 6)} << 32;
    std::uint64_t count = u16(entry, 4);
    const bool unwritten = count > layout::longest_extent;
    if (unwritten) count -= layout::longest_extent;
    if (count == 0 || count > end - logical) {
      tell("extent trees out of order", place,
           "the extent at block " + std::to_string(logical) + " has an impossible length");
      return logical + 1;
    }
    content(logical, physical, count, unwritten, place);
    return logical + count;
  }

  std::uint64_t index(Bytes bytes, std::uint16_t i, std::uint16_t entries, Place place, std::uint16_t depth,
                      std::uint64_t end) {
    const Bytes entry = bytes.subspan(layout::extent_size * (std::size_t{i} + 1));
    const std::uint64_t logical = u32(entry, 0);
    const std::uint64_t child = u32(entry, 4) | std::uint64_t{u16(entry, 8)} << 32;
    if (i + 1 < entries) end = std::min<std::uint64_t>(end, std::max<std::uint64_t>(u32(entry, 12), logical + 1));
    std::vector<std::byte> buffer;
    if (node(child, place, buffer))
      extents(buffer, volume_.block_place(child), static_cast<std::uint16_t>(depth - 1), logical, end);
    return logical + 1;
  }

  bool checksum_holds(Bytes bytes, std::uint16_t room) const {
    if (!volume_.super.has_checksums()) return true;
    const std::size_t tail = layout::extent_size * (std::size_t{room} + 1);
    return u32(bytes, tail) == base::crc32c(inode_.checksum_seed(volume_.super), bytes.first(tail));
  }

  void block_map() {
    const Place place = volume_.inode_place(inode_.number());
    const Bytes bytes = inode_.map();
    std::uint64_t logical = 0;
    for (; logical < layout::direct_blocks; ++logical)
      if (const std::uint32_t block = u32(bytes, logical * 4)) content(logical, block, 1, false, place);
    for (unsigned level = 1; level <= layout::indirect_levels; ++level) {
      const std::uint32_t block = u32(bytes, 4 * (layout::direct_blocks + level - 1));
      // The reserved descriptor blocks below the resize inode's double indirect block are the groups' own.
      if (block != 0 && inode_.number() == layout::resize_inode)
        resize_node(block, place);
      else if (block != 0)
        indirect(block, place, level, logical);
      logical += span_of(level);
    }
  }

  // The double indirect block names the primary superblock's reserved blocks, each of which names its copies.
  void resize_node(std::uint64_t block, Place place) {
    std::vector<std::byte> buffer, copies;
    if (!node(block, place, buffer)) return;
    for (std::size_t i = 0; i < buffer.size() / 4; ++i) {
      const std::uint32_t primary = u32(buffer, i * 4);
      if (primary == 0 || !reserved(primary, volume_.block_place(block))) continue;
      if (!visited_.insert(primary).second || !volume_.spend(volume_.map_budget, 1)) continue;
      if (!volume_.read_block(primary, copies)) continue;
      for (std::size_t j = 0; j < copies.size() / 4; ++j)
        if (const std::uint32_t copy = u32(copies, j * 4)) reserved(copy, volume_.block_place(primary));
    }
  }

  bool reserved(std::uint64_t block, Place place) {
    ++map_.clusters;
    if (volume_.in_range(block) && volume_.metadata.test(volume_.cluster_of(block))) return true;
    tell("blocks of the resize inode", place, "block " + std::to_string(block) + " isn't reserved for descriptors");
    return false;
  }

  // Blocks of content below one entry at this level.
  std::uint64_t span_of(unsigned level) const {
    std::uint64_t blocks = 1;
    for (; level > 0; --level) blocks *= volume_.super.block_size / 4;
    return blocks;
  }

  void indirect(std::uint64_t block, Place parent, unsigned level, std::uint64_t logical) {
    std::vector<std::byte> buffer;
    if (!node(block, parent, buffer)) return;
    for (std::size_t i = 0; i < buffer.size() / 4; ++i) {
      const std::uint32_t child = u32(buffer, i * 4);
      const std::uint64_t at = logical + i * span_of(level - 1);
      if (child == 0) continue;
      if (level == 1)
        content(at, child, 1, false, volume_.block_place(block));
      else
        indirect(child, volume_.block_place(block), level - 1, at);
    }
  }

  ExtVolume& volume_;
  const Inode& inode_;
  bool first_;
  std::uint64_t last_cluster_ = 0;  // one past the last that was claimed for content
  std::unordered_set<std::uint64_t> visited_;
  Map map_;
};

}  // namespace

Map claim_blocks(ExtVolume& volume, const Inode& inode) { return MapWalk(volume, inode, true).run(); }
Map find_blocks(ExtVolume& volume, const Inode& inode) { return MapWalk(volume, inode, false).run(); }

}  // namespace exhibit::filesystem::consistency
