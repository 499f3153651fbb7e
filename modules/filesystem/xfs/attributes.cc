#include "filesystem/xfs/attributes.h"

#include <algorithm>

#include "filesystem/number_set.h"

namespace exhibit::filesystem::xfs {
namespace {

// Flags of an entry.
constexpr std::uint8_t is_local = 0x01, is_root = 0x02, is_secure = 0x04, is_parent = 0x08, is_incomplete = 0x80;
constexpr std::uint16_t leaf_magic = 0xfbee, leaf_magic_v5 = 0x3bee, node_magic = 0xfebe, node_magic_v5 = 0x3ebe;
constexpr SelfDescription index_block = {
    .checksum = 12, .block_number = 16, .uuid = 32, .owner = 48, .is_owner_short = false};
constexpr std::uint32_t value_magic = 0x5841524d;  // "XARM"
constexpr SelfDescription value_block = {
    .checksum = 12, .block_number = 40, .uuid = 16, .owner = 32, .is_owner_short = false};
constexpr std::size_t value_header = 56, entry_size = 8;
constexpr std::size_t largest_value = 65536;  // XATTR_SIZE_MAX

class Reader {
 public:
  Reader(const Volume& volume, const Inode& inode, Faults& faults) : volume_(volume), inode_(inode), faults_(faults) {}

  std::vector<Attribute> read() {
    const Fork& fork = inode_.attributes;
    if (fork.size == 0) return {};
    if (fork.format == ForkFormat::local) {
      short_form(inode_.literal(fork));
    } else if (fork.format == ForkFormat::extents || fork.format == ForkFormat::tree) {
      map_ = read_fork(volume_, inode_, fork, faults_);
      for (const Mapping& mapping : map_.mappings) budget_ += mapping.count * volume_.super().block_size;
      if (!map_.mappings.empty()) index();
    } else {
      faults_.add("its attributes have an unknown format");
    }
    return std::move(all_);
  }

 private:
  bool is_wanted(std::uint8_t flags) const { return (flags & (is_incomplete | is_parent)) == 0; }

  static std::string full_name(std::uint8_t flags, std::string_view name) {
    const char* prefix = (flags & is_root) != 0 ? "trusted." : (flags & is_secure) != 0 ? "security." : "user.";
    return prefix + std::string(name);
  }

  void short_form(Bytes bytes) {
    constexpr std::size_t header = 4, entry = 3;
    bytes = part(bytes, 0, u16(bytes, 0));
    std::size_t at = header;
    for (std::size_t count = u8(bytes, 2); count > 0; --count) {
      const std::size_t name = u8(bytes, at), value = u8(bytes, at + 1);
      const std::uint8_t flags = u8(bytes, at + 2);
      if (at + entry + name + value > bytes.size()) return faults_.add("an extended attribute passes its end");
      if (is_wanted(flags))
        all_.push_back(
            {full_name(flags, text(bytes, at + entry, name)), std::string(text(bytes, at + entry + name, value))});
      at += entry + name + value;
    }
  }

  std::optional<std::vector<std::byte>> block(std::uint64_t file_block) {
    for (const Mapping& mapping : map_.mappings)
      if (file_block >= mapping.file_block && file_block - mapping.file_block < mapping.count) {
        const std::uint64_t place = mapping.block + (file_block - mapping.file_block);
        offset_ = volume_.super().offset_of(place).value_or(0);
        return volume_.read_blocks(place, 1, "a block of its attributes", faults_);
      }
    faults_.add("a block of its attributes isn't mapped");
    return std::nullopt;
  }

  void index() {
    std::vector<std::uint32_t> pending = {0};
    NumberSet seen;
    while (!pending.empty()) {
      const std::uint32_t next = pending.back();
      pending.pop_back();
      if (seen.contains(next)) return faults_.add("a block of its attributes is met twice");
      seen.insert(next);
      const auto bytes = block(next);
      if (!bytes) continue;
      const bool is_v5 = volume_.super().is_v5;
      const std::uint16_t magic = u16(*bytes, 8);
      volume_.check(*bytes, index_block, offset_, inode_.number, "a block of its attributes", faults_);
      if (magic == (is_v5 ? leaf_magic_v5 : leaf_magic)) {
        leaf(*bytes, is_v5 ? 56 : 12, is_v5 ? 80 : 32);
      } else if (magic == (is_v5 ? node_magic_v5 : node_magic)) {
        node(*bytes, is_v5 ? 56 : 12, is_v5 ? 64 : 16, pending);
      } else {
        faults_.add("a block of its attributes is none");
      }
    }
  }

  void node(Bytes bytes, std::size_t count_at, std::size_t header, std::vector<std::uint32_t>& pending) {
    const std::size_t count = u16(bytes, count_at);
    if (count > (bytes.size() - header) / entry_size) return faults_.add("a block of its attributes is overfull");
    for (std::size_t i = count; i > 0; --i) pending.push_back(u32(bytes, header + (i - 1) * entry_size + 4));
  }

  void leaf(Bytes bytes, std::size_t count_at, std::size_t header) {
    const std::size_t count = u16(bytes, count_at);
    if (count > (bytes.size() - header) / entry_size) return faults_.add("a block of its attributes is overfull");
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t entry = header + i * entry_size, at = u16(bytes, entry + 4);
      const std::uint8_t flags = u8(bytes, entry + 6);
      if (!is_wanted(flags)) continue;
      const bool local = (flags & is_local) != 0;
      const std::size_t value_size = local ? u16(bytes, at) : u32(bytes, at + 4);
      const std::size_t name_at = at + (local ? 3 : 9), name_size = u8(bytes, name_at - 1);
      if (name_at + name_size + (local ? value_size : 0) > bytes.size()) {
        faults_.add("an extended attribute passes its block");
        continue;
      }
      // Together they have no more bytes than the blocks that hold them, but where they are made to overlap.
      if (name_size + value_size > budget_) return faults_.add("its attributes overlap");
      budget_ -= name_size + value_size;
      Attribute attribute{full_name(flags, text(bytes, name_at, name_size)), {}};
      attribute.value =
          local ? std::string(text(bytes, name_at + name_size, value_size)) : remote_value(u32(bytes, at), value_size);
      all_.push_back(std::move(attribute));
    }
  }

  std::optional<std::string> remote_value(std::uint32_t first, std::size_t size) {
    if (size > largest_value) {
      faults_.add("an extended attribute is impossibly long");
      return std::nullopt;
    }
    const bool is_v5 = volume_.super().is_v5;
    std::string value;
    for (std::uint64_t number = first; value.size() < size; ++number) {
      const auto bytes = block(number);
      if (!bytes) return std::nullopt;
      const std::size_t before = is_v5 ? value_header : 0;
      const std::size_t length = std::min(size - value.size(), bytes->size() - before);
      if (is_v5) {
        volume_.check(*bytes, value_block, offset_, inode_.number, "a value of its attributes", faults_);
        if (u32(*bytes, 0) != value_magic || u32(*bytes, 4) != value.size() || u32(*bytes, 8) != length) {
          faults_.add("a value of its attributes doesn't hold");
          return std::nullopt;
        }
      }
      value += text(*bytes, before, length);
    }
    return value;
  }

  const Volume& volume_;
  const Inode& inode_;
  Faults& faults_;
  ForkMap map_;
  std::uint64_t offset_ = 0;  // of the block that was read last
  std::uint64_t budget_ = 0;  // bytes of names and values that may still come
  std::vector<Attribute> all_;
};

}  // namespace

std::vector<Attribute> attributes_of(const Volume& volume, const Inode& inode, Faults& faults) {
  return Reader(volume, inode, faults).read();
}

}  // namespace exhibit::filesystem::xfs
