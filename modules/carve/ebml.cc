#include "carve/ebml.h"

#include <bit>

namespace exhibit::carve {

std::optional<EbmlElement> read_ebml(const Content& content, std::uint64_t offset) {
  constexpr std::size_t most_header = 12;  // four bytes of an identifier, eight of a length
  const ByteSpan head = content.at(offset, most_header);
  if (head.empty()) return std::nullopt;
  const auto id_length = static_cast<std::size_t>(std::countl_zero(head[0])) + 1;
  if (id_length > 4 || head.size() < id_length + 1) return std::nullopt;
  EbmlElement element;
  for (std::size_t i = 0; i < id_length; ++i) element.id = element.id << 8 | head[i];
  const std::uint8_t first = head[id_length];
  const auto size_length = static_cast<std::size_t>(std::countl_zero(first)) + 1;
  if (size_length > 8 || head.size() < id_length + size_length) return std::nullopt;
  std::uint64_t length = first & (0xffU >> size_length);
  for (std::size_t i = 1; i < size_length; ++i) length = length << 8 | head[id_length + i];
  element.is_open = length == (std::uint64_t{1} << (7 * size_length)) - 1;
  element.begin = offset;
  element.data = offset + id_length + size_length;
  element.length = element.is_open ? 0 : length;
  return element;
}

std::uint64_t ebml_number(const Content& content, const EbmlElement& element) {
  if (element.length > 8) return 0;
  Reader reader(content, element.data);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : reader.bytes(element.length)) value = value << 8 | byte;
  return value;
}

}  // namespace exhibit::carve
