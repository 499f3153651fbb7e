#include <array>
#include <vector>

#include "base/text.h"
#include "image/codecs.h"
#include "image/formats/ewf/layout.h"

namespace exhibit::image::ewf {
namespace {

// EnCase allows some 3000 characters of notes; the bound is against a compressed bomb.
constexpr std::size_t longest_text = std::size_t{1} << 20;

std::optional<std::string> inflate_text(std::string_view compressed) {
  std::string text(longest_text, '\0');
  const auto length = Inflater().zlib(compressed, std::as_writable_bytes(std::span(text)));
  if (!length) return std::nullopt;
  text.resize(*length);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(separator, from), text.size());
    std::string_view part = text.substr(from, to - from);
    if (separator == '\n' && part.ends_with('\r')) part.remove_suffix(1);
    parts.push_back(part);
    from = to + 1;
  }
  return parts;
}

// The names are libewf's.
std::string key_of(std::string_view identifier) {
  static constexpr std::array<std::array<std::string_view, 2>, 16> names = {{
      {"a", "description"},
      {"av", "acquiry_software_version"},
      {"c", "case_number"},
      {"dc", "unknown_dc"},
      {"e", "examiner_name"},
      {"ext", "extents"},
      {"l", "device_label"},
      {"m", "acquiry_date"},
      {"md", "model"},
      {"n", "evidence_number"},
      {"ov", "acquiry_operating_system"},
      {"p", "password"},
      {"pid", "process_identifier"},
      {"r", "compression_level"},
      {"sn", "serial_number"},
      {"t", "notes"},
  }};
  for (const auto& [short_name, long_name] : names)
    if (short_name == identifier) return std::string(long_name);
  return identifier == "u" ? "system_date" : "header_" + base::clean_utf8(identifier).text;
}

}  // namespace

bool add_header_values(std::string_view compressed, bool utf16, std::map<std::string, std::string>& acquisition) {
  const auto raw = inflate_text(compressed);
  if (!raw) return false;
  const std::string text = utf16 ? base::from_utf16le(*raw) : *raw;
  // Line 1: how many categories; 2: `main`; 3: identifiers; 4: values.
  const auto lines = split(text, '\n');
  if (lines.size() < 4 || lines[1] != "main") return false;
  const auto identifiers = split(lines[2], '\t');
  const auto values = split(lines[3], '\t');
  for (std::size_t i = 0; i < identifiers.size() && i < values.size(); ++i) {
    const bool no_password = identifiers[i] == "p" && values[i] == "0";
    if (identifiers[i].empty() || values[i].empty() || no_password) continue;
    std::string value = base::clean_utf8(values[i]).text;
    std::erase(value, '\0');
    acquisition.emplace(key_of(identifiers[i]), std::move(value));
  }
  return true;
}

}  // namespace exhibit::image::ewf
