#include "image/formats/vmdk/descriptor.h"

#include <algorithm>
#include <charconv>

#include "base/checked.h"

namespace exhibit::image::vmdk {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return out;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

// The next word, or quoted text; `rest` goes on behind it.
std::string_view next_word(std::string_view& rest) {
  rest = trimmed(rest);
  std::size_t end = 0;
  if (rest.starts_with('"')) {
    end = rest.find('"', 1);
    end = end == std::string_view::npos ? rest.size() : end + 1;
  } else {
    end = std::min(rest.find_first_of(" \t"), rest.size());
  }
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

bool is_access(std::string_view word) { return word == "RW" || word == "RDONLY" || word == "NOACCESS"; }

// ACCESS SECTORS TYPE ["FILE" [FIRST-SECTOR]]
std::optional<Extent> extent_of(std::string_view line) {
  constexpr std::uint64_t most_sectors = std::uint64_t{1} << 53;
  next_word(line);
  Extent extent;
  const auto sectors = number(next_word(line));
  if (!sectors || *sectors == 0 || *sectors > most_sectors) return std::nullopt;
  extent.sectors = *sectors;
  extent.type = next_word(line);
  extent.file = unquoted(next_word(line));
  const auto first = number(next_word(line));
  extent.first_sector = std::min(first.value_or(0), most_sectors);
  return extent;
}

}  // namespace

bool is_descriptor(std::string_view text) {
  return lower(text.substr(0, 64)).find("# disk descriptorfile") != std::string::npos;
}

Result<Descriptor> read_descriptor(const ContainerFile& file, std::string_view text) {
  if (!is_descriptor(text)) return file.corrupt(0, "the VMDK descriptor doesn't begin as one");
  text = text.substr(0, text.find('\0'));
  Descriptor descriptor;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    std::string_view rest = line;
    if (is_access(next_word(rest))) {
      auto extent = extent_of(line);
      if (!extent) return file.corrupt(0, "the VMDK descriptor has an extent that makes no sense");
      descriptor.extents.push_back(std::move(*extent));
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string key = lower(trimmed(line.substr(0, equals)));
    const std::string_view value = unquoted(trimmed(line.substr(equals + 1)));
    if (key == "createtype") descriptor.create_type = value;
    if (key == "cid") descriptor.cid = lower(value);
    if (key == "parentcid") descriptor.parent_cid = lower(value);
    if (key == "parentfilenamehint") descriptor.parent_file = value;
  }
  return descriptor;
}

}  // namespace exhibit::image::vmdk
