// LevelDB's tables (LevelDB, doc/table_format.md), as browsers keep their storage in: blocks with a CRC-32C each, at
// the end a footer that leads to the index, which leads to all others. The footer tells how far back the table begins.

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/crc.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view magic = "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
constexpr std::uint64_t handles_length = 40, block_trailer = 5;  // bytes
constexpr std::uint64_t most_length = 64 << 20;                  // bytes
constexpr std::uint64_t most_index = 4 << 20;                    // bytes of an unpacked index

struct Handle {
  std::uint64_t offset = 0, size = 0;
  std::uint64_t end() const { return offset + size + block_trailer; }
};

std::optional<std::uint64_t> varint(ByteSpan bytes, std::size_t& at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && at < bytes.size(); shift += 7) {
    const std::uint8_t byte = bytes[at++];
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool read_handle(ByteSpan bytes, std::size_t& at, Handle& handle) {
  handle.offset = varint(bytes, at).value_or(most_length + 1);
  handle.size = varint(bytes, at).value_or(most_length + 1);
  return handle.offset <= most_length && handle.size <= most_length;
}

struct Footer {
  Handle meta, index;
};

// The footer that ends with the magic at `at`.
std::optional<Footer> read_footer(const Content& content, std::uint64_t at) {
  if (at < handles_length) return std::nullopt;
  const ByteSpan found = content.at(at - handles_length, handles_length);
  if (found.size() < handles_length) return std::nullopt;
  const ByteSpan bytes = found.first(handles_length);
  std::size_t place = 0;
  Footer footer;
  if (!read_handle(bytes, place, footer.meta) || !read_handle(bytes, place, footer.index)) return std::nullopt;
  const bool is_filled = std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(place), bytes.end(),
                                     [](std::uint8_t byte) { return byte == 0; });
  // The index lies behind the block of what else there is, and before the footer.
  const bool is_ordered = footer.index.offset == footer.meta.end() && footer.index.end() <= at - handles_length;
  return is_filled && is_ordered ? std::optional(footer) : std::nullopt;
}

std::vector<std::uint8_t> read(const Content& content, std::uint64_t at, std::uint64_t length) {
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < length) {
    const std::uint64_t left = std::min<std::uint64_t>(length - bytes.size(), Content::window);
    const ByteSpan found = content.at(at + bytes.size(), left);
    if (found.empty()) break;
    const auto here = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(found.size(), left));
    bytes.insert(bytes.end(), found.begin(), found.begin() + here);
  }
  return bytes;
}

// A block with its trailer, if its masked checksum holds.
std::optional<std::vector<std::uint8_t>> read_block(const Content& content, const Handle& handle) {
  if (handle.end() > content.size()) return std::nullopt;
  std::vector<std::uint8_t> bytes = read(content, handle.offset, handle.size + block_trailer);
  if (bytes.size() < handle.size + block_trailer) return std::nullopt;
  const std::uint32_t sum = ~base::crc32c(~0U, std::as_bytes(std::span(bytes).first(handle.size + 1)));
  const std::uint32_t masked = ((sum >> 15) | (sum << 17)) + 0xa282ead8;
  bytes.resize(handle.size + 1);  // the content and its kind of compression
  return Reader(content, handle.offset + handle.size + 1).le32() == masked ? std::optional(bytes) : std::nullopt;
}

// Snappy (google/snappy, format_description.txt).
std::optional<std::vector<std::uint8_t>> unpack_snappy(ByteSpan bytes) {
  std::size_t at = 0;
  const auto length = varint(bytes, at);
  if (!length || *length > most_index) return std::nullopt;
  std::vector<std::uint8_t> plain;
  while (at < bytes.size()) {
    const unsigned tag = bytes[at++], kind = tag & 3;
    std::size_t count = tag >> 2;
    if (kind == 0) {  // bytes as they are
      const std::size_t extra = count >= 60 ? count - 59 : 0;
      if (extra > bytes.size() - at) return std::nullopt;
      if (extra > 0) count = 0;
      for (std::size_t i = 0; i < extra; ++i) count |= std::size_t{bytes[at++]} << (8 * i);
      if (++count > bytes.size() - at || count > *length - plain.size()) return std::nullopt;
      plain.insert(plain.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                   bytes.begin() + static_cast<std::ptrdiff_t>(at + count));
      at += count;
      continue;
    }
    const std::size_t width = kind == 1 ? 1 : kind == 2 ? 2 : 4;
    if (width > bytes.size() - at) return std::nullopt;
    std::size_t offset = 0;
    for (std::size_t i = 0; i < width; ++i) offset |= std::size_t{bytes[at++]} << (8 * i);
    if (kind == 1) {
      offset |= std::size_t{tag >> 5} << 8;
      count = (count & 7) + 4;
    } else {
      ++count;
    }
    if (offset == 0 || offset > plain.size() || count > *length - plain.size()) return std::nullopt;
    for (std::size_t i = 0; i < count; ++i) plain.push_back(plain[plain.size() - offset]);
  }
  return plain.size() == *length ? std::optional(plain) : std::nullopt;
}

// The data blocks that an index leads to; nothing: it can't be read.
std::optional<std::vector<Handle>> read_index(std::vector<std::uint8_t> block) {
  const std::uint8_t compression = block.back();
  block.pop_back();
  if (compression == 1) {
    auto plain = unpack_snappy(block);
    if (!plain) return std::nullopt;
    block = std::move(*plain);
  } else if (compression != 0) {
    return std::nullopt;
  }
  if (block.size() < 4) return std::nullopt;
  const ByteSpan bytes(block);
  std::uint64_t restarts = 0;
  for (std::size_t i = 0; i < 4; ++i) restarts |= std::uint64_t{bytes[bytes.size() - 4 + i]} << (8 * i);
  if (restarts > (bytes.size() - 4) / 4) return std::nullopt;
  const std::size_t end = bytes.size() - 4 - 4 * restarts;
  std::vector<Handle> handles;
  for (std::size_t at = 0; at < end;) {
    const auto shared = varint(bytes, at), own = varint(bytes, at), length = varint(bytes, at);
    if (!shared || !own || !length || at > end || *own > end - at || *length > end - at - *own) return std::nullopt;
    at += *own;
    std::size_t place = at;
    Handle handle;
    const bool is_handle = read_handle(bytes, place, handle);
    at += *length;
    if (!is_handle || place > at) return std::nullopt;
    handles.push_back(handle);
  }
  return handles;
}

// Whether all blocks before the footer at `end` hold.
Verdict judge(const Content& content, const Footer& footer, std::uint64_t end) {
  const auto index = read_block(content, footer.index);
  if (!index || !read_block(content, footer.meta)) return {};
  const auto handles = read_index(*index);
  if (!handles) {  // compressed in a way that isn't known here
    Verdict verdict = Verdict::whole(end);
    verdict.tier = Tier::plausible;
    return verdict;
  }
  std::uint64_t expected = 0;
  for (const Handle& handle : *handles) {
    if (handle.offset != expected) return {};
    if (!read_block(content, handle)) {
      return Verdict::broken(handle.offset, handle.end(), end, DoubtCause::crc_error);
    }
    expected = handle.end();
  }
  return expected <= footer.meta.offset ? Verdict::whole(end) : Verdict{};
}

Verdict validate(const Content& content, Memory&) {
  const std::uint64_t limit = std::min(content.size(), most_length);
  for (std::uint64_t at = find(content, magic, 0, limit); at < limit; at = find(content, magic, at + 1, limit)) {
    const auto footer = read_footer(content, at);
    if (footer && footer->index.end() == at - handles_length) return judge(content, *footer, at + magic.size());
  }
  return {};
}

std::optional<std::uint64_t> begin_of(const Content& before, std::uint64_t anchor) {
  const auto footer = read_footer(before, anchor);
  if (!footer) return std::nullopt;
  return anchor - handles_length - footer->index.end();
}

}  // namespace

extern const Validator leveldb_validator;
const Validator leveldb_validator = {"leveldb", validate, nullptr, begin_of};

}  // namespace exhibit::carve
