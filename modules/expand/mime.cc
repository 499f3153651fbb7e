#include "expand/mime.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "expand/transfer_coding.h"

namespace exhibit::expand {
namespace {

constexpr std::size_t longest_boundary = 256;  // RFC 2046 allows 70
constexpr std::size_t most_parameters = 256;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// Charsets that need no table. Nothing: another one.
std::optional<std::string> to_utf8(std::string_view charset, const std::string& bytes) {
  const std::string name = lowered(charset);
  if (name.empty() || name == "utf-8" || name == "utf8" || name == "us-ascii") return bytes;
  if (name != "iso-8859-1" && name != "latin1") return std::nullopt;
  std::string out;
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | value >> 6);
      out += static_cast<char>(0x80 | (value & 0x3f));
    }
  }
  return out;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_code = text[i] == '%' && i + 2 < text.size();
    const int high = is_code ? hex_value(text[i + 1]) : -1, low = is_code ? hex_value(text[i + 2]) : -1;
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// "; name=value; name*0="…"": by name, in lower case.
std::map<std::string, std::string> parameters(std::string_view text) {
  std::map<std::string, std::string> found;
  std::size_t at = text.find(';');
  while (at < text.size() && found.size() < most_parameters) {
    const std::size_t equals = text.find_first_of("=;", at + 1);
    if (equals == std::string_view::npos) break;
    if (text[equals] == ';') {
      at = equals;
      continue;
    }
    const std::string name = lowered(trimmed(text.substr(at + 1, equals - at - 1)));
    std::string value;
    std::size_t next = text.find_first_not_of(" \t", equals + 1);
    if (next != std::string_view::npos && text[next] == '"') {
      for (++next; next < text.size() && text[next] != '"'; ++next) {
        if (text[next] == '\\' && next + 1 < text.size()) ++next;
        value += text[next];
      }
      at = text.find(';', next);
    } else {
      at = text.find(';', equals + 1);
      value = trimmed(text.substr(equals + 1, at == std::string_view::npos ? at : at - equals - 1));
    }
    found.emplace(name, value);
  }
  return found;
}

// RFC 2231, 3 and 4: a value in pieces, each with or without percent signs; the first says the charset.
std::string extended(const std::map<std::string, std::string>& all, const std::string& name) {
  std::string bytes, charset;
  const auto take = [&](const std::string& value, bool is_encoded, bool is_first) {
    std::string_view rest = value;
    if (is_encoded && is_first) {
      const auto quote = rest.find('\'');
      const auto second = quote == std::string_view::npos ? quote : rest.find('\'', quote + 1);
      if (second != std::string_view::npos) {
        charset = rest.substr(0, quote);
        rest = rest.substr(second + 1);
      }
    }
    bytes += is_encoded ? percent_decoded(rest) : std::string(rest);
  };
  if (const auto whole = all.find(name + "*"); whole != all.end()) {
    take(whole->second, true, true);
  } else {
    for (std::size_t i = 0; i < most_parameters; ++i) {
      const std::string piece = name + "*" + std::to_string(i);
      const auto encoded = all.find(piece + "*"), plain = all.find(piece);
      if (encoded == all.end() && plain == all.end()) break;
      take(encoded != all.end() ? encoded->second : plain->second, encoded != all.end(), i == 0);
    }
  }
  return to_utf8(charset, bytes).value_or(bytes);
}

std::string name_parameter(const std::map<std::string, std::string>& all, const std::string& name) {
  if (const std::string value = extended(all, name); !value.empty()) return value;
  const auto plain = all.find(name);
  return plain == all.end() ? std::string() : decode_words(plain->second);
}

}  // namespace

std::string decode_words(std::string_view text) {
  std::string out;
  bool was_word = false;
  while (!text.empty()) {
    const auto begin = text.find("=?");
    const auto charset_end = begin == std::string_view::npos ? begin : text.find('?', begin + 2);
    const auto coding_end = charset_end == std::string_view::npos ? charset_end : text.find('?', charset_end + 1);
    const auto end = coding_end == std::string_view::npos ? coding_end : text.find("?=", coding_end + 1);
    if (end == std::string_view::npos) break;
    const std::string_view charset = text.substr(begin + 2, charset_end - begin - 2);
    const std::string coding = lowered(text.substr(charset_end + 1, coding_end - charset_end - 1));
    std::string body(text.substr(coding_end + 1, end - coding_end - 1));
    if (coding == "q") std::replace(body.begin(), body.end(), '_', ' ');
    std::optional<std::string> plain;
    if (coding == "q" || coding == "b")
      plain = to_utf8(charset.substr(0, charset.find('*')), decode_whole(coding == "b", body));
    // Blanks between two words are none.
    if (!was_word || !plain || !trimmed(text.substr(0, begin)).empty()) out += text.substr(0, begin);
    out += plain ? *plain : std::string(text.substr(begin, end + 2 - begin));
    was_word = plain.has_value();
    text = text.substr(end + 2);
  }
  return out.append(text);
}

void PartHeaderReader::take(std::string_view field) {
  const auto colon = field.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lowered(trimmed(field.substr(0, colon)));
  const std::string_view value = trimmed(field.substr(colon + 1));
  if (name == "content-type") {
    const auto all = parameters(value);
    header_.type = lowered(trimmed(value.substr(0, value.find(';'))));
    type_name_ = name_parameter(all, "name");
    const auto boundary = all.find("boundary");
    if (boundary != all.end()) header_.boundary = boundary->second.substr(0, longest_boundary);
  } else if (name == "content-disposition") {
    disposition_name_ = name_parameter(parameters(value), "filename");
  } else if (name == "content-transfer-encoding") {
    const std::string coding = lowered(value);
    if (coding == "base64") header_.coding = PartHeader::Coding::base64;
    if (coding == "quoted-printable") header_.coding = PartHeader::Coding::quoted_printable;
  }
}

PartHeader PartHeaderReader::finish() {
  header_.name = disposition_name_.empty() ? type_name_ : disposition_name_;
  return std::move(header_);
}

}  // namespace exhibit::expand
