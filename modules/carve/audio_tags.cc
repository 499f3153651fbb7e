#include "carve/audio_tags.h"

#include <algorithm>

namespace exhibit::carve {
namespace {

constexpr std::uint64_t id3v1_length = 128;  // id3.org, ID3v1
constexpr std::uint64_t footer_length = 32;  // APEv2's, and its header's
constexpr std::string_view ape_mark = "APETAGEX";
constexpr unsigned most_items = 1000;  // what other programs take

// Bytes of the item at `offset` (length, flags, key, value); 0: none.
std::uint64_t item_length(const Content& content, std::uint64_t offset) {
  constexpr std::size_t item_header = 8, least_key = 2, most_key = 255;
  const ByteSpan head = content.at(offset, item_header + most_key + 1);
  if (head.size() <= item_header || head[3] != 0 || head[4] > 7 || head[5] != 0 || head[6] != 0) return 0;
  std::size_t at = item_header;
  while (at < head.size() && at <= item_header + most_key && head[at] >= 0x20 && head[at] < 0x7f) ++at;
  if (at >= head.size() || head[at] != 0 || at < item_header + least_key) return 0;
  return at + 1 + Reader(content, offset).le32();
}

std::uint64_t ape_length(const Content& content, std::uint64_t offset) {
  const ByteSpan head = content.at(offset, footer_length);
  const bool has_header = starts_with(head, ape_mark);
  if (has_header) {
    Reader reader(content, offset + 12);
    const std::uint64_t size = footer_length + reader.le32();  // of items and footer
    return reader.ok() && size <= content.size() - offset ? size : 0;
  }
  std::uint64_t position = offset;
  for (unsigned i = 0; i < most_items; ++i) {
    const std::uint64_t length = item_length(content, position);
    if (length == 0) break;
    if (length > content.size() - position) return 0;
    position += length;
  }
  const bool is_footer = position > offset && starts_with(content.at(position, footer_length), ape_mark) &&
                         content.size() - position >= footer_length;
  const std::uint64_t length = position + footer_length - offset;
  return is_footer && Reader(content, position + 12).le32() == length ? length : 0;
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
