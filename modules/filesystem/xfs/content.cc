#include "filesystem/xfs/content.h"

#include <algorithm>

namespace exhibit::filesystem::xfs {
namespace {

constexpr std::uint64_t largest_size = (std::uint64_t{1} << 53) - 1;  // that a record holds
constexpr std::uint64_t longest_target = 1024;                        // XFS_SYMLINK_MAXLEN

// Appends runs, joining neighbours, up to a size.
class LayoutBuilder {
 public:
  LayoutBuilder(std::uint64_t size, std::uint64_t volume_size) : size_(size), volume_size_(volume_size) {}

  void hole_until(std::uint64_t position) {
    position = std::min(position, size_);
    if (position > at_) add(sparse_run, position - at_);
  }
  void run(std::uint64_t offset, std::uint64_t length) {
    length = std::min(length, size_ - at_);
    const std::uint64_t there = offset < volume_size_ ? std::min(length, volume_size_ - offset) : 0;
    if (there > 0) add(static_cast<std::int64_t>(offset), there);
    if (there == length) return;
    layout_.gaps.push_back({at_, length - there, DoubtCause::read_error});
    add(sparse_run, length - there);
  }
  bool is_full() const { return at_ == size_; }
  Layout take() {
    hole_until(size_);
    return std::move(layout_);
  }

 private:
  void add(std::int64_t offset, std::uint64_t length) {
    at_ += length;
    if (!layout_.extents.empty()) {
      Extent& last = layout_.extents.back();
      const bool continues = offset == sparse_run
                                 ? last.offset == sparse_run
                                 : last.offset != sparse_run && static_cast<std::uint64_t>(last.offset) + last.length ==
                                                                    static_cast<std::uint64_t>(offset);
      if (continues) {
        last.length += length;
        return;
      }
    }
    layout_.extents.push_back({offset, length});
  }

  std::uint64_t size_, volume_size_, at_ = 0;
  Layout layout_;
};

Content untold() {
  Content content;
  content.is_told = false;
  return content;
}

// A target outside of the inode: from version 5 on each extent of it begins with a header that counts its bytes.
Layout remote_target(const Volume& volume, const Inode& inode, const std::vector<Mapping>& mappings, Faults& faults) {
  constexpr std::uint32_t magic = 0x58534c4d;  // "XSLM"
  constexpr SelfDescription description = {
      .checksum = 12, .block_number = 40, .uuid = 16, .owner = 32, .is_owner_short = false};
  constexpr std::uint32_t header = 56;
  constexpr std::uint64_t most_blocks = 4;  // that the longest target takes
  if (!volume.super().is_v5) return layout_of(volume, mappings, inode.size);
  LayoutBuilder builder(inode.size, volume.source().size());
  std::uint64_t told = 0;
  for (const Mapping& mapping : mappings) {
    if (told >= inode.size) break;
    const auto count = static_cast<std::uint32_t>(std::min(mapping.count, most_blocks));
    const auto bytes = volume.read_blocks(mapping.block, count, "its target", faults);
    if (!bytes) break;
    const std::uint64_t offset = *volume.super().offset_of(mapping.block);
    volume.check(*bytes, description, offset, inode.number, "its target", faults);
    const std::uint32_t length = u32(*bytes, 8);
    if (u32(*bytes, 0) != magic || u32(*bytes, 4) != told || length > bytes->size() - header) {
      faults.add("its target's header at byte " + std::to_string(offset) + " doesn't hold");
      break;
    }
    builder.run(offset + header, length);
    told += length;
  }
  if (told < inode.size) faults.add("its target is shorter than its inode says");
  return builder.take();
}

Layout resident(const Inode& inode, std::uint64_t volume_size) {
  LayoutBuilder builder(inode.size, volume_size);
  builder.run(inode.offset + inode.data.at, inode.size);
  return builder.take();
}

}  // namespace

Layout layout_of(const Volume& volume, const std::vector<Mapping>& mappings, std::uint64_t size) {
  LayoutBuilder builder(size, volume.source().size());
  const std::uint32_t block_log = volume.super().block_log;
  for (const Mapping& mapping : mappings) {
    // A file's blocks are numbered in 54 bits, so that their bytes may pass 64.
    if (mapping.file_block > size >> block_log) break;
    builder.hole_until(mapping.file_block << block_log);
    if (builder.is_full()) break;
    if (mapping.is_unwritten) {
      builder.hole_until((mapping.file_block + mapping.count) << block_log);
    } else {
      builder.run(*volume.super().offset_of(mapping.block, mapping.count), mapping.count << block_log);
    }
  }
  return builder.take();
}

Content content_of(const Volume& volume, const Inode& inode, Faults& faults) {
  Content content;
  if (!inode.is_file() && !inode.is_directory() && !inode.is_link()) return content;
  content.size = inode.size;
  if (inode.size > largest_size || (inode.is_link() && inode.size > longest_target)) {
    faults.add("its size is impossible; its content is not told");
    return untold();
  }
  if (inode.is_on_realtime_device) {
    content.unsupported = "its content lies on the file system's realtime device";
    content.is_told = false;
    return content;
  }
  switch (inode.data.format) {
    case ForkFormat::local:
      content.transform = "resident";
      if (inode.is_file() || inode.size > inode.data.size) {
        faults.add("its content can't lie in its inode; it is not told");
        return untold();
      }
      content.layout = resident(inode, volume.source().size());
      break;
    case ForkFormat::extents:
    case ForkFormat::tree: {
      const ForkMap map = read_fork(volume, inode, inode.data, faults);
      content.layout = inode.is_link() ? remote_target(volume, inode, map.mappings, faults)
                                       : layout_of(volume, map.mappings, inode.size);
      break;
    }
    default:
      faults.add("its inode's format is unknown; its content is not told");
      return untold();
  }
  if (faults.any() && content.size > 0) content.layout.gaps = {{0, content.size, DoubtCause::read_error}};
  return content;
}

std::optional<std::string> link_target(const Volume& volume, const Content& content) {
  if (content.size == 0 || !content.layout.gaps.empty()) return std::nullopt;
  std::string target(content.size, '\0');
  const auto source = run_content(volume.source(), content.layout);
  const auto got = source->read_at(0, std::as_writable_bytes(std::span(target)));
  if (!got.ok() || *got != target.size() || source->damaged_reads() > 0) return std::nullopt;
  return target;
}

}  // namespace exhibit::filesystem::xfs
