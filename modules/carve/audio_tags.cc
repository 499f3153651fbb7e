#include "carve/audio_tags.h"

#include <algorithm>

namespace exhibit::carve {
namespace {

constexpr std::uint64_t id3v1_length = 128;                     // id3.org, ID3v1
constexpr std::uint64_t footer_length = 32;                     // APEv2's, and its header's
constexpr std::uint64_t longest_tag = std::uint64_t{16} << 20;  // bytes, so that an item's length begins with 0
constexpr std::string_view ape_mark = "APETAGEX";
constexpr std::size_t item_header = 8;  // length and flags, before the key

// Whether an item of a tag could begin with `head`: its length, its flags, and a key of printable letters.
bool is_item(ByteSpan head) {
  return head.size() >= item_header + 2 && head[3] == 0 && head[4] <= 7 && head[5] == 0 && head[6] == 0 &&
         head[item_header] >= 0x20 && head[item_header] < 0x7f && head[item_header + 1] >= 0x20 &&
         head[item_header + 1] < 0x7f;
}

std::uint64_t ape_length(const Content& content, std::uint64_t offset) {
  const ByteSpan head = content.at(offset, footer_length);
  const bool has_header = starts_with(head, ape_mark);
  if (has_header) {
    Reader reader(content, offset + 12);
    const std::uint64_t size = footer_length + reader.le32();  // of items and footer
    return reader.ok() && size <= content.size() - offset ? size : 0;
  }
  if (!is_item(head)) return 0;
  const std::uint64_t end = std::min(content.size(), offset + longest_tag);
  const std::uint64_t footer = find(content, ape_mark, offset, end);
  if (footer >= end || content.size() - footer < footer_length) return 0;
  const std::uint64_t size = Reader(content, footer + 12).le32();
  return size == footer + footer_length - offset ? size : 0;
}

}  // namespace

std::uint64_t audio_tags_length(const Content& content, std::uint64_t offset) {
  if (offset >= content.size()) return 0;
  std::uint64_t length = ape_length(content, offset);
  const ByteSpan behind = content.at(offset + length, id3v1_length);
  if (behind.size() >= id3v1_length && starts_with(behind, "TAG")) length += id3v1_length;
  return length;
}

}  // namespace exhibit::carve
