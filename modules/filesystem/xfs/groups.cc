#include "filesystem/xfs/groups.h"

#include "filesystem/xfs/tree.h"

namespace exhibit::filesystem::xfs {
namespace {

// A group begins with four sectors: superblock, free space (AGF), inodes (AGI), blocks kept for the trees (AGFL).
enum Sector : std::uint64_t { free_space = 1, inodes = 2, kept_blocks = 3, sectors = 4 };
constexpr std::uint32_t free_space_magic = 0x58414746, inodes_magic = 0x58414749, kept_magic = 0x5841464c;
constexpr SelfDescription free_space_sector = {
    .checksum = 216, .block_number = 0, .uuid = 64, .owner = 8, .is_owner_short = true};
constexpr SelfDescription inodes_sector = {
    .checksum = 312, .block_number = 0, .uuid = 296, .owner = 8, .is_owner_short = true};
constexpr SelfDescription kept_sector = {
    .checksum = 32, .block_number = 0, .uuid = 8, .owner = 4, .is_owner_short = true};
constexpr std::uint32_t inodes_a_chunk = 64, inodes_a_hole = 4;

std::string name_of(std::uint32_t group) { return "group " + std::to_string(group); }

struct Root {
  TreeKind kind;
  std::uint32_t block = 0, levels = 0;
};

class Group {
 public:
  Group(const Volume& volume, std::uint32_t number, Faults& faults)
      : volume_(volume), number_(number), faults_(faults) {}

  std::uint64_t begin() const {
    return std::uint64_t{number_} * volume_.super().group_blocks * volume_.super().block_size;
  }

  // Empty where it doesn't hold.
  std::vector<std::byte> sector(Sector which, std::uint32_t magic, const SelfDescription& where, const char* what) {
    const std::uint64_t offset = begin() + which * volume_.super().sector_size;
    const std::string name = name_of(number_) + ": its header of " + what;
    std::vector<std::byte> bytes(volume_.super().sector_size);
    if (!volume_.read(offset, bytes)) {
      faults_.add(name + " at byte " + std::to_string(offset) + " can't be read");
      return {};
    }
    volume_.check(bytes, where, offset, number_, name, faults_);
    // Before version 5 the list of kept blocks has no mark.
    const bool is_marked = which != kept_blocks || volume_.super().is_v5;
    if (!is_marked || u32(bytes, 0) == magic) return bytes;
    faults_.add(name + " at byte " + std::to_string(offset) + " is none");
    return {};
  }

  void tree(const Root& root, const TreeVisitor& visitor) {
    if (root.levels == 0) return;
    walk_tree(volume_, root.kind, {volume_.super().block_in(number_, root.block)}, root.levels - 1, number_, visitor,
              faults_);
  }

 private:
  const Volume& volume_;
  std::uint32_t number_;
  Faults& faults_;
};

// A ring of blocks between two indexes. From version 5 on a header of 36 bytes is before it, and how many slots follow
// has changed over time by one: the indexes tell.
void walk_kept(const Volume& volume, std::uint32_t group, Bytes header, Bytes kept, const Claim& is_metadata,
               Faults& faults) {
  const std::size_t before = volume.super().is_v5 ? 36 : 0, slots = (kept.size() - before) / 4;
  const std::uint32_t first = u32(header, 40), last = u32(header, 44), count = u32(header, 48);
  if (count == 0) return;
  if (first >= slots || last >= slots || count > slots)
    return faults.add(name_of(group) + ": its list of kept blocks doesn't hold");
  const std::size_t size = first <= last ? slots : count + first - last - 1;
  if (size > slots || (first <= last && last - first + 1 != count))
    return faults.add(name_of(group) + ": its list of kept blocks doesn't hold");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t block = u32(kept, before + (first + i) % size * 4);
    const auto offset = volume.super().offset_of(volume.super().block_in(group, block));
    if (!offset) return faults.add(name_of(group) + ": its list of kept blocks leads outside of it");
    is_metadata(*offset, volume.super().block_size);
  }
}

}  // namespace

void walk_space(const Volume& volume, std::uint32_t group, const Claim& is_free, const Claim& is_metadata,
                Faults& faults) {
  const Superblock& super = volume.super();
  Group headers(volume, group, faults);
  const std::uint64_t header_bytes = sectors * super.sector_size;
  is_metadata(headers.begin(), (header_bytes + super.block_size - 1) / super.block_size * super.block_size);
  const auto own = [&](std::uint64_t block) { is_metadata(*super.offset_of(block), super.block_size); };
  const auto free_record = [&](Bytes record) {
    const auto offset = super.offset_of(super.block_in(group, u32(record, 0)), u32(record, 4));
    if (!offset) return faults.add(name_of(group) + ": its free space lies outside of it");
    is_free(*offset, std::uint64_t{u32(record, 4)} * super.block_size);
  };
  if (const auto agf = headers.sector(free_space, free_space_magic, free_space_sector, "free space"); !agf.empty()) {
    headers.tree({free_by_block, u32(agf, 16), u32(agf, 28)}, {own, free_record});
    headers.tree({free_by_size, u32(agf, 20), u32(agf, 32)}, {own, {}});
    if (super.is_v5) {
      headers.tree({reverse_map, u32(agf, 24), u32(agf, 36)}, {own, {}});
      headers.tree({reference_counts, u32(agf, 88), u32(agf, 92)}, {own, {}});
    }
    const auto kept = headers.sector(kept_blocks, kept_magic, kept_sector, "kept blocks");
    if (!kept.empty()) walk_kept(volume, group, agf, kept, is_metadata, faults);
  }
  if (const auto agi = headers.sector(inodes, inodes_magic, inodes_sector, "inodes"); !agi.empty()) {
    headers.tree({inode_chunks, u32(agi, 20), u32(agi, 24)}, {own, {}});
    if (super.is_v5) headers.tree({free_inodes, u32(agi, 328), u32(agi, 332)}, {own, {}});
  }
}

void walk_chunks(const Volume& volume, std::uint32_t group, const std::function<void(const InodeChunk&)>& visit,
                 Faults& faults) {
  Group headers(volume, group, faults);
  const auto agi = headers.sector(inodes, inodes_magic, inodes_sector, "inodes");
  if (agi.empty()) return;
  std::uint64_t next = 0;
  const auto record = [&](Bytes bytes) {
    const std::uint64_t in_group = u32(bytes, 0);
    if (in_group < next || in_group % inodes_a_hole != 0)
      return faults.add(name_of(group) + ": its inodes are out of order");
    next = in_group + inodes_a_chunk;
    const std::uint32_t bits = volume.super().inodes_per_block_log;
    const std::uint64_t block = volume.super().block_in(group, in_group >> bits);
    InodeChunk chunk;
    chunk.first = block << bits | (in_group & ((std::uint64_t{1} << bits) - 1));
    const std::uint16_t holes = volume.super().has_sparse_chunks ? u16(bytes, 4) : std::uint16_t{0};
    for (std::uint32_t i = 0; i < inodes_a_chunk; ++i)
      if ((holes >> (i / inodes_a_hole) & 1U) == 0) chunk.exists |= std::uint64_t{1} << i;
    chunk.in_use = chunk.exists & ~u64(bytes, 8);
    if (block == UINT64_MAX || !volume.super().offset_of_inode(chunk.first))
      return faults.add(name_of(group) + ": its inodes lie outside of it");
    visit(chunk);
  };
  headers.tree({inode_chunks, u32(agi, 20), u32(agi, 24)}, {{}, record});
}

void walk_inodes(const Volume& volume, const std::function<void(const Inode&)>& visit, Faults& faults) {
  for (std::uint32_t group = 0; group < volume.super().groups; ++group) {
    walk_chunks(
        volume, group,
        [&](const InodeChunk& chunk) {
          for (std::uint32_t i = 0; i < inodes_a_chunk; ++i) {
            if ((chunk.in_use >> i & 1U) == 0) continue;
            Faults of_inode;
            const auto inode = read_inode(volume, chunk.first + i, of_inode);
            if (!inode) {
              faults.add("inode " + std::to_string(chunk.first + i) + " is in use: " + of_inode.text());
            } else if (inode->mode != 0) {
              visit(*inode);
            }
          }
        },
        faults);
  }
}

}  // namespace exhibit::filesystem::xfs
