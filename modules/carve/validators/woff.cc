// Web fonts: WOFF (W3C, WOFF File Format 1.0), whose tables are deflated one by one and have their checksums; WOFF2
// (W3C), whose header alone can be checked here, as its one stream is Brotli's.

#include <libdeflate.h>

#include <algorithm>
#include <vector>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 44, entry_length = 20, header2_length = 48;  // bytes
constexpr std::uint32_t most_tables = 64;
constexpr std::uint64_t most_length = 64 << 20;  // bytes

struct Header {
  std::uint64_t length = 0, compressed = 0, meta = 0, meta_length = 0, data = 0, data_length = 0;
  std::uint32_t tables = 0;
};

bool read_header(const Content& content, bool is_second, Header& header) {
  Reader reader(content, 4);
  const std::uint32_t flavour = reader.be32();
  header.length = reader.be32();
  header.tables = reader.be16();
  const bool is_reserved = reader.be16() == 0;
  const std::uint64_t whole = reader.be32();
  if (is_second) header.compressed = reader.be32();
  reader.skip(4);
  header.meta = reader.be32();
  header.meta_length = reader.be32();
  reader.skip(4);
  header.data = reader.be32();
  header.data_length = reader.be32();
  const bool is_known =
      flavour == 0x00010000 || flavour == 0x4f54544f || flavour == 0x74727565 || flavour == 0x74746366;
  return reader.ok() && is_known && is_reserved && header.tables > 0 && header.tables <= most_tables &&
         header.length <= most_length && whole <= most_length && header.meta + header.meta_length <= header.length &&
         header.data + header.data_length <= header.length;
}

std::uint32_t sum_of(const std::vector<std::uint8_t>& bytes, bool is_head) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 4) {
    if (is_head && i == 8) continue;
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4; ++k) word = word << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
    sum += word;
  }
  return sum;
}

std::vector<std::uint8_t> read(const Content& content, std::uint64_t at, std::uint64_t length) {
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < length) {
    const std::uint64_t left = length - bytes.size();
    const ByteSpan found = content.at(at + bytes.size(), std::min<std::uint64_t>(left, Content::window));
    if (found.empty()) break;
    bytes.insert(bytes.end(), found.begin(),
                 found.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(left, found.size())));
  }
  return bytes;
}

struct Entry {
  std::uint64_t offset = 0, packed = 0, length = 0;
  std::uint32_t sum = 0;
  bool is_head = false;
};

bool table_holds(const Content& content, const Entry& entry, libdeflate_decompressor* decompressor) {
  std::vector<std::uint8_t> bytes = read(content, entry.offset, entry.packed);
  if (bytes.size() < entry.packed) return false;
  if (entry.packed < entry.length) {
    // Deflate can't make more of a byte than some 1032.
    if (entry.length / 1032 > entry.packed) return false;
    std::vector<std::uint8_t> unpacked(entry.length);
    if (libdeflate_zlib_decompress(decompressor, bytes.data(), bytes.size(), unpacked.data(), unpacked.size(),
                                   nullptr) != LIBDEFLATE_SUCCESS) {
      return false;
    }
    bytes = std::move(unpacked);
  }
  return sum_of(bytes, entry.is_head) == entry.sum;
}

Verdict validate_first(const Content& content, const Header& header) {
  const std::uint64_t directory_end = header_length + header.tables * entry_length;
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  if (decompressor == nullptr) return {};
  std::uint64_t bad = UINT64_MAX, bad_length = 0, end = directory_end;
  bool is_directory = true;
  std::uint32_t sound = 0;
  for (std::uint32_t i = 0; i < header.tables && is_directory; ++i) {
    Reader reader(content, header_length + i * entry_length);
    Entry entry;
    entry.is_head = reader.be32() == 0x68656164;
    entry.offset = reader.be32();
    entry.packed = reader.be32();
    entry.length = reader.be32();
    entry.sum = reader.be32();
    is_directory = reader.ok() && entry.offset >= directory_end && entry.packed <= entry.length &&
                   entry.length <= most_length && entry.offset + entry.packed <= header.length;
    if (!is_directory) break;
    end = std::max(end, entry.offset + entry.packed);
    if (table_holds(content, entry, decompressor)) {
      ++sound;
    } else if (entry.offset < bad) {
      bad = entry.offset, bad_length = entry.packed;
    }
  }
  libdeflate_free_decompressor(decompressor);
  end = std::max({(end + 3) / 4 * 4, header.meta + header.meta_length, header.data + header.data_length});
  if (!is_directory || header.length > end || header.length + 3 < end) return {};
  if (bad == UINT64_MAX && header.length <= content.size()) return Verdict::whole(header.length, "woff");
  if (sound == 0) return {};
  const std::uint64_t limit = std::min(header.length, content.size());
  return Verdict::broken(std::min(bad, limit), std::min(bad + bad_length, limit), std::min(header.length, limit),
                         DoubtCause::crc_error);
}

Verdict validate(const Content& content, Memory&) {
  const bool is_second = starts_with(content.at(0, 4), "wOF2");
  if (!is_second && !starts_with(content.at(0, 4), "wOFF")) return {};
  Header header;
  if (!read_header(content, is_second, header)) return {};
  if (!is_second) return validate_first(content, header);
  // What isn't the stream, the metadata or private data is the directory, of one to eleven bytes a table.
  const std::uint64_t end = std::max(header.meta + header.meta_length, header.data + header.data_length);
  const std::uint64_t font = end > 0 ? std::min(header.meta > 0 ? header.meta : end, end) : header.length;
  if (font < header2_length + header.compressed) return {};
  const std::uint64_t directory = font - header2_length - header.compressed;
  if (directory < header.tables || directory > header.tables * std::uint64_t{16} + 256) return {};
  if (header.length > content.size()) return {};
  Verdict verdict = Verdict::whole(header.length, "woff2");
  verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator woff_validator;
const Validator woff_validator = {"woff", validate};

}  // namespace exhibit::carve
