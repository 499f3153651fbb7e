#pragma once
// Local times as protocols have them: to the minute, with the offset from UTC, and the IANA zone beside it.

#include <exhibit/result.h>

#include <cstdint>
#include <string>

namespace exhibit::cmd {

// Seconds since 1970 of "2026-01-15T10:05+03:00". Error for any other form and for a date that there isn't.
Result<std::int64_t> utc_seconds(const std::string& local_time);

// The local time of an instant in an IANA zone. Error for a zone that this machine doesn't know.
Result<std::string> local_time_of(std::int64_t utc_seconds, const std::string& zone);

// That the offset is the one that the zone has then.
Result<void> check_local_time(const std::string& local_time, const std::string& zone);

// The same of an RFC 3339 time in UTC.
Result<std::string> local_time_of(const std::string& utc, const std::string& zone);

// This machine's zone: TZ, else what /etc/localtime leads to, else UTC.
std::string host_zone();

}  // namespace exhibit::cmd
