#include "filesystem/tsk/resolve.h"

#include "base/checked.h"
#include "filesystem/tsk/content.h"
#include "filesystem/tsk/fat.h"

namespace exhibit::filesystem::tsk {

namespace {

bool is_link(const TSK_FS_FILE& file) {
  return file.meta->type == TSK_FS_META_TYPE_LNK && file.meta->link != nullptr && file.meta->link[0] != '\0';
}

// Kinds that have no content of their own.
bool is_empty_kind(const TSK_FS_FILE& file) {
  switch (file.meta->type) {
    case TSK_FS_META_TYPE_FIFO:
    case TSK_FS_META_TYPE_CHR:
    case TSK_FS_META_TYPE_BLK:
    case TSK_FS_META_TYPE_SOCK:
    case TSK_FS_META_TYPE_WHT:
    case TSK_FS_META_TYPE_VIRT_DIR:
      return true;
    default:
      return false;
  }
}

// Short targets stand in the inode, where libtsk takes their letters for block numbers: the runs count only where they
// give the target.
bool runs_give(ByteSource& volume, const Layout& layout, std::string_view text) {
  const auto content = run_content(volume, layout);
  if (content->size() != text.size()) return false;
  std::string bytes(text.size(), '\0');
  const auto got = content->read_at(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()});
  return got.ok() && *got == bytes.size() && bytes == text;
}

// [MS-FSCC] 2.1.2.1, IO_REPARSE_TAG_WOF: the unnamed stream is a hole, in whose place Windows shows what it expands
// from the stream WofCompressedData.
bool is_overlaid(const TSK_FS_FILE& file) {
  constexpr std::uint32_t overlay_filter = 0x80000017;
  if (TSK_FS_TYPE_ISNTFS(file.fs_info->ftype) == 0 || file.meta->attr == nullptr) return false;
  for (const TSK_FS_ATTR* attribute = file.meta->attr->head; attribute != nullptr; attribute = attribute->next) {
    if (attribute->type != TSK_FS_ATTR_TYPE_NTFS_REPARSE || (attribute->flags & TSK_FS_ATTR_INUSE) == 0 ||
        (attribute->flags & TSK_FS_ATTR_RES) == 0 || attribute->rd.buf == nullptr || attribute->size < 4)
      continue;
    return Raw(std::string(reinterpret_cast<const char*>(attribute->rd.buf), 4)).le32(0) == overlay_filter;
  }
  return false;
}

Resolved of_attribute(const TSK_FS_FILE& file, const Stream& stream, ByteSource& volume) {
  Resolved resolved;
  resolved.size = stream.size;
  if (!is_transformed(*stream.attribute)) {
    resolved.source = Resolved::Source::runs;
    resolved.layout = layout_of(*file.fs_info, *stream.attribute, volume.size());
    if (!stream.name && stream.size > 0 && is_overlaid(file))
      resolved.layout.gaps = {{0, stream.size, DoubtCause::zero_filled}};
    return resolved;
  }
  resolved.source = Resolved::Source::attribute;
  if ((stream.attribute->flags & TSK_FS_ATTR_COMP) == 0) {
    resolved.transform = "resident";
  } else {
    resolved.transform = TSK_FS_TYPE_ISNTFS(file.fs_info->ftype) != 0 ? "ntfs-lznt1" : "hfs-decmpfs";
  }
  return resolved;
}

// libtsk's own files of FAT and exFAT.
Resolved of_fat_file(const TSK_FS_FILE& file, const Stream& stream, ByteSource& volume) {
  Resolved resolved;
  resolved.size = stream.size;
  const auto offset = fat_virtual_file(*file.fs_info, fat_layout(*file.fs_info, volume), file.meta->addr);
  if (!offset || !base::within(*offset, stream.size, volume.size())) return resolved;
  resolved.source = Resolved::Source::runs;
  resolved.layout.extents = {{static_cast<std::int64_t>(*offset), stream.size}};
  return resolved;
}

}  // namespace

Resolved resolve(const TSK_FS_FILE& file, const Stream& stream, ByteSource& volume) {
  Resolved resolved;
  if (stream.attribute != nullptr) resolved = of_attribute(file, stream, volume);
  if (is_link(file) && !stream.name) {
    const std::string_view target = file.meta->link;
    const bool in_blocks = resolved.source == Resolved::Source::runs && runs_give(volume, resolved.layout, target);
    if (!in_blocks) {
      resolved = {};
      resolved.source = Resolved::Source::text;
      resolved.text = target;
      resolved.size = target.size();
      resolved.transform = "resident";
    }
  } else if (is_empty_kind(file)) {
    resolved.source = Resolved::Source::text;
  } else if (stream.attribute == nullptr) {
    if (file.meta->type == TSK_FS_META_TYPE_VIRT && TSK_FS_TYPE_ISFAT(file.fs_info->ftype) != 0)
      return of_fat_file(file, stream, volume);
    resolved.size = stream.size;
  }
  return resolved;
}

}  // namespace exhibit::filesystem::tsk
