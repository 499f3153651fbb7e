#include "filesystem/xfs/volume.h"

#include <algorithm>

namespace exhibit::filesystem::xfs {

bool Volume::read(std::uint64_t offset, std::span<std::byte> buffer) const {
  const std::uint64_t damaged = source_.damaged_reads();
  const auto got = source_.read_at(offset, buffer);
  return got.ok() && *got == buffer.size() && source_.damaged_reads() == damaged;
}

std::optional<std::vector<std::byte>> Volume::read_blocks(std::uint64_t block, std::uint32_t count,
                                                          const std::string& what, Faults& faults) const {
  const auto offset = super_.offset_of(block, count);
  if (!offset) {
    faults.add(what + " lies outside of the file system");
    return std::nullopt;
  }
  std::vector<std::byte> bytes(std::size_t{count} * super_.block_size);
  if (read(*offset, bytes)) return bytes;
  faults.add(what + " at byte " + std::to_string(*offset) + " can't be read");
  return std::nullopt;
}

void Volume::check(Bytes bytes, const SelfDescription& where, std::uint64_t offset, std::uint64_t owner,
                   const std::string& what, Faults& faults) const {
  if (!super_.is_v5) return;
  constexpr std::uint64_t basic_block = 512;  // what addresses count in
  const auto fault = [&](const char* why) { faults.add(what + " at byte " + std::to_string(offset) + " " + why); };
  if (!checksum_holds(bytes, where.checksum)) return fault("has a wrong checksum");
  if (!std::equal(super_.metadata_uuid.begin(), super_.metadata_uuid.end(), part(bytes, where.uuid, 16).begin()))
    return fault("belongs to another file system");
  if (where.block_number != 0 && u64(bytes, where.block_number) != offset / basic_block)
    return fault("belongs to another place");
  if (where.owner != 0 && (where.is_owner_short ? u32(bytes, where.owner) : u64(bytes, where.owner)) != owner)
    fault("belongs to another owner");
}

}  // namespace exhibit::filesystem::xfs
