#include "carve/text_encoding.h"

#include <algorithm>
#include <array>

#include "carve/text.h"

namespace exhibit::carve {
namespace {

// How often letters stand in Russian and Belarusian text, in thousandths, from the 32 letters а to я (Belarusian's і
// and ў lie elsewhere in each code page and are rare enough to leave out). Rough: they tell code pages apart, no more.
constexpr std::array<std::uint8_t, 32> frequency = {80, 16, 45, 17, 30, 85, 9, 16, 74, 12, 35, 44, 32, 67, 110, 28,
                                                    47, 55, 63, 26, 3,  10, 5, 14, 7,  4,  1,  19, 17, 3,  6,   20};
constexpr int worth_of_letter = 8;  // thousandths a letter must have on average: half of what Russian has
constexpr int inside_capital = 60;  // taken off for a capital behind a small letter
constexpr int foreign_byte = 40;    // and for a byte that is no letter

// Where the small and capital letters lie: code, or 0xff.
struct CodePage {
  std::array<std::uint8_t, 256> letter{};  // 0 to 31 small, 32 to 63 capital
};

constexpr CodePage cp1251_page() {
  CodePage page;
  page.letter.fill(0xff);
  for (unsigned i = 0; i < 32; ++i) {
    page.letter[0xe0 + i] = static_cast<std::uint8_t>(i);
    page.letter[0xc0 + i] = static_cast<std::uint8_t>(32 + i);
  }
  return page;
}

constexpr CodePage cp866_page() {
  CodePage page;
  page.letter.fill(0xff);
  for (unsigned i = 0; i < 32; ++i) {
    page.letter[i < 16 ? 0xa0 + i : 0xe0 + i - 16] = static_cast<std::uint8_t>(i);
    page.letter[0x80 + i] = static_cast<std::uint8_t>(32 + i);
  }
  return page;
}

// RFC 1489: the order of the Latin letters that sound like them.
constexpr CodePage koi8_page() {
  constexpr std::array<std::uint8_t, 32> order = {30, 0,  1,  22, 4,  5,  20, 3, 21, 8,  9, 10, 11, 12, 13, 14,
                                                  15, 31, 16, 17, 18, 19, 6,  2, 28, 27, 7, 24, 29, 25, 23, 26};
  CodePage page;
  page.letter.fill(0xff);
  for (unsigned i = 0; i < 32; ++i) {
    page.letter[0xc0 + i] = order[i];
    page.letter[0xe0 + i] = static_cast<std::uint8_t>(32 + order[i]);
  }
  return page;
}

constexpr CodePage cp1251 = cp1251_page(), cp866 = cp866_page(), koi8 = koi8_page();

// Thousandths a byte beyond ASCII is worth on average.
int score(const CodePage& page, ByteSpan bytes) {
  std::int64_t sum = 0, count = 0;
  bool is_behind_small = false;
  for (const std::uint8_t byte : bytes) {
    const std::uint8_t letter = page.letter[byte];
    if (byte >= 0x80) {
      ++count;
      sum += letter == 0xff ? -foreign_byte : frequency[letter % 32];
      if (letter != 0xff && letter >= 32 && is_behind_small) sum -= inside_capital;
    }
    is_behind_small = letter < 32;
  }
  return count == 0 ? 0 : static_cast<int>(sum / count);
}

// A unit of UTF-16 that text in Latin or Cyrillic letters has.
bool is_unit(unsigned low, unsigned high) {
  if (high == 0) return low != 0 && !is_control(static_cast<int>(low));
  return high <= 0x05 || high == 0x20 || high == 0x21 || (high == 0xfe && low == 0xff) || high == 0x22 || high == 0x25;
}

std::size_t unit_run(ByteSpan bytes, bool is_big) {
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) {
    if (!is_unit(bytes[at + (is_big ? 1 : 0)], bytes[at + (is_big ? 0 : 1)])) break;
  }
  return at;
}

}  // namespace

Encoding encoding_of(ByteSpan bytes) {
  constexpr std::size_t enough = 4096;  // bytes
  bytes = bytes.first(std::min(bytes.size(), enough));
  constexpr std::size_t least_units = 16;  // bytes
  if (unit_run(bytes, false) >= least_units) return Encoding::utf16_little;
  if (unit_run(bytes, true) >= least_units) return Encoding::utf16_big;
  const ByteSpan text = bytes.first(text_run(bytes, false));
  if (text.empty()) return Encoding::none;
  if (std::all_of(text.begin(), text.end(), [](std::uint8_t byte) { return byte < 0x80; })) return Encoding::ascii;
  // A character may be cut by the end of what is looked at.
  if (text_run(text, true) + 4 > text.size()) return Encoding::utf8;
  const std::array<std::pair<int, Encoding>, 3> scores = {{{score(cp1251, text), Encoding::cp1251},
                                                           {score(koi8, text), Encoding::koi8_r},
                                                           {score(cp866, text), Encoding::cp866}}};
  const auto best =
      std::max_element(scores.begin(), scores.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (best->first >= worth_of_letter) return best->second;
  // Western letters are few among others.
  const auto high = std::count_if(text.begin(), text.end(), [](std::uint8_t byte) { return byte >= 0x80; });
  return high * 4 < static_cast<std::ptrdiff_t>(text.size()) ? Encoding::other : Encoding::none;
}

std::size_t text_run_in(Encoding encoding, ByteSpan bytes) {
  switch (encoding) {
    case Encoding::none:
      return 0;
    case Encoding::utf16_little:
    case Encoding::utf16_big:
      return unit_run(bytes, encoding == Encoding::utf16_big);
    case Encoding::ascii:
    case Encoding::utf8:
      return text_run(bytes, true);
    default:
      return text_run(bytes, false);
  }
}

}  // namespace exhibit::carve
