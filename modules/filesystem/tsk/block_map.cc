#include "filesystem/tsk/block_map.h"

#include <algorithm>

#include "base/checked.h"

namespace exhibit::filesystem::tsk {

namespace {

constexpr std::uint16_t extent_magic = 0xF30A;
constexpr std::size_t most_runs = std::size_t{1} << 20;  // blocks of numbers may be made to lead to each other
constexpr std::uint64_t count_unit = 512;                // bytes: of i_blocks

// Blocks that the inode says it has: of content, of the map, and of extended attributes.
std::uint64_t counted_blocks(const ExtLayout& layout, const Raw& inode) {
  std::uint64_t count = inode.le32(ext_inode::blocks);
  if (layout.has_wide_block_counts) {
    count |= static_cast<std::uint64_t>(inode.le16(ext_inode::blocks_high)) << 32;
    if ((inode.le32(ext_inode::flags) & ext_inode::flag_huge) != 0) return count;
  }
  return count * count_unit / layout.block_size;
}

// ext3: 12 blocks, then a block of block numbers, one of such blocks, and one of those ("Direct/Indirect Block
// Addressing").
class IndirectMap {
 public:
  IndirectMap(const ExtLayout& layout, const ReadNode& read, std::uint64_t most, std::uint64_t size)
      : layout_(layout), read_(read), most_(most), size_(size) {}

  bool run(const Raw& inode) {
    constexpr std::size_t direct = 12, all = 15;
    for (std::size_t i = 0; i < all && logical_ * layout_.block_size < size_; ++i)
      if (!pointer(inode.le32(ext_inode::map + 4 * i), i < direct ? 0 : static_cast<unsigned>(i - direct + 1)))
        return false;
    return true;
  }

  std::uint64_t map_blocks = 0;
  std::vector<BlockRun> runs;

 private:
  // `level`: of blocks of numbers above the content. No more blocks are read than the inode has.
  bool pointer(std::uint64_t block, unsigned level) {
    if (block == 0) {
      std::uint64_t count = 1;
      for (unsigned i = 0; i < level; ++i) count *= layout_.block_size / 4;
      logical_ += count;
      return true;
    }
    if (block >= layout_.blocks || ++taken_ > most_) return false;
    if (level == 0) {
      append(block);
      return runs.size() <= most_runs;
    }
    ++map_blocks;
    const auto numbers = read_(block);
    if (!numbers) return false;
    for (std::size_t i = 0; i < layout_.block_size / 4; ++i)
      if (!pointer(numbers->le32(4 * i), level - 1)) return false;
    return true;
  }

  void append(std::uint64_t block) {
    const bool follows = !runs.empty() && runs.back().logical + runs.back().count == logical_ &&
                         runs.back().physical + runs.back().count == block;
    if (follows) {
      ++runs.back().count;
    } else {
      runs.push_back({logical_, block, 1, true});
    }
    ++logical_;
  }

  const ExtLayout& layout_;
  const ReadNode& read_;
  std::uint64_t most_, size_, logical_ = 0, taken_ = 0;
};

}  // namespace

bool is_extent_node(const Raw& block) { return block.le16(0) == extent_magic && block.le16(2) > 0; }

std::optional<std::vector<BlockRun>> read_block_map(const ExtLayout& layout, const Raw& inode, std::uint64_t size,
                                                    const ReadNode& read) {
  const std::uint64_t counted = counted_blocks(layout, inode);
  std::uint64_t blocks = inode.le32(ext_inode::attribute_block) != 0 ? 1 : 0;
  std::vector<BlockRun> runs;
  if ((inode.le32(ext_inode::flags) & ext_inode::flag_extents) != 0) {
    const auto counting = [&](std::uint64_t block) -> std::optional<Raw> {
      if (++blocks > counted) return std::nullopt;
      return read(block);
    };
    auto tree = read_extent_tree(Raw(std::string(inode.view(ext_inode::map, ext_inode::map_size))), counting);
    if (!tree) return std::nullopt;
    runs = std::move(*tree);
  } else {
    IndirectMap map(layout, read, std::min(counted, layout.blocks), size);
    if (!map.run(inode)) return std::nullopt;
    blocks += map.map_blocks;
    runs = std::move(map.runs);
  }
  for (const BlockRun& run : runs) {
    if (!base::within(run.physical, run.count, layout.blocks)) return std::nullopt;
    blocks += run.count;
  }
  if (blocks != counted) return std::nullopt;
  return runs;
}

}  // namespace exhibit::filesystem::tsk
