#include "filesystem/xfs/inode.h"

#include <algorithm>

#include "filesystem/xfs/tree.h"

namespace exhibit::filesystem::xfs {
namespace {

constexpr std::uint16_t magic = 0x494e;  // "IN"
constexpr std::size_t core_size = 100, core_size_v3 = 176;
constexpr SelfDescription description = {
    .checksum = 100, .block_number = 0, .uuid = 160, .owner = 152, .is_owner_short = false};
constexpr std::uint16_t realtime = 0x1;                        // di_flags
constexpr std::uint64_t big_times = 0x8, many_extents = 0x10;  // di_flags2
constexpr std::size_t extent_size = 16;

void read_forks(Inode& inode, std::size_t core, bool has_many_extents, Faults& faults) {
  const Bytes bytes = inode.bytes;
  const std::size_t room = bytes.size() - core, attributes_at = std::size_t{u8(bytes, 82)} * 8;
  inode.data = {static_cast<ForkFormat>(u8(bytes, 5)), core, attributes_at == 0 ? room : attributes_at,
                has_many_extents ? u64(bytes, 24) : u32(bytes, 76)};
  if (attributes_at >= room) {
    inode.data.size = 0;
    return faults.add("its inode's forks pass its end");
  }
  if (attributes_at > 0)
    inode.attributes = {static_cast<ForkFormat>(u8(bytes, 83)), core + attributes_at, room - attributes_at,
                        has_many_extents ? u32(bytes, 76) : u16(bytes, 80)};
}

class ForkReader {
 public:
  ForkReader(const Volume& volume, const Inode& inode, const Fork& fork, Faults& faults)
      : volume_(volume), inode_(inode), fork_(fork), faults_(faults) {}

  ForkMap read() {
    if (fork_.format == ForkFormat::extents) {
      read_extents(inode_.literal(fork_));
    } else if (fork_.format == ForkFormat::tree) {
      read_tree(inode_.literal(fork_));
    }
    if (records_ != fork_.extents)
      faults_.add("its map has " + std::to_string(records_) + " extents where its inode counts " +
                  std::to_string(fork_.extents));
    return std::move(map_);
  }

 private:
  void read_extents(Bytes bytes) {
    const std::uint64_t count = std::min<std::uint64_t>(fork_.extents, bytes.size() / extent_size);
    for (std::uint64_t i = 0; i < count; ++i) add(part(bytes, i * extent_size, extent_size));
  }

  // The tree's root is in the inode: level, count, then keys and pointers of eight bytes for as many as fit.
  void read_tree(Bytes root) {
    constexpr std::size_t header = 4, key = 8, pointer = 8;
    if (root.size() < header) return;
    const std::size_t most = (root.size() - header) / (key + pointer);
    const std::uint32_t level = u16(root, 0), count = u16(root, 2);
    if (level == 0 || count > most) return faults_.add("its map's root doesn't hold");
    std::vector<std::uint64_t> blocks;
    for (std::size_t i = 0; i < count; ++i) blocks.push_back(u64(root, header + most * key + i * pointer));
    const TreeVisitor visitor = {[this](std::uint64_t block) { map_.tree_blocks.push_back(block); },
                                 [this](Bytes record) { add(record); }};
    walk_tree(volume_, fork_map, blocks, level - 1, inode_.number, visitor, faults_);
  }

  // 1 bit: unwritten, 54: the file's block, 52: the file system's, 21: how many.
  void add(Bytes record) {
    const std::uint64_t high = u64(record, 0), low = u64(record, 8);
    const Mapping mapping = {(high & (UINT64_MAX >> 1)) >> 9, (high & 0x1ff) << 43 | low >> 21, low & 0x1fffff,
                             high >> 63 != 0};
    ++records_;
    const bool is_after =
        map_.mappings.empty() || mapping.file_block >= map_.mappings.back().file_block + map_.mappings.back().count;
    if (mapping.count == 0 || !is_after) return faults_.add("its map's extents overlap or are out of order");
    if (!volume_.super().offset_of(mapping.block, mapping.count))
      return faults_.add("its map leads outside of the file system");
    // No file has more blocks than there are: what is read for one stays within the volume's size.
    blocks_ += mapping.count;
    if (blocks_ > volume_.super().blocks) return faults_.add("its map holds more blocks than the file system");
    map_.mappings.push_back(mapping);
  }

  const Volume& volume_;
  const Inode& inode_;
  const Fork& fork_;
  Faults& faults_;
  ForkMap map_;
  std::uint64_t records_ = 0, blocks_ = 0;
};

}  // namespace

std::optional<Inode> read_inode(const Volume& volume, std::uint64_t number, Faults& faults) {
  const auto offset = volume.super().offset_of_inode(number);
  if (!offset) {
    faults.add("its inode's number is outside of the file system");
    return std::nullopt;
  }
  std::vector<std::byte> bytes(volume.super().inode_size);
  if (volume.read(*offset, bytes)) return parse_inode(volume, number, bytes, faults);
  faults.add("its inode at byte " + std::to_string(*offset) + " can't be read");
  return std::nullopt;
}

std::optional<Inode> parse_inode(const Volume& volume, std::uint64_t number, Bytes bytes, Faults& faults) {
  Inode inode;
  inode.number = number;
  inode.offset = volume.super().offset_of_inode(number).value_or(0);
  const std::uint8_t version = u8(bytes, 4);
  if (u16(bytes, 0) != magic || (volume.super().is_v5 ? version != 3 : version != 1 && version != 2)) {
    faults.add("there is no inode at byte " + std::to_string(inode.offset));
    return std::nullopt;
  }
  volume.check(bytes, description, inode.offset, number, "its inode", faults);
  inode.bytes.assign(bytes.begin(), bytes.end());
  inode.mode = u16(bytes, 2);
  inode.uid = u32(bytes, 8);
  inode.gid = u32(bytes, 12);
  inode.size = u64(bytes, 56);
  inode.blocks = u64(bytes, 64);
  inode.is_on_realtime_device = (u16(bytes, 90) & realtime) != 0 && inode.is_file();
  const std::uint64_t flags = version == 3 ? u64(bytes, 120) : 0;
  inode.has_birth = version == 3;
  inode.has_big_times = (flags & big_times) != 0;
  // One that is free has no forks.
  if (inode.mode != 0) read_forks(inode, version == 3 ? core_size_v3 : core_size, (flags & many_extents) != 0, faults);
  return inode;
}

ForkMap read_fork(const Volume& volume, const Inode& inode, const Fork& fork, Faults& faults) {
  return ForkReader(volume, inode, fork, faults).read();
}

}  // namespace exhibit::filesystem::xfs
