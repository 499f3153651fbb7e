#include "base/crc.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

void check_journal_super(ExtVolume& volume, std::uint64_t block, std::uint64_t blocks) {
  std::vector<std::byte> buffer;
  if (!volume.read_block(block, buffer)) return;
  const Place place = volume.block_place(block);
  const auto tell = [&](const std::string& what) {
    volume.teller.corrupt("contradictions in the journal", place, "journal: " + what);
  };
  const std::uint32_t version = big_u32(buffer, 0x04);
  if (big_u32(buffer, 0x00) != layout::journal_magic ||
      (version != layout::journal_version_1 && version != layout::journal_version_2))
    return tell("its superblock's magic number isn't there");
  const std::uint32_t length = big_u32(buffer, 0x10), first = big_u32(buffer, 0x14), start = big_u32(buffer, 0x1C);
  if (big_u32(buffer, 0x0C) != volume.super.block_size) tell("its block size isn't the file system's");
  if (length > blocks) tell("it is longer than its inode's content");
  if (first == 0 || first >= length || (start != 0 && (start < first || start >= length)))
    tell("it begins outside of itself");
  if (big_u32(buffer, 0x20) != 0) tell("it notes an error");
  if (start != 0 && !volume.super.recover) tell("it isn't empty, but the superblock says it is");
  const Bytes features = Bytes(buffer).subspan(0x24, layout::journal_checksum - 0x24);
  if (version == layout::journal_version_1) {
    if (!all_zero(features.first(0x30 - 0x24))) tell("it has features that its version can't have");
    return;
  }
  if (big_u32(buffer, 0x40) > 1) tell("it says that several file systems use it");
  if ((big_u32(buffer, 0x28) & (layout::journal_checksum_2 | layout::journal_checksum_3)) == 0) return;
  std::vector<std::byte> copy(buffer.begin(), buffer.begin() + layout::journal_super_size);
  std::fill_n(copy.begin() + layout::journal_checksum, 4, std::byte{0});
  if (base::crc32c(~0U, copy) != big_u32(buffer, layout::journal_checksum))
    tell("its superblock's checksum doesn't hold");
}

// A journal on another device can't be seen from here.
void check_outer_journal(ExtVolume& volume) {
  if ((volume.super.compat & layout::compat_has_journal) != 0)
    volume.teller.unchecked(ErrorCode::unsupported, {layout::super_offset, layout::super_size},
                            "superblock: the journal is on another device and wasn't checked");
}

}  // namespace

void check_journal(ExtVolume& volume) {
  const Superblock& super = volume.super;
  if ((super.compat & layout::compat_has_journal) == 0 || super.journal == 0) return check_outer_journal(volume);
  std::vector<std::byte> buffer;
  if (!volume.valid_inode(super.journal)) {
    volume.teller.corrupt("contradictions in the journal", {layout::super_offset, layout::super_size},
                          "superblock: the journal's inode is outside of the file system");
    return;
  }
  if (!volume.read_inode(super.journal, buffer)) return;
  const Inode inode(super.journal, buffer);
  if (inode.kind() != regular || inode.links() == 0)
    volume.teller.corrupt("contradictions in the journal", volume.inode_place(super.journal),
                          "journal: " + inode.name() + " is no file in use");
  const Map map = find_blocks(volume, inode);
  std::uint64_t found = 0;
  for (const Run& run : map.runs) found += run.count;
  if (map.runs.empty() || map.runs.front().logical != 0 || map.damaged) {
    volume.teller.corrupt("contradictions in the journal", volume.inode_place(super.journal),
                          "journal: blocks of its content are missing");
    if (map.runs.empty() || map.runs.front().logical != 0) return;
  }
  check_journal_super(volume, map.runs.front().physical, found);
}

void check_mmp(ExtVolume& volume) {
  const Superblock& super = volume.super;
  if (!super.has(layout::incompat_mmp)) return;
  const auto tell = [&](Place place, const std::string& what) {
    volume.teller.corrupt("multiple mount protection", place, "multiple mount protection: " + what);
  };
  std::vector<std::byte> buffer;
  if (!volume.in_range(super.mmp_block))
    return tell({layout::super_offset, layout::super_size}, "its block is outside of the file system");
  if (!volume.read_block(super.mmp_block, buffer)) return;
  const Place place = volume.block_place(super.mmp_block);
  if (u32(buffer, 0) != layout::mmp_magic) return tell(place, "its magic number isn't there");
  if (super.has_checksums() &&
      base::crc32c(super.checksum_seed, Bytes(buffer).first(layout::mmp_checksum)) != u32(buffer, layout::mmp_checksum))
    tell(place, "its checksum doesn't hold");
}

}  // namespace exhibit::filesystem::consistency
