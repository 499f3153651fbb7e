#include "report/escape.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/utf8.h"

namespace exhibit::report {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// One character at the front of `text`, which isn't empty. Length 1 and not valid where the byte isn't UTF-8.
struct Character {
  std::string_view bytes;
  std::uint32_t point = 0;
  bool valid = false;
};

Character character_at(std::string_view text) {
  const std::size_t length = base::utf8_sequence_length(text);
  if (length == 0) return {text.substr(0, 1), 0, false};
  static constexpr std::array<unsigned, 5> lead_bits = {0, 0x7f, 0x1f, 0x0f, 0x07};
  std::uint32_t point = static_cast<unsigned char>(text[0]) & lead_bits[length];
  for (std::size_t i = 1; i < length; ++i) point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  return {text.substr(0, length), point, true};
}

// Unicode 15: control and format characters, those that divide lines or set direction, and tags.
bool is_hidden(std::uint32_t point) {
  static constexpr std::pair<std::uint32_t, std::uint32_t> ranges[] = {
      {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},  {0x200b, 0x200f},
      {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}};
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const auto& range) { return point >= range.first && point <= range.second; });
}

void append_code(std::string& out, std::uint32_t point) {
  char code[16];
  std::snprintf(code, sizeof code, "\\u{%X}", static_cast<unsigned>(point));
  out += code;
}

// XML 1.0, section 2.2.
bool is_xml(std::uint32_t point) {
  return point == 0x9 || point == 0xa || point == 0xd || (point >= 0x20 && point != 0xfffe && point != 0xffff);
}

const char* entity(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return nullptr;
  }
}

// What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), their full-width forms included.
bool begins_a_formula(std::string_view text) {
  static constexpr std::string_view marks[] = {
      "=", "+", "-", "@", "\xEF\xBC\x9D", "\xEF\xBC\x8B", "\xEF\xBC\x8D", "\xEF\xBC\xA0"};
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return std::any_of(std::begin(marks), std::end(marks),
                     [&](std::string_view mark) { return text.substr(begin).starts_with(mark); });
}

}  // namespace

std::string visible(std::string_view text, bool keep_bytes) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const Character next = character_at(text);
    if (!next.valid) {
      shown += keep_bytes ? next.bytes : replacement;
    } else if (is_hidden(next.point) || text.starts_with("\\u{")) {
      append_code(shown, next.point);
    } else {
      shown += next.bytes;
    }
    text.remove_prefix(next.bytes.size());
  }
  return shown;
}

bool append_xml(std::string& out, std::string_view text) {
  bool exact = true;
  while (!text.empty()) {
    const Character next = character_at(text);
    if (!next.valid || !is_xml(next.point)) {
      out += replacement;
      exact = false;
    } else if (const char* known = next.bytes.size() == 1 ? entity(next.bytes[0]) : nullptr) {
      out += known;
    } else if (next.point < 0x20 || next.point == 0x7f) {  // in an attribute a parser would make a space of most
      out += "&#" + std::to_string(next.point) + ";";
    } else {
      out += next.bytes;
    }
    text.remove_prefix(next.bytes.size());
  }
  return exact;
}

void append_html(std::string& out, std::string_view text) {
  for (const char c : visible(text)) {
    if (const char* known = entity(c)) {
      out += known;
    } else {
      out += c;
    }
  }
}

void append_csv(std::string& out, std::string_view text) {
  const std::string shown = visible(text);
  out += '"';
  if (begins_a_formula(shown)) out += '\'';
  for (const char c : shown) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace exhibit::report
