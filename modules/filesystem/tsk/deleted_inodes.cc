#include "filesystem/tsk/deleted_inodes.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "filesystem/run_content.h"
#include "filesystem/tsk/block_map.h"
#include "filesystem/tsk/streams.h"
#include "volume/tsk_image.h"

namespace exhibit::filesystem::tsk {

namespace {

// What libtsk does to look an inode up; the same function for each ext file system.
std::atomic<std::uint8_t (*)(TSK_FS_INFO*, TSK_FS_FILE*, TSK_INUM_T)> libtsk_look_up = nullptr;

// The number of an inode's use, which the kernel draws anew each time that it is given to a file.
std::uint32_t generation_of(const Raw& inode) { return inode.le32(ext_inode::generation); }

// Whether the target of a symbolic link stands in place of the map.
bool holds_target(const Raw& inode) {
  return ext_inode::type_of(inode) == ext_inode::type_link && ext_inode::size_of(inode) < ext_inode::map_size &&
         (inode.le32(ext_inode::flags) & (ext_inode::flag_extents | ext_inode::flag_inline)) == 0;
}

// What deletion leaves of content: a size of 0; of a symbolic link's target, a string of its size that is empty.
bool is_cleared(const Raw& slot) {
  const std::uint16_t type = ext_inode::type_of(slot);
  if (type == ext_inode::type_link && holds_target(slot)) return slot.u8(ext_inode::map) == 0;
  const bool has_content =
      type == ext_inode::type_regular || type == ext_inode::type_directory || type == ext_inode::type_link;
  return has_content && ext_inode::size_of(slot) == 0;
}

bool set_target(TSK_FS_META& meta, std::string_view target) {
  auto* text = static_cast<char*>(std::malloc(target.size() + 1));  // libtsk frees it
  if (text == nullptr) return false;
  std::memcpy(text, target.data(), target.size());
  text[target.size()] = '\0';
  std::free(std::exchange(meta.link, text));
  return true;
}

// As libtsk reads it from an inode; its address and whether it is allocated stay as they are.
bool fill(TSK_FS_FILE& file, const DeletedInodes::Found& found) {
  TSK_FS_META& meta = *file.meta;
  const Raw& inode = found.inode;
  meta.mode = static_cast<TSK_FS_META_MODE_ENUM>(inode.le16(ext_inode::mode) & 07777U);
  meta.nlink = inode.le16(ext_inode::links);
  meta.size = static_cast<TSK_OFF_T>(ext_inode::size_of(inode));
  meta.uid = inode.le16(ext_inode::uid) | static_cast<TSK_UID_T>(inode.le16(ext_inode::uid_high)) << 16;
  meta.gid = inode.le16(ext_inode::gid) | static_cast<TSK_GID_T>(inode.le16(ext_inode::gid_high)) << 16;
  if (meta.content_ptr != nullptr) std::memset(meta.content_ptr, 0, meta.content_len);
  const bool is_set = holds_target(inode) ? set_target(meta, inode.view(ext_inode::map, ext_inode::size_of(inode)))
                                          : set_content(file, found.runs);
  meta.attr_state = is_set ? TSK_FS_META_ATTR_STUDIED : TSK_FS_META_ATTR_ERROR;
  return is_set;
}

}  // namespace

std::unique_ptr<DeletedInodes> DeletedInodes::attach(TSK_FS_INFO& fs, ByteSource& volume) {
  if (TSK_FS_TYPE_ISEXT(fs.ftype) == 0 || fs.impl != nullptr) return nullptr;
  const ExtLayout layout = ExtLayout::read(volume);
  if (layout.block_size != fs.block_size || layout.has_clusters ||
      (layout.journal_inode == 0 && !layout.has_outer_journal))
    return nullptr;
  return std::unique_ptr<DeletedInodes>(new DeletedInodes(fs, volume, layout));
}

DeletedInodes::DeletedInodes(TSK_FS_INFO& fs, ByteSource& volume, ExtLayout layout)
    : fs_(fs), volume_(volume), layout_(layout), metadata_(fs, volume) {
  libtsk_look_up = fs_.file_add_meta;
  fs_.file_add_meta = look_up;
  fs_.impl = this;  // libtsk leaves it to what is made for one file system; ext has nothing there
}

DeletedInodes::~DeletedInodes() {
  fs_.file_add_meta = libtsk_look_up;
  fs_.impl = nullptr;
}

std::uint8_t DeletedInodes::look_up(TSK_FS_INFO* fs, TSK_FS_FILE* file, TSK_INUM_T number) {
  const std::uint8_t failed = libtsk_look_up.load()(fs, file, number);
  if (failed == 0 && file->meta != nullptr && (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0)
    static_cast<DeletedInodes*>(fs->impl)->restore(*file);
  return failed;
}

void DeletedInodes::restore(TSK_FS_FILE& file) {
  const TSK_INUM_T number = file.meta->addr;
  if (!may_be_found(number)) return;
  read_journal();
  if (!journal_) return;
  if (last_.number != number) last_ = {number, find(number, Raw(metadata_.read(number)))};
  if (last_.found && !fill(file, *last_.found)) last_.found.reset();
}

// What else is unallocated is as libtsk has it.
bool DeletedInodes::may_be_found(TSK_INUM_T number) {
  if (is_off_ || (is_read_ && !journal_) || (are_all_known_ && !all_.contains(number))) return false;
  const Raw& slot = metadata_.read(number);
  return slot.size() > 0 && is_cleared(slot);
}

void DeletedInodes::forgo() { is_off_ = true; }

void DeletedInodes::prepare(TSK_INUM_T number) {
  if (may_be_found(number)) read_journal();
}

std::unique_ptr<ByteSource> DeletedInodes::journal_content() {
  if (layout_.has_outer_journal) return nullptr;
  const File file(tsk_fs_file_open_meta(&fs_, nullptr, layout_.journal_inode));
  tsk_error_reset();
  if (!file || file->meta == nullptr) return nullptr;
  const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get(file.get());
  tsk_error_reset();
  if (attribute == nullptr || (attribute->flags & TSK_FS_ATTR_NONRES) == 0) return nullptr;
  return run_content(volume_, layout_of(fs_, *attribute, volume_.size()));
}

std::uint64_t DeletedInodes::journal_bytes() {
  const auto content = journal_content();
  return content ? std::min(content->size(), volume_.size()) : 0;
}

void DeletedInodes::read_journal() {
  if (is_read_) return;
  is_read_ = true;
  auto content = journal_content();
  if (!content) {
    error_ = layout_.has_outer_journal ? Error{ErrorCode::unsupported, "its journal lies on another device", {}, {}}
                                       : Error{ErrorCode::corrupt, "its journal's inode gives no content", {}, {}};
    return;
  }
  auto journal = Journal::read(std::move(content), layout_.block_size, layout_.blocks);
  if (journal.ok()) {
    journal_ = journal.take();
  } else {
    error_ = journal.error();
  }
}

// `offset`: of the inode in the block. nullopt: it can't be read, or contradicts its checksum.
std::optional<Raw> DeletedInodes::inode_in(const Journal::Copy& copy, TSK_INUM_T number, std::uint64_t offset) {
  const auto block = journal_->bytes(copy);
  if (!block) return std::nullopt;
  Raw inode(std::string(block->view(offset, layout_.inode_size)));
  if (inode.size() != layout_.inode_size || !layout_.is_whole_inode(number, inode)) return std::nullopt;
  return inode;
}

// `slot`: the inode as it is now, which still says which use of it was the last.
std::optional<DeletedInodes::Found> DeletedInodes::find(TSK_INUM_T number, const Raw& slot) {
  const auto place = metadata_.place_of(number);
  if (!place) return std::nullopt;
  const auto copies = journal_->copies_of(place->offset / layout_.block_size);
  for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
    auto inode = inode_in(*copy, number, place->offset % layout_.block_size);
    if (!inode || !ext_inode::is_in_use(*inode) || ext_inode::type_of(*inode) != ext_inode::type_of(slot) ||
        generation_of(*inode) != generation_of(slot) || ext_inode::size_of(*inode) == 0)
      continue;
    // Where this one's map isn't whole any more, an older one would be an earlier state of the file.
    auto runs = runs_of(number, *inode, copy->when);
    if (!runs) return std::nullopt;
    return Found{std::move(*inode), copy->when, std::move(*runs)};
  }
  return std::nullopt;
}

// nullopt: the map isn't whole.
std::optional<std::vector<BlockRun>> DeletedInodes::runs_of(TSK_INUM_T number, const Raw& inode, std::int32_t when) {
  const std::uint32_t flags = inode.le32(ext_inode::flags);
  if ((flags & ext_inode::flag_inline) != 0) return std::nullopt;
  if (holds_target(inode)) return std::vector<BlockRun>();
  const bool has_tree = (flags & ext_inode::flag_extents) != 0;
  const auto read = [&](std::uint64_t block) {
    return tree_block(block, when, [&](const Raw& bytes) {
      return !has_tree || (is_extent_node(bytes) && layout_.is_whole_extent_node(number, inode, bytes));
    });
  };
  return read_block_map(layout_, inode, ext_inode::size_of(inode), read);
}

// A block of a file's map: as the journal had it at that time, else as it is on the medium.
std::optional<Raw> DeletedInodes::tree_block(std::uint64_t block, std::int32_t when,
                                             const std::function<bool(const Raw&)>& is_right) {
  if (block >= layout_.blocks) return std::nullopt;
  const auto copies = journal_->copies_of(block);
  for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
    if (copy->when > when) continue;
    auto bytes = journal_->bytes(*copy);
    if (bytes && is_right(*bytes)) return bytes;
  }
  const std::uint64_t damaged = volume_.damaged_reads();
  Raw bytes = Raw::read(volume_, block * layout_.block_size, layout_.block_size);
  if (bytes.size() != layout_.block_size || volume_.damaged_reads() != damaged || !is_right(bytes)) return std::nullopt;
  return bytes;
}

const DeletedInodes::Found* DeletedInodes::found(TSK_INUM_T number) {
  if (!all_.contains(number)) return nullptr;
  if (last_.number != number) {
    const File file(tsk_fs_file_open_meta(&fs_, nullptr, number));
    tsk_error_reset();
  }
  return last_.number == number && last_.found ? &*last_.found : nullptr;
}

std::vector<Error> DeletedInodes::faults() const {
  std::vector<Error> faults;
  const auto add = [&](ErrorCode code, const std::string& what) {
    faults.push_back({code, what + "; deleted files that it tells of may be missing", {}, {}});
  };
  if (error_) add(error_->code, error_->message);
  if (!journal_) return faults;
  if (journal_->is_damaged()) add(ErrorCode::io_error, "the journal lies in part on a damaged part of the medium");
  if (journal_->contradicted() > 0)
    add(ErrorCode::corrupt,
        "blocks of the journal contradict their checksums: " + std::to_string(journal_->contradicted()));
  if (journal_->is_cut() || is_cut_) add(ErrorCode::memory_limit, "the journal holds more than is kept of it");
  return faults;
}

}  // namespace exhibit::filesystem::tsk
