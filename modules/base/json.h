#pragma once
// JSON as records need it: a strict reader for lines from untrusted processes, and RFC 8785 (JCS) canonical form.

#include <exhibit/result.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace exhibit::base {

using Json = nlohmann::json;

// Bounds on one line, against a hostile writer.
struct JsonLimits {
  std::size_t bytes = std::size_t{64} << 20;
  std::size_t depth = 32;
  std::size_t values = std::size_t{4} << 20;
};

// Parses exactly one JSON value. Refuses duplicate keys, invalid UTF-8, lone surrogates, trailing bytes,
// numbers that no IEEE double holds exactly as integers (beyond 2^53) and whatever passes the limits.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

// RFC 8785: keys sorted by UTF-16 code units, shortest numbers (ECMAScript), minimal escapes, no white space.
// The value must hold valid UTF-8 and finite numbers, as whatever parse_json returns does.
std::string canonical(const Json& value);

// The same of one string, at the end of `out`.
void append_string(std::string& out, std::string_view text);

// Its order of keys; they are valid UTF-8.
bool key_comes_before(const std::string& a, const std::string& b);

// Base64 with padding (RFC 4648 section 4). decode refuses anything else.
std::string base64_encode(std::string_view bytes);
Result<std::string> base64_decode(std::string_view text);

// Lower-case hex, as all our formats have it: one value has one form. from_hex refuses upper case.
std::string to_hex(std::string_view bytes);
Result<std::string> from_hex(std::string_view text);

}  // namespace exhibit::base
