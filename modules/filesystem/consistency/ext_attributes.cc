#include <algorithm>

#include "base/checked.h"
#include "base/crc.h"
#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem::consistency {
namespace {

// A table of attributes (struct ext4_xattr_entry): from `first` in `area`; values at offsets from `origin`.
struct Table {
  Bytes area;
  std::size_t first = 0, origin = 0;
  bool in_block = false;
};

struct Entry {
  std::size_t offset = 0, length = 0;
  std::uint8_t index = 0;
  Bytes name;
  std::uint32_t value_offset = 0, value_inode = 0, value_size = 0, hash = 0;
};

// The entry at `offset`; nothing where it passes the area's end.
std::optional<Entry> entry_at(const Table& table, std::size_t offset) {
  if (!base::within(offset, layout::attribute_entry, table.area.size())) return std::nullopt;
  const Bytes bytes = table.area.subspan(offset);
  Entry entry;
  entry.offset = offset;
  const std::size_t name = u8(bytes, 0);
  entry.length = (layout::attribute_entry + name + 3) / 4 * 4;
  if (entry.length > bytes.size()) return std::nullopt;
  entry.name = bytes.subspan(layout::attribute_entry, name);
  entry.index = u8(bytes, 1);
  entry.value_offset = u16(bytes, 2);
  entry.value_inode = u32(bytes, 4);
  entry.value_size = u32(bytes, 8);
  entry.hash = u32(bytes, 12);
  return entry;
}

bool ends_at(const Table& table, std::size_t offset) {
  return !base::within(offset, 4, table.area.size()) || u32(table.area, offset) == 0;
}

bool is_inline_data(const Entry& entry) {
  constexpr std::string_view data = "data";
  return entry.index == layout::attribute_index_system && entry.name.size() == data.size() &&
         std::memcmp(entry.name.data(), data.data(), data.size()) == 0;
}

// ext4_xattr_hash_entry; older kernels took the name's bytes as signed on some machines.
std::uint32_t hash_of(const Entry& entry, Bytes value, bool as_signed) {
  std::uint32_t hash = 0;
  for (const std::byte byte : entry.name) {
    const auto character = std::to_integer<std::uint8_t>(byte);
    hash = (hash << 5) ^ (hash >> 27) ^
           (as_signed ? static_cast<std::uint32_t>(static_cast<std::int8_t>(character)) : character);
  }
  for (std::size_t at = 0; at < value.size(); at += 4) hash = (hash << 16) ^ (hash >> 16) ^ u32(value, at);
  return hash;
}

class AttributeCheck {
 public:
  AttributeCheck(ExtVolume& volume, const Inode& inode) : volume_(volume), inode_(inode) {}

  void table(const Table& table, Place place, Attributes& attributes) {
    taken_.clear();
    std::size_t at = table.first;
    while (!ends_at(table, at)) {
      const auto entry = entry_at(table, at);
      if (!entry) return tell("attributes out of bounds", place, "an extended attribute passes the end of its place");
      take(entry->offset, entry->length);
      value(table, *entry, place, attributes);
      at += entry->length;
    }
    if (overlap()) tell("attributes that overlap", place, "its extended attributes overlap each other");
  }

 private:
  void tell(std::string_view kind, Place place, const std::string& what) {
    volume_.teller.corrupt(kind, place, inode_.name() + ": " + what);
  }

  void take(std::size_t offset, std::size_t length) { taken_.emplace_back(offset, offset + length); }

  bool overlap() {
    std::sort(taken_.begin(), taken_.end());
    for (std::size_t i = 1; i < taken_.size(); ++i)
      if (taken_[i].first < taken_[i - 1].second) return true;
    return false;
  }

  void value(const Table& table, const Entry& entry, Place place, Attributes& attributes) {
    if (entry.value_inode != 0) {
      attributes.value_inodes = true;
      return value_in_inode(entry, place);
    }
    const std::uint64_t offset = table.origin + std::uint64_t{entry.value_offset};
    const std::uint64_t padded = (std::uint64_t{entry.value_size} + 3) / 4 * 4;
    if (entry.value_size != 0 && !base::within(offset, entry.value_size, table.area.size()))
      return tell("attributes out of bounds", place, "an extended attribute's value is outside of its place");
    if (is_inline_data(entry)) attributes.inline_data = true;
    const std::uint64_t length =
        std::min(padded, table.area.size() - std::min(offset, std::uint64_t{table.area.size()}));
    const Bytes bytes = entry.value_size == 0 ? Bytes() : table.area.subspan(offset, length);
    if (is_inline_data(entry)) attributes.inline_size = entry.value_size;
    if (entry.value_size != 0) take(offset, length);
    if (entry.hash == 0 && !table.in_block) return;
    if (entry.hash != hash_of(entry, bytes, false) && entry.hash != hash_of(entry, bytes, true))
      tell("wrong hashes of attributes", place, "the hash of an extended attribute doesn't hold");
  }

  void value_in_inode(const Entry& entry, Place place) {
    std::vector<std::byte> buffer;
    const std::uint32_t number = entry.value_inode;
    if (number < volume_.super.first_inode || !volume_.read_inode(number, buffer) ||
        Inode(number, buffer).kind() != attribute_value || Inode(number, buffer).links() == 0)
      return tell("attributes whose value is missing", place,
                  "an extended attribute's value should be in inode " + std::to_string(number) + ", which holds none");
    if (volume_.entries[number] < UINT16_MAX) ++volume_.entries[number];
  }

  ExtVolume& volume_;
  const Inode& inode_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken_;
};

// The attributes behind an inode's fields.
std::optional<Table> inline_table(const Inode& inode) {
  const std::size_t begin = layout::small_inode + inode.extra_size();
  if (inode.extra_size() == 0 || inode.extra_size() % 4 != 0 || begin + 4 > inode.bytes().size()) return std::nullopt;
  if (u32(inode.bytes(), begin) != layout::attribute_magic) return std::nullopt;
  return Table{inode.bytes(), begin + 4, begin + 4, false};
}

bool block_checksum_holds(const ExtVolume& volume, std::uint64_t block, Bytes bytes) {
  constexpr std::size_t at = 0x10;
  if (!volume.super.has_checksums()) return true;
  std::uint32_t crc = base::crc32c(volume.super.checksum_seed, std::as_bytes(std::span(&block, 1)));
  crc = base::crc32c(base::crc32c(crc, bytes.first(at)), 0U);
  return base::crc32c(crc, bytes.subspan(at + 4)) == u32(bytes, at);
}

void check_block(ExtVolume& volume, const Inode& inode, Attributes& attributes) {
  const std::uint64_t block = inode.attribute_block(volume.super);
  if (block == 0) return;
  const auto tell = [&](std::string_view kind, Place place, const std::string& what) {
    volume.teller.corrupt(kind, place, inode.name() + ": " + what);
  };
  const Place at = volume.inode_place(inode.number());
  if ((volume.super.compat & layout::compat_ext_attr) == 0)
    return tell("blocks of attributes", at, "it has a block of extended attributes, but the file system has none");
  if (!volume.in_range(block))
    return tell("blocks of attributes", at,
                "its block of extended attributes, " + std::to_string(block) + ", is outside of the file system");
  const auto [seen, fresh] = volume.attribute_blocks.try_emplace(block);
  ++seen->second.found;
  if (fresh && volume.used.set(volume.cluster_of(block)) && volume.super.cluster_ratio == 1 &&
      (volume.super.ro_compat & layout::ro_shared_blocks) == 0)
    tell("blocks of attributes", at,
         "its block of extended attributes, " + std::to_string(block) + ", is in use by something else");
  std::vector<std::byte> buffer;
  if (!fresh && !volume.spend(volume.map_budget, 1)) return;
  if (!volume.read_block(block, buffer)) return;
  const Place place = volume.block_place(block);
  if (u32(buffer, 0) != layout::attribute_magic || u32(buffer, 8) != 1)
    return tell("blocks of attributes", place, "the header of its block of extended attributes doesn't hold");
  seen->second.says = u32(buffer, 4);
  if (fresh && !block_checksum_holds(volume, block, buffer))
    tell("blocks of attributes", place, "the checksum of its block of extended attributes doesn't hold");
  if (fresh) AttributeCheck(volume, inode).table({buffer, layout::attribute_header, 0, true}, place, attributes);
  for (std::size_t entry = layout::attribute_header; !fresh && !ends_at({buffer}, entry);) {
    const auto found = entry_at({buffer}, entry);
    if (!found) break;
    attributes.value_inodes |= found->value_inode != 0;
    entry += found->length;
  }
}

}  // namespace

Attributes check_attributes(ExtVolume& volume, const Inode& inode) {
  Attributes attributes;
  if (const auto table = inline_table(inode))
    AttributeCheck(volume, inode).table(*table, volume.inode_place(inode.number()), attributes);
  check_block(volume, inode, attributes);
  return attributes;
}

Attributes find_inline_data(const Inode& inode) {
  Attributes attributes;
  const auto table = inline_table(inode);
  if (!table) return attributes;
  for (std::size_t at = table->first; !ends_at(*table, at);) {
    const auto entry = entry_at(*table, at);
    if (!entry) break;
    const std::uint64_t offset = table->origin + std::uint64_t{entry->value_offset};
    if (is_inline_data(*entry) && entry->value_inode == 0 &&
        base::within(offset, entry->value_size, table->area.size())) {
      attributes.inline_data = true;
      attributes.inline_offset = offset;
      attributes.inline_size = entry->value_size;
    }
    at += entry->length;
  }
  return attributes;
}

void check_attribute_references(ExtVolume& volume) {
  std::vector<std::uint64_t> blocks;
  for (const auto& [block, counts] : volume.attribute_blocks)
    if (counts.says != counts.found && counts.says != 0) blocks.push_back(block);
  std::sort(blocks.begin(), blocks.end());
  for (const std::uint64_t block : blocks) {
    const AttributeBlock& counts = volume.attribute_blocks[block];
    volume.teller.corrupt("wrong counts of references to attributes", volume.block_place(block),
                          "block " + std::to_string(block) + " of extended attributes: it says " +
                              std::to_string(counts.says) + " inodes have it, found " + std::to_string(counts.found));
  }
}

}  // namespace exhibit::filesystem::consistency
