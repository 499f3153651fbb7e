#pragma once
// Numbers in the keys of an ExternalSorter: big-endian, so that they compare as text.

#include <cstdint>
#include <string>
#include <string_view>

namespace exhibit::engine {

inline void put_number(std::string& key, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) key += static_cast<char>((number >> shift) & 0xFF);
}

inline std::uint64_t number_at(std::string_view key, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = at; i < at + 8; ++i) number = number << 8 | static_cast<unsigned char>(key[i]);
  return number;
}

}  // namespace exhibit::engine
