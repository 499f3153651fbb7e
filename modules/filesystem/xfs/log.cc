#include "filesystem/xfs/log.h"

#include <algorithm>

namespace exhibit::filesystem::xfs {
namespace {

// fs/xfs/libxfs/xfs_log_format.h: a record begins with a header of one or more basic blocks. Elsewhere the first four
// bytes of each basic block are the number of the cycle, so that nothing else looks like a header.
constexpr std::uint32_t magic = 0xfeedbabe;
constexpr std::size_t basic_block = 512;
constexpr std::uint32_t record_size_a_header = 32768;
constexpr std::uint8_t unmount = 0x20;  // XLOG_UNMOUNT_TRANS, of an operation's flags

struct Newest {
  bool is_there = false;
  std::uint64_t sequence = 0, at = 0;  // at: basic block of the log
  std::uint32_t operations = 0, headers = 1;
};

void look_at(Bytes header, std::uint64_t at, Newest& newest) {
  const std::uint64_t sequence = u64(header, 16);
  if (u32(header, 0) != magic || (sequence & UINT32_MAX) != at || sequence >> 32 != u32(header, 4)) return;
  if (newest.is_there && sequence <= newest.sequence) return;
  const bool has_size = (u32(header, 8) & 2U) != 0;  // version 2
  const std::uint32_t size = has_size ? u32(header, 320) : 0;
  newest = {true, sequence, at, u32(header, 40),
            std::max<std::uint32_t>(1, size / record_size_a_header + (size % record_size_a_header != 0 ? 1 : 0))};
}

}  // namespace

LogState log_state(const Volume& volume) {
  const Superblock& super = volume.super();
  if (super.log_start == 0) return LogState::elsewhere;
  const auto begin = super.offset_of(super.log_start, super.log_blocks);
  if (!begin) return LogState::unreadable;
  const std::uint64_t size = std::uint64_t{super.log_blocks} * super.block_size;
  constexpr std::uint64_t piece = std::uint64_t{1} << 20;
  std::vector<std::byte> bytes;
  Newest newest;
  for (std::uint64_t done = 0; done < size; done += piece) {
    bytes.resize(static_cast<std::size_t>(std::min(piece, size - done)));
    if (!volume.read(*begin + done, bytes)) return LogState::unreadable;
    for (std::size_t at = 0; at < bytes.size(); at += basic_block)
      look_at(part(bytes, at, basic_block), (done + at) / basic_block, newest);
  }
  if (!newest.is_there) return LogState::clean;
  const std::uint64_t operation = (newest.at + newest.headers) * basic_block % size;
  bytes.resize(basic_block);
  if (!volume.read(*begin + operation, bytes)) return LogState::unreadable;
  return newest.operations == 1 && (u8(bytes, 9) & unmount) != 0 ? LogState::clean : LogState::dirty;
}

}  // namespace exhibit::filesystem::xfs
