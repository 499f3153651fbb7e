#include "base/text.h"

#include "base/utf8.h"

namespace exhibit::base {
namespace {

struct CivilDate {
  std::int64_t year;
  unsigned month, day;
};

// Days since 1970-01-01 in the proleptic Gregorian calendar, by Howard Hinnant's "days from civil" turned round.
CivilDate civil_from_days(std::int64_t days) {
  days += 719468;  // from 0000-03-01
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted_month = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  const std::int64_t year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
  return {year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1};
}

// The last `width` decimal digits.
void append_padded(std::string& out, std::uint32_t number, std::size_t width) {
  out.resize(out.size() + width);
  for (auto digit = out.rbegin(); width > 0; --width, ++digit, number /= 10)
    *digit = static_cast<char>('0' + number % 10);
}

}  // namespace

CleanText clean_utf8(std::string_view bytes) {
  CleanText clean;
  clean.text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = utf8_sequence_length(bytes);
    if (length == 0) {
      clean.text += "\xEF\xBF\xBD";
      clean.exact = false;
      bytes.remove_prefix(1);
    } else {
      clean.text += bytes.substr(0, length);
      bytes.remove_prefix(length);
    }
  }
  return clean;
}

std::string from_utf16le(std::string_view bytes) {
  constexpr std::uint32_t replacement = 0xfffd, byte_order_mark = 0xfeff;
  const auto unit_at = [&](std::size_t i) -> std::uint32_t {
    if (i + 1 >= bytes.size()) return 0;
    return static_cast<unsigned char>(bytes[i]) | static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + 1]))
                                                      << 8;
  };
  std::string out;
  for (std::size_t i = unit_at(0) == byte_order_mark ? 2 : 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t unit = unit_at(i);
    if (unit == 0) break;
    if (unit >= 0xd800 && unit < 0xe000) {
      const std::uint32_t low = unit_at(i + 2);
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

std::optional<std::string> rfc3339(std::int64_t seconds, std::uint32_t nanoseconds, int digits, bool local) {
  constexpr std::int64_t seconds_per_day = 86400;
  if (nanoseconds > 999'999'999) return std::nullopt;
  std::int64_t days = seconds / seconds_per_day;
  std::int64_t rest = seconds % seconds_per_day;
  if (rest < 0) {
    rest += seconds_per_day;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  if (date.year < 0 || date.year > 9999) return std::nullopt;
  const auto of_day = static_cast<std::uint32_t>(rest);
  std::string out;
  out.reserve(sizeof "2024-05-01T12:00:00.123456789Z");
  append_padded(out, static_cast<std::uint32_t>(date.year), 4);
  append_padded(out += '-', date.month, 2);
  append_padded(out += '-', date.day, 2);
  append_padded(out += 'T', of_day / 3600, 2);
  append_padded(out += ':', of_day / 60 % 60, 2);
  append_padded(out += ':', of_day % 60, 2);
  if (digits > 0) {
    append_padded(out += '.', nanoseconds, 9);
    out.resize(out.size() - 9 + static_cast<std::size_t>(digits));
  }
  if (!local) out += "Z";
  return out;
}

}  // namespace exhibit::base
