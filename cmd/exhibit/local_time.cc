#include "exhibit/local_time.h"

#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <regex>

namespace exhibit::cmd {
namespace fs = std::filesystem;
namespace {

constexpr const char* zone_folder = "/usr/share/zoneinfo/";

Error unfit(std::string what) { return {ErrorCode::invalid_argument, std::move(what), {}, {}}; }

bool is_known(const std::string& zone) {
  static const std::regex form("[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*");
  return std::regex_match(zone, form) && fs::is_regular_file(zone_folder + zone);
}

// The C library tells offsets only of the process's own zone.
class ZoneInForce {
 public:
  explicit ZoneInForce(const std::string& zone) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    setenv("TZ", (":" + zone).c_str(), 1);
    tzset();
  }
  ~ZoneInForce() {
    before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
    tzset();
  }
  ZoneInForce(const ZoneInForce&) = delete;
  ZoneInForce& operator=(const ZoneInForce&) = delete;

 private:
  std::optional<std::string> before_;
};

}  // namespace

Result<std::int64_t> utc_seconds(const std::string& local_time) {
  static const std::regex form(R"((\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)([+-])(\d\d):(\d\d))");
  std::smatch found;
  if (!std::regex_match(local_time, found, form))
    return unfit("a local time is written 2026-01-15T10:05+03:00: " + local_time);
  const auto number = [&](std::size_t group) { return std::stoi(found[group].str()); };
  constexpr int first_year = 1900;
  tm fields{};
  fields.tm_year = number(1) - first_year;
  fields.tm_mon = number(2) - 1;
  fields.tm_mday = number(3);
  fields.tm_hour = number(4);
  fields.tm_min = number(5);
  const tm told = fields;
  const std::int64_t as_utc = timegm(&fields);  // makes 31 February 3 March
  const bool exists = fields.tm_mon == told.tm_mon && fields.tm_mday == told.tm_mday &&
                      fields.tm_hour == told.tm_hour && fields.tm_min == told.tm_min;
  constexpr int widest_offset = 14 * 60, minutes = 60;
  const int offset = number(7) * minutes + number(8);
  if (!exists || number(8) >= minutes || offset > widest_offset) return unfit("there is no such time: " + local_time);
  return as_utc - (found[6] == "-" ? -1 : 1) * offset * 60;
}

Result<std::string> local_time_of(std::int64_t utc_seconds, const std::string& zone) {
  if (!is_known(zone)) {
    return unfit("this machine knows no time zone '" + zone + "'; they are named like Europe/Minsk (package tzdata)");
  }
  const ZoneInForce in_force(zone);
  const auto instant = static_cast<time_t>(utc_seconds);
  tm local{};
  if (localtime_r(&instant, &local) == nullptr) return unfit("a time out of range");
  const long offset = local.tm_gmtoff / 60;
  char text[64];
  constexpr int first_year = 1900;
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d%c%02ld:%02ld", local.tm_year + first_year,
                local.tm_mon + 1, local.tm_mday, local.tm_hour, local.tm_min, offset < 0 ? '-' : '+',
                std::labs(offset) / 60, std::labs(offset) % 60);
  return std::string(text);
}

Result<std::string> local_time_of(const std::string& utc, const std::string& zone) {
  constexpr std::size_t to_the_minute = std::string_view("2026-01-15T08:00").size();
  return local_time_of(EXHIBIT_TRY(utc_seconds(utc.substr(0, to_the_minute) + "+00:00")), zone);
}

Result<void> check_local_time(const std::string& local_time, const std::string& zone) {
  const std::string expected = EXHIBIT_TRY(local_time_of(EXHIBIT_TRY(utc_seconds(local_time)), zone));
  if (expected == local_time) return {};
  return unfit(local_time + " isn't a time in " + zone + ": at that instant it is " + expected + " there");
}

std::string host_zone() {
  if (const char* told = std::getenv("TZ")) {
    std::string zone = told;
    if (zone.starts_with(":")) zone.erase(0, 1);
    if (is_known(zone)) return zone;
  }
  std::error_code error;
  const std::string target = fs::canonical("/etc/localtime", error).string();
  if (!error && target.starts_with(zone_folder)) {
    const std::string zone = target.substr(std::string(zone_folder).size());
    if (is_known(zone)) return zone;
  }
  return "UTC";
}

}  // namespace exhibit::cmd
