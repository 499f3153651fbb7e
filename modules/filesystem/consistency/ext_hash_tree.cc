#include <algorithm>

#include "base/crc.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

// Of struct dx_root and dx_node (fs/ext4/namei.c).
constexpr std::size_t root_info = 24, root_entries = 32, node_entries = 8, tree_entry = 8, tree_tail = 8;
constexpr std::uint8_t root_info_length = 8, last_hash_version = 6;

class HashTree {
 public:
  HashTree(ExtVolume& volume, const Inode& inode, const std::vector<Run>& runs)
      : volume_(volume), inode_(inode), runs_(runs) {}

  void run() {
    for (const Run& run : runs_) blocks_ = std::max(blocks_, run.logical + run.count);
    // A map that is damaged may name blocks at the end of what can be named; its size is told elsewhere.
    if (blocks_ == 0 || blocks_ > volume_.super.blocks) return;
    seen_ = Bitmap(blocks_);
    std::vector<std::byte> buffer;
    const auto place = read(0, buffer);
    if (!place) return;
    const Bytes info = Bytes(buffer).subspan(root_info);
    const unsigned levels = u8(info, 6);
    const unsigned most = volume_.super.has(layout::incompat_large_dir) ? 2 : 1;
    if (u32(info, 0) != 0 || u8(info, 4) > last_hash_version || u8(info, 5) != root_info_length || levels > most)
      return tell(*place, "its root doesn't hold");
    seen_.set(0);
    node(buffer, *place, root_entries, levels);
    for (std::uint64_t logical = 0; logical < blocks_; ++logical)
      if (!seen_.test(logical)) return tell(*place, "block " + std::to_string(logical) + " isn't in it");
  }

 private:
  void tell(Place place, const std::string& what) {
    volume_.teller.corrupt("hash trees of directories", place,
                           "the hash tree of directory " + inode_.name() + ": " + what);
  }

  std::optional<Place> read(std::uint64_t logical, std::vector<std::byte>& buffer) {
    const auto run = std::find_if(runs_.begin(), runs_.end(), [logical](const Run& each) {
      return each.logical <= logical && logical - each.logical < each.count;
    });
    if (run == runs_.end() || !volume_.spend(volume_.map_budget, 1)) return std::nullopt;
    const std::uint64_t block = run->physical + (logical - run->logical);
    if (!volume_.read_block(block, buffer)) return std::nullopt;
    return volume_.block_place(block);
  }

  void node(Bytes bytes, Place place, std::size_t begin, unsigned levels) {
    const std::size_t limit = u16(bytes, begin), count = u16(bytes, begin + 2);
    const std::size_t tail = volume_.super.has_checksums() ? tree_tail : 0;
    if (limit != (bytes.size() - begin - tail) / tree_entry || count == 0 || count > limit)
      return tell(place, "a node has impossible counts");
    if (tail != 0) checksum(bytes, place, begin, limit, count);
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes entry = bytes.subspan(begin + i * tree_entry, tree_entry);
      const std::uint32_t hash = i == 0 ? 0 : u32(entry, 0);
      if (hash < last) tell(place, "its hashes are out of order");
      last = hash;
      child(u32(entry, 4), place, levels);
    }
  }

  void child(std::uint64_t logical, Place place, unsigned levels) {
    if (logical >= blocks_) return tell(place, "it names block " + std::to_string(logical) + ", which isn't there");
    if (seen_.set(logical)) return tell(place, "it names block " + std::to_string(logical) + " twice");
    if (levels == 0) return;
    std::vector<std::byte> buffer;
    if (const auto at = read(logical, buffer)) node(buffer, *at, node_entries, levels - 1);
  }

  void checksum(Bytes bytes, Place place, std::size_t begin, std::size_t limit, std::size_t count) {
    const Bytes tail = bytes.subspan(begin + limit * tree_entry, tree_tail);
    std::uint32_t crc = base::crc32c(inode_.checksum_seed(volume_.super), bytes.first(begin + count * tree_entry));
    crc = base::crc32c(base::crc32c(crc, tail.first(4)), 0U);
    if (crc != u32(tail, 4)) tell(place, "a node's checksum doesn't hold");
  }

  ExtVolume& volume_;
  const Inode& inode_;
  const std::vector<Run>& runs_;
  std::uint64_t blocks_ = 0;
  Bitmap seen_;
};

}  // namespace

void check_hash_tree(ExtVolume& volume, const Inode& inode, const std::vector<Run>& runs) {
  HashTree(volume, inode, runs).run();
}

}  // namespace exhibit::filesystem::consistency
