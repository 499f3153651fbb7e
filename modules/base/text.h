#pragma once
// Names and times as records need them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace exhibit::base {

// `text` is `bytes` with each byte that isn't part of valid UTF-8 replaced by U+FFFD; `exact` says that none was.
struct CleanText {
  std::string text;
  bool exact = true;
};
CleanText clean_utf8(std::string_view bytes);

// UTF-16LE to UTF-8, up to the first zero unit and without a leading byte order mark; what isn't valid becomes U+FFFD.
std::string from_utf16le(std::string_view bytes);

// RFC 3339 in UTC with `digits` fractional digits (0 to 9): seconds and nanoseconds since 1970. Years 0000 to 9999,
// nothing outside. `local`: without the Z (FAT).
std::optional<std::string> rfc3339(std::int64_t seconds, std::uint32_t nanoseconds, int digits, bool local = false);

}  // namespace exhibit::base
