// TrueType and OpenType fonts and collections of them (ISO/IEC 14496-22, 4.5): a directory of tables, each with its
// place, length and checksum.

#include <algorithm>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t directory_header = 12, directory_entry = 16;  // bytes
constexpr std::uint32_t most_tables = 64, most_fonts = 512;
constexpr std::uint64_t most_length = 256 << 20;  // bytes

struct Font {
  std::uint64_t end = 0;
  std::uint64_t first_bad = UINT64_MAX, bad_length = 0;  // the first table whose checksum fails
  std::uint32_t tables = 0, bad = 0;
  bool is_cut = false;
};

bool is_tag(ByteSpan tag) {
  return std::all_of(tag.begin(), tag.end(), [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; });
}

// 4.5.1: the sum of the table's words, the last filled up with zeros. `skipped`: a word that counts as zero.
std::uint32_t sum_of(const Content& content, std::uint64_t at, std::uint64_t length, std::uint64_t skipped) {
  std::uint32_t sum = 0;
  const std::uint64_t end = at + length;
  while (at < end) {
    ByteSpan bytes = content.at(at, std::min<std::uint64_t>(Content::window, end - at));
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - at));
    if (at + bytes.size() < end) bytes = bytes.first(bytes.size() / 4 * 4);
    if (bytes.empty()) return ~sum;
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
      if (at + i == skipped) continue;
      std::uint32_t word = 0;
      for (std::size_t k = 0; k < 4; ++k) word = word << 8 | (i + k < bytes.size() ? bytes[i + k] : 0u);
      sum += word;
    }
    at += bytes.size();
  }
  return sum;
}

// The numbers that follow from the count of tables (4.5.1).
bool is_directory(std::uint32_t tables, std::uint32_t range, std::uint32_t selector, std::uint32_t shift) {
  if (tables == 0 || tables > most_tables) return false;
  std::uint32_t power = 1, exponent = 0;
  while (power * 2 <= tables) power *= 2, ++exponent;
  return range == power * 16 && selector == exponent && shift == tables * 16 - range;
}

// The font whose directory begins at `at`. False: there is none.
bool read_font(const Content& content, std::uint64_t at, Font& font) {
  Reader reader(content, at);
  const std::uint32_t version = reader.be32();
  if (version != 0x00010000 && version != 0x4f54544f && version != 0x74727565) return false;
  const std::uint32_t tables = reader.be16(), range = reader.be16(), selector = reader.be16(), shift = reader.be16();
  if (!reader.ok() || !is_directory(tables, range, selector, shift)) return false;
  std::string before;
  for (std::uint32_t i = 0; i < tables; ++i) {
    Reader entry(content, at + directory_header + i * directory_entry);
    const ByteSpan bytes = entry.bytes(4);
    if (!entry.ok() || !is_tag(bytes)) return false;
    const std::string tag(bytes.begin(), bytes.end());
    const std::uint32_t told = entry.be32();
    const std::uint64_t offset = entry.be32(), length = entry.be32();
    if (!entry.ok() || tag == before || offset < directory_header || offset + length > most_length) return false;
    before = tag;
    ++font.tables;
    font.end = std::max(font.end, offset + length);
    if (offset + length > content.size()) {
      font.is_cut = true;
      continue;
    }
    const std::uint64_t skipped = tag == "head" ? offset + 8 : UINT64_MAX;
    if (sum_of(content, offset, length, skipped) == told) continue;
    ++font.bad;
    if (offset < font.first_bad) font.first_bad = offset, font.bad_length = length;
  }
  return true;
}

// Tables are filled up to four bytes with zeros: so is the last, mostly.
std::uint64_t filled(const Content& content, std::uint64_t end) {
  const std::uint64_t full = (end + 3) / 4 * 4;
  const ByteSpan bytes = content.at(end, full - end);
  const bool is_filled =
      bytes.size() >= full - end && std::all_of(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(full - end),
                                                [](std::uint8_t byte) { return byte == 0; });
  return is_filled ? full : end;
}

Verdict judge(const Content& content, const Font& font, std::uint64_t header, std::string extension) {
  if (font.is_cut || font.bad * 2 > font.tables) {
    if (font.bad * 2 > font.tables) return {};
    const std::uint64_t end = std::min(header, content.size());
    return Verdict::broken(end, content.size(), end, DoubtCause::missing_segment);
  }
  const std::uint64_t end = filled(content, font.end);
  if (font.bad == 0) return Verdict::whole(end, std::move(extension));
  Verdict verdict =
      Verdict::broken(std::min(header, font.first_bad), font.first_bad + font.bad_length, end, DoubtCause::crc_error);
  verdict.doubts = {{font.first_bad, font.bad_length, DoubtCause::crc_error}};
  verdict.extension = std::move(extension);
  return verdict;
}

Verdict validate_collection(const Content& content) {
  Reader reader(content, 4);
  const std::uint32_t version = reader.be32(), count = reader.be32();
  if (!reader.ok() || (version != 0x10000 && version != 0x20000) || count == 0 || count > most_fonts) return {};
  const std::uint64_t header = 12 + std::uint64_t{count} * 4 + (version == 0x20000 ? 12 : 0);
  Font all;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t at = reader.be32();
    if (!reader.ok() || at < header || at > most_length || !read_font(content, at, all)) return {};
  }
  return judge(content, all, header, "ttc");
}

Verdict validate(const Content& content, Memory&) {
  if (starts_with(content.at(0, 4), "ttcf")) return validate_collection(content);
  Font font;
  if (!read_font(content, 0, font)) return {};
  const std::uint64_t header = directory_header + font.tables * directory_entry;
  return judge(content, font, header, starts_with(content.at(0, 4), "OTTO") ? "otf" : "ttf");
}

bool glance(ByteSpan head) {
  if (head.size() < directory_header + directory_entry) return false;
  if (starts_with(head, "ttcf")) return head[4] == 0 && head[6] == 0;
  const auto half = [&](std::size_t at) { return std::uint32_t{head[at]} << 8 | head[at + 1]; };
  return is_directory(half(4), half(6), half(8), half(10)) && is_tag(head.subspan(12, 4));
}

}  // namespace

extern const Validator sfnt_validator;
const Validator sfnt_validator = {"sfnt", validate, glance};

}  // namespace exhibit::carve
