#pragma once
// Hexadecimal digits by table: a set's loading time is spent here.

#include <array>
#include <cstdint>
#include <string_view>

namespace exhibit::hashset {

inline constexpr std::uint8_t not_hex = 0xff;

inline constexpr auto hex_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_hex);
  for (const std::string_view digits : {"0123456789abcdef", "0123456789ABCDEF"}) {
    for (std::uint8_t i = 0; i < 16; ++i) values[static_cast<unsigned char>(digits[i])] = i;
  }
  return values;
}();

// 0 to 15, or not_hex.
inline std::uint8_t hex_value(char digit) { return hex_values[static_cast<unsigned char>(digit)]; }

}  // namespace exhibit::hashset
