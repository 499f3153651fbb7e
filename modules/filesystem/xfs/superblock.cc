#include "filesystem/xfs/superblock.h"

#include <algorithm>
#include <vector>

#include "base/checked.h"
#include "base/crc.h"

namespace exhibit::filesystem::xfs {
namespace {

constexpr std::uint32_t magic = 0x58465342;  // "XFSB"
constexpr std::size_t superblock_size = 264, checksum_at = 224;
constexpr std::uint32_t smallest_sector = 512, largest_sector = 32768, largest_block = 65536;

// sb_versionnum and sb_features2.
constexpr std::uint16_t version_mask = 0xf, directories_v2 = 0x2000, more_bits = 0x8000;
constexpr std::uint32_t v4_file_types = 0x200;
// sb_features_incompat.
constexpr std::uint32_t file_types = 0x1, sparse_inodes = 0x2, own_metadata_uuid = 0x4, big_times = 0x8,
                        needs_repair = 0x10, many_extents = 0x20, exchange_range = 0x40, parent_pointers = 0x80;
constexpr std::uint32_t understood = file_types | sparse_inodes | own_metadata_uuid | big_times | needs_repair |
                                     many_extents | exchange_range | parent_pointers;

struct Parsed {
  Superblock super;
  std::uint32_t version = 0, incompatible = 0;
  bool is_sound = false, checksum_holds = true;
};

// A field that is the logarithm of another.
bool is_log_of(std::uint32_t log, std::uint64_t value) { return log < 32 && value == std::uint64_t{1} << log; }

bool is_sound(const Superblock& super, Bytes bytes) {
  const std::uint32_t sector_log = u8(bytes, 121), inode_log = u8(bytes, 122), directory_log = u8(bytes, 192);
  if (super.sector_size < smallest_sector || super.sector_size > largest_sector) return false;
  if (super.block_size < smallest_sector || super.block_size > largest_block) return false;
  if (super.inode_size < 256 || super.inode_size > 2048 || super.inode_size > super.block_size) return false;
  if (!is_log_of(super.block_log, super.block_size) || !is_log_of(sector_log, super.sector_size) ||
      !is_log_of(inode_log, super.inode_size) || super.inodes_per_block_log != super.block_log - inode_log)
    return false;
  if (directory_log > 16 || (std::uint64_t{super.block_size} << directory_log) > largest_block) return false;
  if (super.groups == 0 || super.group_blocks == 0 || super.group_blocks_log > 31 ||
      super.group_blocks > std::uint64_t{1} << super.group_blocks_log ||
      super.group_blocks <= (std::uint64_t{1} << super.group_blocks_log) / 2)
    return false;
  if (super.blocks > std::uint64_t{super.groups} * super.group_blocks ||
      super.blocks <= std::uint64_t{super.groups - 1} * super.group_blocks)
    return false;
  return base::checked_multiply(super.blocks, super.block_size).has_value();
}

Parsed parse(Bytes bytes) {
  Parsed parsed;
  Superblock& super = parsed.super;
  const std::uint16_t version = u16(bytes, 100);
  parsed.version = version & version_mask;
  super.block_size = u32(bytes, 4);
  super.blocks = u64(bytes, 8);
  std::memcpy(super.uuid.data(), bytes.data() + 32, super.uuid.size());
  super.log_start = u64(bytes, 48);
  super.root = u64(bytes, 56);
  super.group_blocks = u32(bytes, 84);
  super.groups = u32(bytes, 88);
  super.log_blocks = u32(bytes, 96);
  super.sector_size = u16(bytes, 102);
  super.inode_size = u16(bytes, 104);
  super.label = text(bytes, 108, 12);
  super.label.resize(std::min(super.label.find('\0'), super.label.size()));
  super.block_log = u8(bytes, 120);
  super.inodes_per_block_log = u8(bytes, 123);
  super.group_blocks_log = u8(bytes, 124);
  super.is_v5 = parsed.version == 5;
  if (super.is_v5) parsed.incompatible = u32(bytes, 216);
  super.internal = {u64(bytes, 64), u64(bytes, 72), u64(bytes, 160), u64(bytes, 168),
                    super.is_v5 ? u64(bytes, 232) : 0};
  super.has_file_types = super.is_v5 ? (parsed.incompatible & file_types) != 0
                                     : (version & more_bits) != 0 && (u32(bytes, 200) & v4_file_types) != 0;
  super.has_sparse_chunks = (parsed.incompatible & sparse_inodes) != 0;
  super.metadata_uuid = super.uuid;
  if ((parsed.incompatible & own_metadata_uuid) != 0) std::memcpy(super.metadata_uuid.data(), bytes.data() + 248, 16);
  parsed.is_sound = is_sound(super, bytes);
  if (parsed.is_sound) super.directory_block_size = super.block_size << u8(bytes, 192);
  if (parsed.version < 4 || (parsed.version == 4 && (version & directories_v2) == 0)) parsed.version = 1;
  return parsed;
}

// A superblock at `offset`, if one is there.
std::optional<Parsed> read_at(ByteSource& volume, std::uint64_t offset) {
  std::vector<std::byte> bytes(largest_sector);
  const std::uint64_t damaged = volume.damaged_reads();
  const auto got = volume.read_at(offset, bytes);
  if (!got.ok() || *got < smallest_sector || u32(bytes, 0) != magic) return std::nullopt;
  bytes.resize(*got);
  Parsed parsed = parse(bytes);
  if (parsed.super.is_v5)
    parsed.checksum_holds = parsed.super.sector_size >= superblock_size && parsed.super.sector_size <= bytes.size() &&
                            checksum_holds(Bytes(bytes).first(parsed.super.sector_size), checksum_at);
  if (volume.damaged_reads() != damaged) parsed.checksum_holds = false;
  return parsed;
}

// Whether both say the same of where things are. The root isn't in every backup.
bool agree(const Parsed& a, const Parsed& b) {
  const auto geometry = [](const Parsed& p) {
    const Superblock& s = p.super;
    return std::array<std::uint64_t, 12>{
        s.block_size,       s.sector_size, s.inode_size,   s.directory_block_size,
        s.group_blocks_log, s.groups,      s.group_blocks, s.log_blocks,
        s.blocks,           s.log_start,   p.version,      p.incompatible & ~needs_repair};
  };
  return geometry(a) == geometry(b) && a.super.has_file_types == b.super.has_file_types &&
         a.super.metadata_uuid == b.super.metadata_uuid;
}

Error error(ErrorCode code, const std::string& message, const std::string& volume_id) {
  return {code, message, volume_id, {}};
}

}  // namespace

std::optional<std::uint64_t> Superblock::offset_of(std::uint64_t block, std::uint64_t count) const {
  const std::uint32_t group = group_of(block);
  if (group >= groups) return std::nullopt;
  const std::uint64_t in_group = block & ((std::uint64_t{1} << group_blocks_log) - 1);
  if (!base::within(in_group, count, blocks_of_group(group))) return std::nullopt;
  return (std::uint64_t{group} * group_blocks + in_group) * block_size;
}

std::optional<std::uint64_t> Superblock::offset_of_inode(std::uint64_t number) const {
  const auto block = offset_of(number >> inodes_per_block_log);
  if (!block) return std::nullopt;
  return *block + (number & ((std::uint64_t{1} << inodes_per_block_log) - 1)) * inode_size;
}

bool checksum_holds(Bytes bytes, std::size_t checksum) {
  constexpr std::array<std::byte, 4> in_its_place = {};
  if (bytes.size() < checksum + in_its_place.size()) return false;
  std::uint32_t crc = base::crc32c(0xffffffff, bytes.first(checksum));
  crc = base::crc32c(crc, in_its_place);
  crc = base::crc32c(crc, bytes.subspan(checksum + in_its_place.size()));
  return ~crc == little_u32(bytes, checksum);
}

Result<Recognised> recognise(ByteSource& volume, const std::string& volume_id) {
  const auto first = read_at(volume, 0);
  if (!first) return Recognised{};
  if (!first->is_sound)
    return error(ErrorCode::corrupt, "the volume bears the signature of XFS but its superblock contradicts itself",
                 volume_id);
  if (first->version != 4 && first->version != 5)
    return error(ErrorCode::unsupported, "the volume holds XFS of an old version, which Exhibit doesn't read",
                 volume_id);
  Recognised found;
  found.super = first->super;
  const std::uint64_t backup_at = std::uint64_t{first->super.group_blocks} * first->super.block_size;
  const auto backup = first->super.groups > 1 ? read_at(volume, backup_at) : std::nullopt;
  const bool backup_agrees = backup && backup->checksum_holds && agree(*first, *backup);
  if (!first->checksum_holds) {
    if (!backup_agrees)
      return error(ErrorCode::corrupt,
                   "the volume bears the signature of XFS but its superblock's checksum is wrong, and no backup "
                   "confirms it",
                   volume_id);
    found.remark = "the superblock's checksum is wrong; its backup at byte " + std::to_string(backup_at) +
                   " says the same of the file system's shape";
  } else if (first->super.groups > 1 && !backup_agrees) {
    found.remark = "the superblock's backup at byte " + std::to_string(backup_at) +
                   " is missing, damaged or says otherwise; the first one is followed";
  }
  if (const std::uint32_t unknown = first->incompatible & ~understood; unknown != 0)
    return error(ErrorCode::unsupported,
                 "the volume holds XFS with features that Exhibit doesn't read (incompatible feature bits " +
                     std::to_string(unknown) + ")",
                 volume_id);
  if ((first->incompatible & needs_repair) != 0)
    found.remark = "the file system is marked as in need of repair" + (found.remark ? "; " + *found.remark : "");
  return found;
}

}  // namespace exhibit::filesystem::xfs
