#include "volume/bytes.h"

namespace exhibit::volume {
namespace {

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
  }
  put(0x80 | (point & 0x3f));
}

}  // namespace

std::string from_utf16(std::string_view bytes) {
  constexpr std::uint32_t replacement = 0xfffd;
  std::string out;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    auto unit = static_cast<std::uint32_t>(little(bytes, i, 2));
    if (unit == 0) break;
    if (unit >= 0xd800 && unit < 0xe000) {
      const auto low = i + 3 < bytes.size() ? static_cast<std::uint32_t>(little(bytes, i + 2, 2)) : 0;
      if (unit < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        i += 2;
      } else {
        unit = replacement;
      }
    }
    append_utf8(out, unit);
  }
  return out;
}

}  // namespace exhibit::volume
