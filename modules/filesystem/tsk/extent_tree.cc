#include "filesystem/tsk/extent_tree.h"

#include <algorithm>
#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "base/checked.h"
#include "filesystem/tsk/raw.h"

// libtsk's own (tsk_fs_i.h of 4.11.1); its public headers lack them.
extern "C" {
TSK_FS_ATTRLIST* tsk_fs_attrlist_alloc();
void tsk_fs_attrlist_markunused(TSK_FS_ATTRLIST* list);
TSK_FS_ATTR* tsk_fs_attrlist_getnew(TSK_FS_ATTRLIST* list, TSK_FS_ATTR_FLAG_ENUM kind);
TSK_FS_ATTR_RUN* tsk_fs_attr_run_alloc();
std::uint8_t tsk_fs_attr_set_run(TSK_FS_FILE* file, TSK_FS_ATTR* attribute, TSK_FS_ATTR_RUN* run, const char* name,
                                 TSK_FS_ATTR_TYPE_ENUM type, std::uint16_t id, TSK_OFF_T size, TSK_OFF_T initialised,
                                 TSK_OFF_T allocated, TSK_FS_ATTR_FLAG_ENUM flags, std::uint32_t compression_unit);
}

namespace exhibit::filesystem::tsk {

namespace {

// Linux, Documentation/filesystems/ext4/ifork.rst: ext4_extent_header, ext4_extent, ext4_extent_idx. All little-endian.
constexpr std::uint16_t magic = 0xF30A;
constexpr std::size_t node_size = 12;            // of the header, an extent and an index
constexpr std::size_t root_size = 60;            // i_block
constexpr std::uint16_t deepest = 5;             // EXT4_MAX_EXTENT_DEPTH
constexpr std::uint16_t longest_extent = 32768;  // what is longer by its number isn't written yet

// What libtsk does for all other files of an ext file system; the same function for each.
std::atomic<std::uint8_t (*)(TSK_FS_FILE*)> libtsk_reader = nullptr;

// Walks a tree in the file's order. Each extent must lie behind the one before: so no node can serve twice, and what
// is read is bounded by the volume.
class Walk {
 public:
  Walk(const ReadNode& read, std::vector<BlockRun>& runs) : read_(read), runs_(runs) {}

  // False: the tree doesn't hold.
  bool node(const Raw& bytes, std::optional<std::uint16_t> expected_depth) {
    const std::uint16_t entries = bytes.le16(2), depth = bytes.le16(6);
    if (bytes.le16(0) != magic || depth > deepest || (expected_depth && depth != *expected_depth)) return false;
    if (entries > bytes.size() / node_size - 1) return false;
    if (entries == 0 && (expected_depth || depth > 0)) return false;  // only an empty file's root
    for (std::size_t i = 1; i <= entries; ++i) {
      const std::size_t at = i * node_size;
      const bool holds = depth == 0 ? extent(bytes, at) : index(bytes, at, depth);
      if (!holds) return false;
    }
    return true;
  }

 private:
  bool extent(const Raw& bytes, std::size_t at) {
    BlockRun run;
    run.logical = bytes.le32(at);
    run.count = bytes.le16(at + 4);
    run.is_written = run.count <= longest_extent;
    if (!run.is_written) run.count -= longest_extent;
    run.physical = static_cast<std::uint64_t>(bytes.le16(at + 6)) << 32 | bytes.le32(at + 8);
    if (run.count == 0 || run.logical < next_) return false;
    next_ = run.logical + run.count;
    runs_.push_back(run);
    return true;
  }

  bool index(const Raw& bytes, std::size_t at, std::uint16_t depth) {
    if (bytes.le32(at) < next_) return false;
    const std::uint64_t block = static_cast<std::uint64_t>(bytes.le16(at + 8)) << 32 | bytes.le32(at + 4);
    const auto child = read_(block);
    return child && node(*child, static_cast<std::uint16_t>(depth - 1));
  }

  const ReadNode& read_;
  std::vector<BlockRun>& runs_;
  std::uint64_t next_ = 0;  // the first logical block that isn't told yet
};

// Behind the attribute's last run. libtsk's own functions look for the place from the first run on.
bool append(TSK_FS_ATTR& attribute, const BlockRun& run) {
  TSK_FS_ATTR_RUN* made = tsk_fs_attr_run_alloc();
  if (made == nullptr) return false;
  made->offset = run.logical;
  made->addr = run.physical;
  made->len = run.count;
  made->flags = run.is_written ? TSK_FS_ATTR_RUN_FLAG_NONE : TSK_FS_ATTR_RUN_FLAG_SPARSE;
  TSK_FS_ATTR_RUN*& link = attribute.nrd.run == nullptr ? attribute.nrd.run : attribute.nrd.run_end->next;
  link = attribute.nrd.run_end = made;
  return true;
}

std::optional<Raw> read_block(TSK_FS_INFO& fs, std::uint64_t block) {
  if (block > fs.last_block) return std::nullopt;
  std::string bytes(fs.block_size, '\0');
  const ssize_t got = tsk_fs_read_block(&fs, block, bytes.data(), bytes.size());
  if (got < 0 || static_cast<std::size_t>(got) != bytes.size()) return std::nullopt;
  return Raw(std::move(bytes));
}

std::uint8_t load_attributes(TSK_FS_FILE* file) {
  const TSK_FS_META* meta = file != nullptr ? file->meta : nullptr;
  const bool has_extents = meta != nullptr && meta->content_type == TSK_FS_META_CONTENT_TYPE_EXT4_EXTENTS &&
                           meta->content_ptr != nullptr && meta->content_len >= root_size;
  const Raw root(has_extents ? std::string(static_cast<const char*>(meta->content_ptr), root_size) : std::string());
  if (root.le16(0) != magic || meta->attr_state == TSK_FS_META_ATTR_STUDIED) return libtsk_reader.load()(file);
  TSK_FS_INFO& fs = *file->fs_info;
  const auto runs = read_extent_tree(root, [&fs](std::uint64_t block) { return read_block(fs, block); });
  const bool holds = runs && set_content(*file, *runs);
  file->meta->attr_state = holds ? TSK_FS_META_ATTR_STUDIED : TSK_FS_META_ATTR_ERROR;
  return holds ? 0 : 1;
}

}  // namespace

std::optional<std::vector<BlockRun>> read_extent_tree(const Raw& root, const ReadNode& read) {
  std::vector<BlockRun> runs;
  if (!Walk(read, runs).node(root, std::nullopt)) return std::nullopt;
  return runs;
}

bool set_content(TSK_FS_FILE& file, const std::vector<BlockRun>& runs) {
  TSK_FS_INFO& fs = *file.fs_info;
  TSK_FS_META& meta = *file.meta;
  const auto blocks = static_cast<TSK_OFF_T>(fs.block_size);
  if (meta.size < 0 || meta.size > INT64_MAX - blocks) return false;
  if (meta.attr == nullptr) meta.attr = tsk_fs_attrlist_alloc();
  if (meta.attr == nullptr) return false;
  tsk_fs_attrlist_markunused(meta.attr);
  TSK_FS_ATTR* attribute = tsk_fs_attrlist_getnew(meta.attr, TSK_FS_ATTR_NONRES);
  if (attribute == nullptr) return false;
  const TSK_OFF_T allocated = (meta.size + blocks - 1) / blocks * blocks;
  if (tsk_fs_attr_set_run(&file, attribute, nullptr, nullptr, TSK_FS_ATTR_TYPE_DEFAULT, TSK_FS_ATTR_ID_DEFAULT,
                          meta.size, meta.size, allocated, TSK_FS_ATTR_FLAG_NONE, 0) != 0) {
    return false;
  }
  std::uint64_t next = 0;
  for (const BlockRun& run : runs) {
    if (run.logical > next && !append(*attribute, {next, 0, run.logical - next, false})) return false;
    if (!append(*attribute, run)) return false;
    next = run.logical + run.count;
  }
  return true;
}

void read_extent_trees(TSK_FS_INFO& fs) {
  if (TSK_FS_TYPE_ISEXT(fs.ftype) == 0 || fs.load_attrs == load_attributes) return;
  libtsk_reader = fs.load_attrs;
  fs.load_attrs = load_attributes;
}

}  // namespace exhibit::filesystem::tsk
