// The names of deleted files in old copies of directories. Since Linux 5.13 an entry is wiped when its file is deleted.
#include <algorithm>
#include <map>
#include <tuple>

#include "filesystem/tsk/deleted_inodes.h"
#include "filesystem/tsk/streams.h"

namespace exhibit::filesystem::tsk {

namespace {

struct Entry {
  TSK_INUM_T number = 0;
  std::string_view name;
  std::uint8_t type = 0;
};

// Linux, Documentation/filesystems/ext4/directory.rst: ext4_dir_entry_2. Empty: they don't fill the block one behind
// the other.
std::vector<Entry> entries_of(const Raw& block, bool has_types) {
  constexpr std::size_t head = 8;
  constexpr std::uint8_t checksum_type = 0xDE;
  std::vector<Entry> entries;
  for (std::size_t at = 0; at < block.size();) {
    const std::size_t length = block.le16(at + 4);
    const std::size_t name_length = has_types ? block.u8(at + 6) : block.le16(at + 6);
    if (length < head || length % 4 != 0 || length > block.size() - at || head + name_length > length) return {};
    const std::string_view name = block.view(at + head, name_length);
    const std::uint8_t type = has_types ? block.u8(at + 7) : 0;
    const bool is_used = block.le32(at) != 0 && type != checksum_type;
    if (is_used && (name.empty() || name.find('/') != name.npos || name.find('\0') != name.npos)) return {};
    if (is_used) entries.push_back({block.le32(at), name, type});
    at += length;
  }
  return entries;
}

TSK_FS_NAME_TYPE_ENUM type_of(std::uint8_t type) {
  switch (type) {
    case 1:
      return TSK_FS_NAME_TYPE_REG;
    case 2:
      return TSK_FS_NAME_TYPE_DIR;
    case 7:
      return TSK_FS_NAME_TYPE_LNK;
    default:
      return TSK_FS_NAME_TYPE_UNDEF;
  }
}

}  // namespace

struct DeletedInodes::Naming {
  TSK_INUM_T directory = 0;
  Raw inode;  // as it is now
  struct Latest {
    std::int32_t when = 0;
    std::map<std::string, TSK_FS_NAME_TYPE_ENUM> names;
  };
  std::map<TSK_INUM_T, Latest> found;
};

std::vector<DeletedInodes::Name> DeletedInodes::names_in(TSK_FS_FILE& directory) {
  std::vector<Name> names;
  if (all_.empty() || directory.meta == nullptr) return names;
  const TSK_FS_ATTR* attribute = tsk_fs_file_attr_get(&directory);
  tsk_error_reset();
  if (attribute == nullptr || (attribute->flags & TSK_FS_ATTR_NONRES) == 0) return names;
  Naming naming{directory.meta->addr, metadata_.read(directory.meta->addr), {}};
  bool is_first = true;
  for (const Extent& extent : layout_of(fs_, *attribute, volume_.size()).extents) {
    for (std::uint64_t at = 0; at < extent.length && extent.offset != sparse_run; at += layout_.block_size) {
      names_in_block(naming, (static_cast<std::uint64_t>(extent.offset) + at) / layout_.block_size, is_first);
      is_first = false;
    }
  }
  for (const auto& [number, latest] : naming.found)
    for (const auto& [name, type] : latest.names) names.push_back({name, number, type});
  std::sort(names.begin(), names.end(),
            [](const Name& a, const Name& b) { return std::tie(a.name, a.number) < std::tie(b.name, b.number); });
  return names;
}

void DeletedInodes::names_in_block(Naming& naming, std::uint64_t block, bool is_first) {
  for (const Journal::Copy& copy : journal_->copies_of(block)) {
    const auto bytes = journal_->bytes(copy);
    if (!bytes || !layout_.is_whole_directory_block(naming.directory, naming.inode, *bytes)) continue;
    const auto entries = entries_of(*bytes, layout_.has_entry_types);
    // The block may have been another directory's at that time.
    const bool is_its_own =
        !is_first || (!entries.empty() && entries[0].name == "." && entries[0].number == naming.directory);
    if (!is_its_own || !was_alive(naming.directory, naming.inode, copy.when)) continue;
    for (const Entry& entry : entries) {
      if (entry.name == "." || entry.name == ".." || !all_.contains(entry.number)) continue;
      // The number may have been another file's at that time.
      if (!was_alive(entry.number, Raw(metadata_.read(entry.number)), copy.when)) continue;
      Naming::Latest& latest = naming.found[entry.number];
      if (!latest.names.empty() && latest.when > copy.when) continue;
      if (latest.when != copy.when) latest.names.clear();
      latest.when = copy.when;
      latest.names.emplace(entry.name, type_of(entry.type));
    }
  }
}

// Whether the use of an inode that `slot`, as it is now, tells of was going on at that time, as far as the journal
// says.
bool DeletedInodes::was_alive(TSK_INUM_T number, const Raw& slot, std::int32_t when) {
  const auto place = metadata_.place_of(number);
  if (!place) return false;
  const std::uint32_t generation = slot.le32(ext_inode::generation);
  const auto copies = journal_->copies_of(place->offset / layout_.block_size);
  const auto inode_of = [&](const Journal::Copy& copy) {
    return inode_in(copy, number, place->offset % layout_.block_size);
  };
  for (auto copy = copies.rbegin(); copy != copies.rend(); ++copy) {
    if (copy->when > when) continue;
    if (const auto inode = inode_of(*copy))
      return ext_inode::is_in_use(*inode) && inode->le32(ext_inode::generation) == generation;
  }
  for (const Journal::Copy& copy : copies) {
    if (copy.when <= when) continue;
    if (const auto inode = inode_of(copy)) return inode->le32(ext_inode::generation) == generation;
  }
  return true;
}

}  // namespace exhibit::filesystem::tsk
