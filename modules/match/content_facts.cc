#include "match/content_facts.h"

#include <yara/exec.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace exhibit::match {
namespace {

static_assert(program_test.reader == OP_UINT16);

bool stands_at(std::span<const std::byte> bytes, std::string_view text, std::size_t stride, bool ignore_case) {
  if (bytes.size() < text.size() * stride - (stride - 1)) return false;
  const auto folded = [&](unsigned char c) { return ignore_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : int{c}; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i * stride]);
    if (folded(byte) != folded(static_cast<unsigned char>(text[i]))) return false;
    if (i > 0 && stride == 2 && bytes[i * 2 - 1] != std::byte{0}) return false;
  }
  return true;
}

}  // namespace

PlaceNumber number_at(const ContentFacts& facts, std::uint8_t reader, std::int64_t offset) {
  constexpr std::array<std::size_t, 3> widths{1, 2, 4};
  const unsigned kind = static_cast<unsigned>(reader - OP_READ_INT);  // int8, int16, int32, uint8, …; then big-endian
  const std::size_t width = widths[kind % 3];
  const auto place = static_cast<std::uint64_t>(offset);
  if (!facts.read) return {};
  if (place > facts.head.size() || facts.head.size() - place < width) {
    return {.known = facts.head.size() == facts.size, .undefined = true};
  }
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const bool big_endian = kind >= 6;
    const auto byte = static_cast<std::uint32_t>(facts.head[place + (big_endian ? i : width - 1 - i)]);
    bits = bits << 8 | byte;
  }
  const bool is_signed = kind % 6 < 3;
  if (!is_signed) return {.known = true, .value = bits};
  const std::array<std::int64_t, 3> values{static_cast<std::int8_t>(bits), static_cast<std::int16_t>(bits),
                                           static_cast<std::int32_t>(bits)};
  return {.known = true, .value = values[kind % 3]};
}

bool has_no_program(const ContentFacts& facts) {
  if (facts.denied != nullptr && *facts.denied == program_test) return true;
  const PlaceNumber magic = number_at(facts, program_test.reader, program_test.offset);
  return magic.known && (magic.undefined || magic.value != program_test.value);
}

bool text_may_start_within(const ContentFacts& facts, const YR_STRING& string, std::int64_t from, std::int64_t to) {
  constexpr std::int64_t longest_range = 4096;
  const bool plain = STRING_IS_LITERAL(&string) && !STRING_IS_XOR(&string) && !STRING_IS_CHAIN_PART(&string);
  if (!facts.read || !plain || string.length <= 0) return true;
  from = std::max<std::int64_t>(from, 0);
  if (to < from) return false;
  const bool whole = facts.head.size() == facts.size;
  const auto end = static_cast<std::int64_t>(facts.head.size());
  if (whole) to = std::min(to, end);
  if (to - from > longest_range) return true;
  const std::string_view text(reinterpret_cast<const char*>(string.string), static_cast<std::size_t>(string.length));
  // A match that goes on past the head isn't known.
  if (!whole && to > end - 2 * std::int64_t{string.length}) return true;
  const bool wide = STRING_IS_WIDE(&string), narrow = STRING_IS_ASCII(&string) || !wide;
  for (std::int64_t at = from; at <= to; ++at) {
    const auto bytes = facts.head.subspan(static_cast<std::size_t>(at));
    if (narrow && stands_at(bytes, text, 1, STRING_IS_NO_CASE(&string))) return true;
    if (wide && stands_at(bytes, text, 2, STRING_IS_NO_CASE(&string))) return true;
  }
  return false;
}

}  // namespace exhibit::match
