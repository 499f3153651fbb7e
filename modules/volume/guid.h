#pragma once
// A GUID as it is printed, in lower case, out of its 16 bytes as Windows stores them: the first three parts
// little-endian.

#include <string>
#include <string_view>

namespace exhibit::volume {

inline std::string guid_text(std::string_view bytes) {
  constexpr int order[] = {3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15};
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const int place : order) {
    if (place < 0) {
      text += '-';
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes[static_cast<std::size_t>(place)]);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace exhibit::volume
