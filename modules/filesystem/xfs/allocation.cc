#include "filesystem/xfs/allocation.h"

#include <algorithm>

#include "filesystem/account.h"
#include "filesystem/xfs/groups.h"

namespace exhibit::filesystem::xfs {
namespace {

// The blocks that hold what an inode says of itself: its attributes, the trees of its maps, a directory's entries.
void claim_inode(const Volume& volume, const Inode& inode, const Claim& is_metadata, Faults& faults) {
  const auto claim_fork = [&](const Fork& fork, bool with_content) {
    const bool is_mapped = fork.format == ForkFormat::extents || fork.format == ForkFormat::tree;
    if (fork.size == 0 || !is_mapped || (!with_content && fork.format != ForkFormat::tree)) return;
    const ForkMap map = read_fork(volume, inode, fork, faults);
    const std::uint64_t block_size = volume.super().block_size;
    for (const std::uint64_t block : map.tree_blocks) is_metadata(*volume.super().offset_of(block), block_size);
    if (!with_content) return;
    for (const Mapping& mapping : map.mappings)
      is_metadata(*volume.super().offset_of(mapping.block, mapping.count), mapping.count * block_size);
  };
  claim_fork(inode.data, inode.is_directory() || volume.super().is_internal(inode.number));
  claim_fork(inode.attributes, true);
}

}  // namespace

std::vector<ClassRun> allocation_of(const Volume& volume, Faults& faults) {
  const Superblock& super = volume.super();
  const std::uint64_t size = std::min(super.blocks * super.block_size, volume.source().size());
  Account account(size, ByteClass::allocated);  // in use, but for what is told
  const Claim is_free = [&](std::uint64_t offset, std::uint64_t length) {
    account.claim(ByteClass::unallocated, offset, length);
  };
  const Claim is_metadata = [&](std::uint64_t offset, std::uint64_t length) {
    account.claim(ByteClass::metadata, offset, length);
  };
  for (std::uint32_t group = 0; group < super.groups; ++group) {
    walk_space(volume, group, is_free, is_metadata, faults);
    Faults again;  // the tree of inodes was told of by walk_space
    walk_chunks(
        volume, group,
        [&](const InodeChunk& chunk) {
          for (std::uint64_t i = 0; i < 64; ++i) {
            const auto offset = super.offset_of_inode(chunk.first + i);
            if ((chunk.exists >> i & 1U) != 0 && offset) is_metadata(*offset, super.inode_size);
          }
        },
        again);
  }
  if (super.log_start != 0) {
    if (const auto log = super.offset_of(super.log_start, super.log_blocks)) {
      is_metadata(*log, std::uint64_t{super.log_blocks} * super.block_size);
    } else {
      faults.add("the log lies outside of the file system");
    }
  }
  walk_inodes(
      volume, [&](const Inode& inode) { claim_inode(volume, inode, is_metadata, faults); }, faults);
  return account.runs();
}

}  // namespace exhibit::filesystem::xfs
