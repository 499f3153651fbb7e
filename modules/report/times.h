#pragma once
// The times of records (findings.md) for formats that want them otherwise.

#include <cstdint>
#include <optional>
#include <string_view>

namespace exhibit::report {

// Seconds since 1970 of an RFC 3339 time as findings hold them, the fraction cut off; one without a zone counts as UTC.
// Nothing where the text isn't such a time.
std::optional<std::int64_t> epoch_seconds(std::string_view time);

// Whether it is an xs:dateTime of XML Schema 1.0: as above, and not of the year 0000, which has none.
bool is_xml_time(std::string_view time);

}  // namespace exhibit::report
