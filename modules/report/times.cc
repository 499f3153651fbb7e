#include "report/times.h"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace exhibit::report {
namespace {

constexpr std::string_view pattern = "0000-00-00T00:00:00";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int number(std::string_view digits) {
  int value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

// What may follow the seconds: nothing, a fraction, Z.
bool ends_well(std::string_view rest) {
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    const auto digits = static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin());
    if (digits == 0) return false;
    rest.remove_prefix(digits);
  }
  return rest.empty() || rest == "Z";
}

}  // namespace

std::optional<std::int64_t> epoch_seconds(std::string_view time) {
  if (time.size() < pattern.size() || !ends_well(time.substr(pattern.size()))) return std::nullopt;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '0' ? !is_digit(time[i]) : time[i] != pattern[i]) return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(number(time.substr(0, 4))),
                                         std::chrono::month(static_cast<unsigned>(number(time.substr(5, 2)))),
                                         std::chrono::day(static_cast<unsigned>(number(time.substr(8, 2))))};
  const int hours = number(time.substr(11, 2)), minutes = number(time.substr(14, 2)),
            seconds = number(time.substr(17, 2));
  if (!date.ok() || hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  const std::chrono::seconds since = std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hours) +
                                     std::chrono::minutes(minutes) + std::chrono::seconds(seconds);
  return since.count();
}

bool is_xml_time(std::string_view time) { return epoch_seconds(time).has_value() && !time.starts_with("0000"); }

}  // namespace exhibit::report
