#include "filesystem/tsk/streams.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace exhibit::filesystem::tsk {

namespace {

constexpr std::string_view directory_index = "$I30";  // NTFS: the index of file names

bool is_directory(const TSK_FS_FILE& file) { return TSK_FS_IS_DIR_META(file.meta->type); }

std::string_view name_of(const TSK_FS_ATTR& attribute) { return attribute.name != nullptr ? attribute.name : ""; }

Stream stream(const TSK_FS_FILE& file, const TSK_FS_ATTR* attribute) {
  Stream stream;
  stream.attribute = attribute;
  stream.address = address_of(file.meta->addr);
  if (attribute == nullptr) {
    stream.size = static_cast<std::uint64_t>(std::max<TSK_OFF_T>(file.meta->size, 0));
    return stream;
  }
  stream.size = static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute->size, 0));
  if (addresses_have_attributes(*file.fs_info))
    stream.address += "-" + std::to_string(attribute->type) + "-" + std::to_string(attribute->id);
  return stream;
}

std::vector<const TSK_FS_ATTR*> attributes_of(TSK_FS_FILE& file) {
  std::vector<const TSK_FS_ATTR*> attributes;
  const int count = tsk_fs_file_attr_getsize(&file);
  for (int i = 0; i < count; ++i)
    if (const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get_idx(&file, i)) attributes.push_back(attribute);
  tsk_error_reset();
  return attributes;
}

// A directory's own stream bears the address of its index root, as in fls; its content is the index's blocks where it
// has some, since the root then holds little.
Stream ntfs_directory(const TSK_FS_FILE& file, const std::vector<const TSK_FS_ATTR*>& attributes,
                      const TSK_FS_ATTR* root) {
  Stream directory = stream(file, root);
  for (const TSK_FS_ATTR* attribute : attributes) {
    if (attribute->type != TSK_FS_ATTR_TYPE_NTFS_IDXALLOC || name_of(*attribute) != directory_index) continue;
    directory.attribute = attribute;
    directory.size = static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute->size, 0));
    break;
  }
  return directory;
}

std::vector<Stream> ntfs_streams(TSK_FS_FILE& file) {
  std::vector<Stream> streams;
  const auto attributes = attributes_of(file);
  for (const TSK_FS_ATTR* attribute : attributes) {
    const std::string_view name = name_of(*attribute);
    if (attribute->type == TSK_FS_ATTR_TYPE_NTFS_DATA) {
      Stream data = stream(file, attribute);
      if (!name.empty()) data.name = name;
      streams.push_back(std::move(data));
    } else if (attribute->type == TSK_FS_ATTR_TYPE_NTFS_IDXROOT) {
      if (is_directory(file) && name == directory_index) {
        streams.push_back(ntfs_directory(file, attributes, attribute));
      } else {  // $ObjId:$O, $Secure:$SII, …
        Stream index = stream(file, attribute);
        index.name = name;
        streams.push_back(std::move(index));
      }
    }
  }
  return streams;
}

std::vector<Stream> hfs_streams(TSK_FS_FILE& file) {
  std::vector<Stream> streams;
  for (const TSK_FS_ATTR* attribute : attributes_of(file)) {
    if (attribute->type == TSK_FS_ATTR_TYPE_HFS_DATA || attribute->type == TSK_FS_ATTR_TYPE_HFS_DEFAULT) {
      streams.push_back(stream(file, attribute));
    } else if (attribute->type == TSK_FS_ATTR_TYPE_HFS_RSRC && attribute->size > 0) {
      Stream fork = stream(file, attribute);
      fork.name = "rsrc";
      streams.push_back(std::move(fork));
    }
  }
  return streams;
}

// Devices, pipes and sockets have no content; what libtsk takes for their runs are device numbers.
bool may_have_content(const TSK_FS_FILE& file) {
  switch (file.meta->type) {
    case TSK_FS_META_TYPE_FIFO:
    case TSK_FS_META_TYPE_CHR:
    case TSK_FS_META_TYPE_BLK:
    case TSK_FS_META_TYPE_SOCK:
    case TSK_FS_META_TYPE_WHT:
    case TSK_FS_META_TYPE_VIRT_DIR:
      return false;
    default:
      return true;
  }
}

// Builds a Layout run by run.
class LayoutBuilder {
 public:
  LayoutBuilder(std::uint64_t size, std::uint64_t initialised, std::uint64_t skip, std::uint64_t volume_size,
                bool holes_have_no_run)
      : size_(size),
        initialised_(std::min(initialised, size)),
        skip_(skip),
        volume_size_(volume_size),
        holes_have_no_run_(holes_have_no_run) {}

  bool full() const { return at_ >= size_; }

  void sparse(std::uint64_t length) {
    if (const std::uint64_t wanted = take(length)) append(sparse_run, wanted);
  }
  // No run is known for it.
  void absent(std::uint64_t length) { holes_have_no_run_ ? sparse(length) : missing(length); }
  // It lies past the volume's end, or the file system should know a run for it.
  void missing(std::uint64_t length) {
    const std::uint64_t from = at_;
    if (const std::uint64_t wanted = take(length)) {
      gap(from, wanted);
      append(sparse_run, wanted);
    }
  }
  void stored(std::uint64_t offset, std::uint64_t length) {
    const std::uint64_t skipped = std::min(skip_, length);
    skip_ -= skipped;
    offset += skipped;
    length = std::min(length - skipped, size_ - at_);
    // What lies past the initialised size reads as zeros, whatever the blocks hold.
    const std::uint64_t live = at_ < initialised_ ? std::min(length, initialised_ - at_) : 0;
    const std::uint64_t there = offset < volume_size_ ? std::min(live, volume_size_ - offset) : 0;
    if (there > 0) append(static_cast<std::int64_t>(offset), there);
    at_ += there;
    missing(live - there);
    if (length > live) {
      append(sparse_run, length - live);
      at_ += length - live;
    }
  }
  Layout finish() {
    absent(size_ - at_);
    return std::move(layout_);
  }

 private:
  std::uint64_t take(std::uint64_t length) {
    const std::uint64_t skipped = std::min(skip_, length);
    skip_ -= skipped;
    const std::uint64_t taken = std::min(length - skipped, size_ - at_);
    at_ += taken;
    return taken;
  }
  void append(std::int64_t offset, std::uint64_t length) {
    if (!layout_.extents.empty()) {
      Extent& last = layout_.extents.back();
      const bool follows = offset == sparse_run ? last.offset == sparse_run
                                                : last.offset != sparse_run &&
                                                      last.offset + static_cast<std::int64_t>(last.length) == offset;
      if (follows) {
        last.length += length;
        return;
      }
    }
    layout_.extents.push_back({offset, length});
  }
  void gap(std::uint64_t offset, std::uint64_t length) {
    if (!layout_.gaps.empty() && layout_.gaps.back().offset + layout_.gaps.back().length == offset) {
      layout_.gaps.back().length += length;
    } else {
      layout_.gaps.push_back({offset, length, DoubtCause::read_error});
    }
  }

  std::uint64_t size_, initialised_, skip_, volume_size_;
  bool holes_have_no_run_;
  std::uint64_t at_ = 0;
  Layout layout_;
};

// In ext and UFS what no block is given for is a hole. So is all of NTFS's $BadClus:$Bad (MFT record 8), where libtsk
// gives no run for clusters that are good.
bool holes_have_no_run(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute) {
  constexpr TSK_INUM_T bad_clusters = 8;
  if (TSK_FS_TYPE_ISNTFS(fs.ftype) != 0)
    return attribute.fs_file != nullptr && attribute.fs_file->meta != nullptr &&
           attribute.fs_file->meta->addr == bad_clusters;
  return TSK_FS_TYPE_ISEXT(fs.ftype) != 0 || TSK_FS_TYPE_ISFFS(fs.ftype) != 0;
}

void add_run(LayoutBuilder& builder, const TSK_FS_INFO& fs, const TSK_FS_ATTR_RUN& run) {
  const std::uint64_t padding = std::uint64_t{fs.block_pre_size} + fs.block_post_size;
  const std::uint64_t stride = fs.block_size + padding;
  const std::uint64_t length = base::checked_multiply(run.len, fs.block_size).value_or(UINT64_MAX);
  if ((run.flags & TSK_FS_ATTR_RUN_FLAG_SPARSE) != 0) return builder.sparse(length);
  if ((run.flags & TSK_FS_ATTR_RUN_FLAG_FILLER) != 0) return builder.absent(length);
  const auto start = base::checked_multiply(run.addr, stride);
  const auto end = start ? base::checked_add(*start, length) : std::nullopt;
  if (!end || *end > static_cast<std::uint64_t>(INT64_MAX)) return builder.missing(length);
  if (padding == 0) return builder.stored(*start, length);
  // Raw CD sectors: each block stands between bytes that aren't content.
  for (TSK_DADDR_T i = 0; i < run.len && !builder.full(); ++i)
    builder.stored(*start + i * stride + fs.block_pre_size, fs.block_size);
}

}  // namespace

bool addresses_have_attributes(const TSK_FS_INFO& fs) {
  return TSK_FS_TYPE_ISNTFS(fs.ftype) != 0 || TSK_FS_TYPE_ISHFS(fs.ftype) != 0;
}

std::string address_of(TSK_INUM_T number) { return "i" + std::to_string(number); }

std::vector<Stream> streams_of(TSK_FS_FILE& file) {
  std::vector<Stream> streams;
  if (!may_have_content(file)) {
    streams.push_back(stream(file, nullptr));
    streams.back().size = 0;
    return streams;
  }
  const TSK_FS_TYPE_ENUM type = file.fs_info->ftype;
  if (TSK_FS_TYPE_ISNTFS(type) != 0) {
    streams = ntfs_streams(file);
  } else if (TSK_FS_TYPE_ISHFS(type) != 0) {
    streams = hfs_streams(file);
  } else {
    streams.push_back(stream(file, tsk_fs_file_attr_get(&file)));
    tsk_error_reset();
  }
  if (streams.empty()) streams.push_back(stream(file, nullptr));
  return streams;
}

std::optional<Stream> find_stream(TSK_FS_FILE& file, std::string_view address) {
  for (Stream& stream : streams_of(file))
    if (stream.address == address) return std::move(stream);
  return std::nullopt;
}

bool is_transformed(const TSK_FS_ATTR& attribute) {
  return (attribute.flags & TSK_FS_ATTR_COMP) != 0 || (attribute.flags & TSK_FS_ATTR_NONRES) == 0;
}

Layout layout_of(const TSK_FS_INFO& fs, const TSK_FS_ATTR& attribute, std::uint64_t volume_size) {
  const auto unsign = [](TSK_OFF_T value) { return static_cast<std::uint64_t>(std::max<TSK_OFF_T>(value, 0)); };
  LayoutBuilder builder(unsign(attribute.size), unsign(attribute.nrd.initsize), attribute.nrd.skiplen, volume_size,
                        holes_have_no_run(fs, attribute));
  for (const TSK_FS_ATTR_RUN* run = attribute.nrd.run; run != nullptr && !builder.full(); run = run->next)
    add_run(builder, fs, *run);
  return builder.finish();
}

}  // namespace exhibit::filesystem::tsk
