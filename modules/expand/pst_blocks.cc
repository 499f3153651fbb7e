#include "expand/pst_blocks.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

namespace exhibit::expand {
namespace {

constexpr std::uint8_t block_tree = 0x80, node_tree = 0x81;  // ptype (2.2.2.7.1)
constexpr std::uint16_t first_wide = 23, first_large = 36;   // wVer
constexpr int any_level = -1, deepest = 8;
constexpr std::size_t most_blocks = std::size_t{8} << 20;  // a store of 50 GiB, Outlook's largest, has fewer

std::uint64_t number(std::span<const std::byte> bytes, std::size_t at, std::size_t length) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < length && at + i < bytes.size(); ++i)
    value |= std::uint64_t{std::to_integer<std::uint8_t>(bytes[at + i])} << (8 * i);
  return value;
}

// 5.3: CRC-32 that begins with 0 and isn't inverted.
std::uint32_t checksum(std::span<const std::byte> bytes) {
  constexpr uLong all = 0xffffffff;
  return static_cast<std::uint32_t>(crc32_z(all, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()) ^ all);
}

Error contradiction(const char* what) { return {ErrorCode::corrupt, what, {}, {}}; }

}  // namespace

Result<void> CheckedStore::read_trees() {
  std::uint64_t nodes = 0, blocks = 0;
  EXHIBIT_TRY(read_header(nodes, blocks));
  EXHIBIT_TRY(read_page(nodes, node_tree, any_level));
  EXHIBIT_TRY(read_page(blocks, block_tree, any_level));
  std::sort(blocks_.begin(), blocks_.end(), [](const Block& a, const Block& b) { return a.offset < b.offset; });
  return {};
}

// 2.2.2.6, and the ROOT in it (2.2.2.5).
Result<void> CheckedStore::read_header(std::uint64_t& nodes, std::uint64_t& blocks) {
  std::vector<std::byte> header(256);
  const std::size_t got = EXHIBIT_TRY(content_.read_at(0, header));
  if (got != header.size() || std::memcmp(header.data(), "!BDN", 4) != 0)
    return contradiction("it doesn't begin as an Outlook store does");
  const std::uint64_t version = number(header, 10, 2);
  if (version < first_wide) {
    layout_ = {false, 512, 496, 500, 64, 12, 8, 8};
    nodes = number(header, 188, 4);
    blocks = number(header, 196, 4);
    return {};
  }
  if (version >= first_large) layout_ = {true, 4096, 4056, 4072, 512, 24, 4, 4};
  nodes = number(header, 224, 8);
  blocks = number(header, 240, 8);
  return {};
}

// 2.2.2.7.7; `level`: what the page above says that this one has.
Result<void> CheckedStore::read_page(std::uint64_t offset, std::uint8_t kind, int level) {
  const Error bad = contradiction("a page of its trees contradicts its CRC-32, or isn't where it must be");
  std::vector<std::byte> page(static_cast<std::size_t>(layout_.page));
  if (++pages_ > content_.size() / layout_.page) return bad;
  const std::size_t got = EXHIBIT_TRY(content_.read_at(offset, page));
  const bool is_large = layout_.page > 512;
  const std::size_t count = number(page, layout_.count_at, is_large ? 2 : 1);
  const std::size_t entry = number(page, layout_.count_at + (is_large ? 4 : 2), 1);
  const int own_level = static_cast<int>(number(page, layout_.count_at + (is_large ? 5 : 3), 1));
  const std::span<const std::byte> bytes(page);
  const bool is_sound =
      got == page.size() && std::to_integer<std::uint8_t>(page[layout_.page_trailer]) == kind &&
      number(page, layout_.page_trailer + layout_.page_crc, 4) == checksum(bytes.first(layout_.page_trailer)) &&
      count * entry <= layout_.count_at && own_level <= deepest && (level == any_level || own_level == level);
  if (!is_sound) return bad;
  const std::size_t wide = layout_.is_wide ? 8 : 4;  // bytes of a number
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = i * entry;
    if (own_level > 0) {
      EXHIBIT_TRY(read_page(number(page, at + 2 * wide, wide), kind, own_level - 1));
    } else if (kind == block_tree) {
      if (blocks_.size() == most_blocks)
        return Error{ErrorCode::size_limit, "it has more blocks than are checked", {}, {}};
      blocks_.push_back(
          {number(page, at + wide, wide), static_cast<std::uint16_t>(number(page, at + 2 * wide, 2)), State::unknown});
    }
  }
  return {};
}

// 2.2.2.8.1.
CheckedStore::State CheckedStore::check(const Block& block) {
  const std::uint64_t units = (block.length + layout_.block_trailer + layout_.block_unit - 1) / layout_.block_unit;
  std::vector<std::byte> whole(static_cast<std::size_t>(units * layout_.block_unit));
  const auto got = content_.read_at(block.offset, whole);
  if (!got.ok() || *got != whole.size()) return State::bad;
  const std::size_t trailer = whole.size() - static_cast<std::size_t>(layout_.block_trailer);
  const bool agrees = number(whole, trailer + layout_.block_crc, 4) == checksum(std::span(whole).first(block.length));
  return agrees ? State::good : State::bad;
}

Result<std::size_t> CheckedStore::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
  const std::size_t got = EXHIBIT_TRY(content_.read_at(offset, buffer));
  auto block = std::upper_bound(blocks_.begin(), blocks_.end(), offset,
                                [](std::uint64_t at, const Block& each) { return at < each.offset; });
  if (block != blocks_.begin()) --block;
  for (; block != blocks_.end() && block->offset < offset + got; ++block) {
    if (block->offset + block->length <= offset) continue;
    if (block->state == State::unknown) block->state = check(*block);
    bad_reads_ += block->state == State::bad;
  }
  return got;
}

}  // namespace exhibit::expand
