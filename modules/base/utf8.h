#pragma once
// UTF-8, a character at a time.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace exhibit::base {

// What stands for itself in a JSON string: ASCII but control characters, the quotation mark and the backslash.
inline constexpr auto is_plain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

// Bytes of the valid sequence at the front (Unicode, table 3-7: nothing overlong, no surrogates), 0 where there is
// none.
std::size_t utf8_sequence_length(std::string_view bytes);

// `point` is a Unicode scalar value.
void append_utf8(std::string& out, std::uint32_t point);

}  // namespace exhibit::base
