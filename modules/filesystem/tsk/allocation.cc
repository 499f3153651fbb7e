#include "filesystem/tsk/allocation.h"

#include <algorithm>

#include "volume/tsk_image.h"

namespace exhibit::filesystem::tsk {

namespace {

struct Collected {
  std::vector<ClassRun> runs;
  std::uint64_t volume_size = 0, stride = 0, padding_before = 0, block_size = 0;

  void add(std::uint64_t block, ByteClass byte_class) {
    const std::uint64_t offset = block * stride + padding_before;
    if (offset >= volume_size) return;
    const std::uint64_t length = std::min(block_size, volume_size - offset);
    if (!runs.empty() && runs.back().byte_class == byte_class && runs.back().offset + runs.back().length == offset) {
      runs.back().length += length;
    } else {
      runs.push_back({offset, length, byte_class});
    }
  }
};

// libtsk's META means "may hold metadata": what of it is unallocated is free all the same.
ByteClass class_of(TSK_FS_BLOCK_FLAG_ENUM flags) {
  if ((flags & TSK_FS_BLOCK_FLAG_ALLOC) == 0) return ByteClass::unallocated;
  return (flags & TSK_FS_BLOCK_FLAG_META) != 0 ? ByteClass::metadata : ByteClass::allocated;
}

TSK_WALK_RET_ENUM collect(const TSK_FS_BLOCK* block, void* pointer) {
  static_cast<Collected*>(pointer)->add(block->addr, class_of(block->flags));
  return TSK_WALK_CONT;
}

}  // namespace

Result<std::vector<ClassRun>> allocation_of(TSK_FS_INFO& fs, std::uint64_t volume_size) {
  Collected collected;
  collected.volume_size = volume_size;
  collected.block_size = fs.block_size;
  collected.padding_before = fs.block_pre_size;
  collected.stride = std::uint64_t{fs.block_size} + fs.block_pre_size + fs.block_post_size;
  constexpr auto every = static_cast<TSK_FS_BLOCK_WALK_FLAG_ENUM>(
      TSK_FS_BLOCK_WALK_FLAG_ALLOC | TSK_FS_BLOCK_WALK_FLAG_UNALLOC | TSK_FS_BLOCK_WALK_FLAG_META |
      TSK_FS_BLOCK_WALK_FLAG_CONT | TSK_FS_BLOCK_WALK_FLAG_AONLY);
  tsk_error_reset();
  if (tsk_fs_block_walk(&fs, fs.first_block, std::min(fs.last_block, fs.last_block_act), every, collect, &collected) !=
      0)
    return Error{
        ErrorCode::corrupt,
        "which blocks are allocated can't be told: " + volume::take_tsk_error("The Sleuth Kit gives no reason"),
        {},
        {}};
  // libtsk may tell blocks out of order (ext's groups), never twice.
  std::sort(collected.runs.begin(), collected.runs.end(),
            [](const ClassRun& a, const ClassRun& b) { return a.offset < b.offset; });
  return std::move(collected.runs);
}

bool touches_allocated(const std::vector<ClassRun>& runs, std::uint64_t offset, std::uint64_t length) {
  auto run =
      std::partition_point(runs.begin(), runs.end(), [&](const ClassRun& r) { return r.offset + r.length <= offset; });
  for (; run != runs.end() && run->offset < offset + length; ++run)
    if (run->byte_class != ByteClass::unallocated) return true;
  return false;
}

}  // namespace exhibit::filesystem::tsk
