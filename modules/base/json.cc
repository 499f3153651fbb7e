#include "base/json.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace exhibit::base {
namespace {

// UTF-8 to UTF-16 code units; the text is valid UTF-8.
std::u16string utf16(const std::string& text) {
  std::u16string units;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t point = length == 1 ? lead : lead & (0x7F >> length);
    for (std::size_t k = 1; k < length && i + k < text.size(); ++k) {
      point = (point << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3F);
    }
    if (point >= 0x10000) {
      units.push_back(static_cast<char16_t>(0xD7C0 + (point >> 10)));
      units.push_back(static_cast<char16_t>(0xDC00 + (point & 0x3FF)));
    } else {
      units.push_back(static_cast<char16_t>(point));
    }
    i += length;
  }
  return units;
}

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The bytes that RFC 8785 section 3.2.2.2 escapes.
constexpr auto is_escaped = [] {
  std::array<bool, 256> escaped{};
  for (std::size_t byte = 0; byte < 0x20; ++byte) escaped[byte] = true;
  escaped['"'] = escaped['\\'] = true;
  return escaped;
}();

void write_escaped(char c, std::string& out) {
  static constexpr std::string_view named = "\"\\\b\t\n\f\r", names = "\"\\btnfr";
  static constexpr char digits[] = "0123456789abcdef";
  out += '\\';
  if (const std::size_t at = named.find(c); at != std::string_view::npos) {
    out += names[at];
  } else {
    out.append("u00") += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[c & 15];
  }
}

template <typename Integer>
void write_integer(Integer value, std::string& out) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// ECMA-262, Number::toString: the shortest digits that read back as the same double, laid out its way.
void write_double(double value, std::string& out) {
  if (value == 0) {
    out += '0';
    return;
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  if (text.front() == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const auto mark = text.find('e');
  std::string digits(text.substr(0, mark));
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  int exponent = 0;
  const char* from = text.data() + mark + 1;
  if (*from == '+') ++from;
  std::from_chars(from, text.data() + text.size(), exponent);
  const int point = exponent + 1;  // the decimal point stands after this many digits
  const int count = static_cast<int>(digits.size());
  if (count <= point && point <= 21) {
    out += digits + std::string(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point)) + "." + digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  } else {
    out += digits.substr(0, 1);
    if (count > 1) out += "." + digits.substr(1);
    out += point - 1 < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(point - 1));
  }
}

void write(const Json& value, std::string& out);

void write_member(const Json::object_t::value_type& member, std::string& out) {
  if (out.back() != '{') out += ',';
  append_string(out, member.first);
  out += ':';
  write(member.second, out);
}

void write_object(const Json::object_t& members, std::string& out) {
  out += '{';
  // RFC 8785 section 3.2.3: by UTF-16 code units. The map's order, by bytes, is the same where all keys are ASCII.
  if (std::all_of(members.begin(), members.end(), [](const auto& member) { return is_ascii(member.first); })) {
    for (const auto& member : members) write_member(member, out);
  } else {
    std::vector<const Json::object_t::value_type*> sorted;
    for (const auto& member : members) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return key_comes_before(a->first, b->first); });
    for (const auto* member : sorted) write_member(*member, out);
  }
  out += '}';
}

void write(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::object:
      write_object(value.get_ref<const Json::object_t&>(), out);
      break;
    case Json::value_t::array:
      out += '[';
      for (std::size_t i = 0; i < value.size(); ++i) {
        if (i != 0) out += ',';
        write(value[i], out);
      }
      out += ']';
      break;
    case Json::value_t::string:
      append_string(out, value.get_ref<const std::string&>());
      break;
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      break;
    case Json::value_t::number_integer:
      write_integer(value.get<std::int64_t>(), out);
      break;
    case Json::value_t::number_unsigned:
      write_integer(value.get<std::uint64_t>(), out);
      break;
    case Json::value_t::number_float:
      write_double(value.get<double>(), out);
      break;
    default:
      out += "null";
      break;
  }
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

Error bad(std::string message) { return {ErrorCode::corrupt, std::move(message), {}, {}}; }

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t written = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_escaped[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, written, i - written);
    write_escaped(text[i], out);
    written = i + 1;
  }
  out.append(text, written) += '"';
}

bool key_comes_before(const std::string& a, const std::string& b) {
  return is_ascii(a) && is_ascii(b) ? a < b : utf16(a) < utf16(b);
}

std::string canonical(const Json& value) {
  constexpr std::size_t most_records = 1024;  // bytes
  std::string out;
  out.reserve(most_records);
  write(value, out);
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  const auto is_symbol = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const std::string_view symbols = text.substr(0, text.size() - padding);
  if (text.size() % 4 != 0 || !std::all_of(symbols.begin(), symbols.end(), is_symbol)) return bad("not base64");
  std::string out(text.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (length < 0) return bad("not base64");
  out.resize(static_cast<std::size_t>(length) - padding);
  if (base64_encode(out) != text) return bad("base64 with bits set in its padding");
  return out;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

Result<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return bad("hex of odd length");
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = nibble(text[i]);
    const int low = nibble(text[i + 1]);
    if (high < 0 || low < 0) return bad("not hex");
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

}  // namespace exhibit::base
