#include "filesystem/xfs/directory.h"

#include <algorithm>

namespace exhibit::filesystem::xfs {
namespace {

// Block form, and data blocks beside an index.
constexpr std::uint32_t block_magic = 0x58443242, block_magic_v5 = 0x58444233;  // "XD2B", "XDB3"
constexpr std::uint32_t data_magic = 0x58443244, data_magic_v5 = 0x58444433;    // "XD2D", "XDD3"
constexpr SelfDescription data_block = {
    .checksum = 4, .block_number = 8, .uuid = 24, .owner = 40, .is_owner_short = false};
constexpr std::size_t header = 16, header_v5 = 64, tail = 8, index_entry = 8;
constexpr std::uint64_t index_begins = std::uint64_t{1} << 35;  // byte of the directory: entries lie before
constexpr std::uint16_t unused = 0xffff;
constexpr std::size_t alignment = 8;
constexpr std::uint8_t last_type = 7;

bool is_dot(std::string_view name) { return name == "." || name == ".."; }
bool is_possible(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

class Reader {
 public:
  Reader(const Volume& volume, const Inode& inode, Faults& faults, const std::function<void(const Entry&)>& visit)
      : volume_(volume), inode_(inode), faults_(faults), visit_(visit) {}

  void read() {
    if (inode_.data.format == ForkFormat::local) return short_form();
    if (inode_.data.format != ForkFormat::extents && inode_.data.format != ForkFormat::tree)
      return faults_.add("its format is unknown");
    blocks(read_fork(volume_, inode_, inode_.data, faults_));
  }

 private:
  bool has_types() const { return volume_.super().has_file_types; }

  void tell(std::string_view name, std::uint64_t inode, std::uint8_t type, bool is_removed) {
    if (is_dot(name)) return;
    if (!is_possible(name)) faults_.add("an entry's name is impossible");
    visit_({std::string(name), inode, has_types() ? type : std::uint8_t{0}, is_removed});
  }

  // count, how many inode numbers need eight bytes, the parent's, then the entries without gaps.
  void short_form() {
    const Bytes bytes = part(inode_.literal(inode_.data), 0,
                             static_cast<std::size_t>(std::min<std::uint64_t>(inode_.size, inode_.data.size)));
    if (inode_.size > inode_.data.size) faults_.add("it is longer than its inode has room for");
    const std::size_t number_size = u8(bytes, 1) > 0 ? 8 : 4;
    std::size_t at = 2 + number_size;
    for (std::size_t count = u8(bytes, 0); count > 0; --count) {
      const std::size_t length = u8(bytes, at), number_at = at + 3 + length + (has_types() ? 1 : 0);
      if (length == 0 || number_at + number_size > bytes.size()) return faults_.add("an entry passes its end");
      const std::uint64_t number = number_size == 8 ? u64(bytes, number_at) : u32(bytes, number_at);
      tell(text(bytes, at + 3, length), number, u8(bytes, at + 3 + length), false);
      at = number_at + number_size;
    }
    if (at != inode_.size) faults_.add("it has another length than its inode says");
  }

  // Gathers directory blocks out of the file system's, of which one may take several.
  void blocks(const ForkMap& map) {
    const std::uint32_t per_block = volume_.super().directory_block_size / volume_.super().block_size;
    std::vector<std::byte> gathered;
    std::uint64_t number = 0, first = 0;
    for (const Mapping& mapping : map.mappings) {
      for (std::uint64_t i = 0; i < mapping.count; ++i) {
        const std::uint64_t file_block = mapping.file_block + i;
        if (file_block >= index_begins >> volume_.super().block_log) return incomplete(gathered);
        if (file_block % per_block == 0) {
          incomplete(gathered);
          number = file_block / per_block;
          first = mapping.block + i;
        } else if (gathered.empty() || file_block / per_block != number) {
          faults_.add("one of its blocks isn't whole");
          continue;
        }
        const auto bytes = volume_.read_blocks(mapping.block + i, 1, "its block", faults_);
        if (!bytes) {
          gathered.clear();
          continue;
        }
        gathered.insert(gathered.end(), bytes->begin(), bytes->end());
        if (gathered.size() < volume_.super().directory_block_size) continue;
        data(gathered, *volume_.super().offset_of(first));
        gathered.clear();
      }
    }
    incomplete(gathered);
  }

  void incomplete(std::vector<std::byte>& gathered) {
    if (!gathered.empty()) faults_.add("one of its blocks isn't whole");
    gathered.clear();
  }

  void data(Bytes bytes, std::uint64_t offset) {
    const bool is_v5 = volume_.super().is_v5;
    const std::uint32_t magic = u32(bytes, 0);
    const bool has_index = magic == (is_v5 ? block_magic_v5 : block_magic);
    if (!has_index && magic != (is_v5 ? data_magic_v5 : data_magic))
      return faults_.add("its block at byte " + std::to_string(offset) + " isn't one of a directory");
    volume_.check(bytes, data_block, offset, inode_.number, "its block", faults_);
    std::size_t end = bytes.size();
    if (has_index) {
      const std::uint64_t count = u32(bytes, end - tail);
      if (count > (end - tail - (is_v5 ? header_v5 : header)) / index_entry)
        return faults_.add("its block at byte " + std::to_string(offset) + " has an index that passes it");
      end -= tail + count * index_entry;
    }
    if (!entries(bytes.first(end), is_v5 ? header_v5 : header))
      faults_.add("its block at byte " + std::to_string(offset) + " isn't filled by entries");
  }

  std::size_t entry_size(std::size_t name_length) const {
    const std::size_t size = 8 + 1 + name_length + (has_types() ? 1 : 0) + 2;
    return (size + alignment - 1) / alignment * alignment;
  }

  // Entries and unused stretches, each ending with its own offset. False where they don't follow on each other.
  bool entries(Bytes bytes, std::size_t at) {
    while (at < bytes.size()) {
      const bool is_unused = u16(bytes, at) == unused;
      const std::size_t length = is_unused ? u16(bytes, at + 2) : entry_size(u8(bytes, at + 8));
      if (length == 0 || length % alignment != 0 || length > bytes.size() - at) return false;
      if (u16(bytes, at + length - 2) != at) return false;
      if (is_unused) {
        removed(bytes.first(at + length), at);
      } else {
        entry(bytes, at, false);
      }
      at += length;
    }
    return true;
  }

  void entry(Bytes bytes, std::size_t at, bool is_removed) {
    const std::size_t length = u8(bytes, at + 8);
    const std::uint64_t number = is_removed ? u32(bytes, at + 4) : u64(bytes, at);
    tell(text(bytes, at + 9, length), number, u8(bytes, at + 9 + length), is_removed);
  }

  // Removal writes over the first four bytes of an entry, the upper half of its inode's number, and joins it with
  // unused neighbours. What still has the form of an entry up to its own offset at its end is one that was removed.
  void removed(Bytes bytes, std::size_t begin) {
    if (volume_.super().inode_limit() > std::uint64_t{1} << 32) return;
    for (std::size_t at = begin; at + entry_size(1) <= bytes.size();) {
      const std::size_t length = u8(bytes, at + 8), size = entry_size(length);
      if (size > bytes.size() - at) return;
      const std::size_t ends_with = u16(bytes, at + size - 2);
      // The end of the last one was written anew, with the offset of the whole stretch.
      const bool is_last = at + size == bytes.size();
      const bool holds = (u16(bytes, at) == unused || u32(bytes, at) == 0) && (ends_with == at || is_last) &&
                         is_possible(text(bytes, at + 9, length)) &&
                         volume_.super().offset_of_inode(u32(bytes, at + 4)) &&
                         (!has_types() || (u8(bytes, at + 9 + length) > 0 && u8(bytes, at + 9 + length) <= last_type));
      if (!holds) return;
      entry(bytes, at, true);
      at += size;
    }
  }

  const Volume& volume_;
  const Inode& inode_;
  Faults& faults_;
  const std::function<void(const Entry&)>& visit_;
};

}  // namespace

void read_directory(const Volume& volume, const Inode& inode, Faults& faults,
                    const std::function<void(const Entry&)>& visit) {
  Reader(volume, inode, faults, visit).read();
}

}  // namespace exhibit::filesystem::xfs
