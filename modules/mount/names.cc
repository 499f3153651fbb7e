#include "mount/names.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace exhibit::mount {
namespace {

// FNV-1a, 64 bits: names that are cut at the same place stay apart.
std::uint64_t digest(std::string_view text) {
  constexpr std::uint64_t basis = 0xcbf29ce484222325, prime = 0x100000001b3;
  std::uint64_t value = basis;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * prime;
  return value;
}

bool is_continuation(char c) { return (c & 0xC0) == 0x80; }  // of a UTF-8 sequence

std::string cut(const std::string& name, std::size_t longest) {
  char end[1 + 16 + 1];
  std::snprintf(end, sizeof end, "~%016llx", static_cast<unsigned long long>(digest(name)));
  std::size_t length = longest - (sizeof end - 1);
  while (length > 0 && is_continuation(name[length])) --length;
  return name.substr(0, length) + end;
}

std::vector<std::string_view> components(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0 && path.substr(0, end) != ".") parts.push_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

// Whether all its ".." come first, and lead no higher than the root.
bool stays_inside(std::string_view target, std::size_t depth) {
  std::size_t up = 0;
  bool named = false;
  for (const std::string_view part : components(target)) {
    if (part != "..") {
      named = true;
    } else if (named || ++up > depth) {
      return false;
    }
  }
  return !target.starts_with('/');
}

}  // namespace

std::string safe_name(std::string_view bytes, std::size_t longest) {
  if (bytes.empty()) return "%";
  if (bytes == ".") return "%2E";
  if (bytes == "..") return "%2E%2E";
  std::string name;
  for (const char c : bytes) {
    if (c == '\0') {
      name += "%00";
    } else if (c == '/') {
      name += "%2F";
    } else {
      name += c;
    }
  }
  return name.size() <= longest ? name : cut(name, longest);
}

std::optional<std::string> safe_target(std::string_view target, std::size_t depth) {
  if (target.empty() || target.find('\0') != std::string_view::npos) return std::nullopt;
  std::string safe(target);
  if (!stays_inside(target, depth)) {
    std::size_t up = target.starts_with('/') ? depth : 0;
    std::vector<std::string_view> down;
    for (const std::string_view part : components(target)) {
      if (part != "..") {
        down.push_back(part);
      } else if (!down.empty()) {
        down.pop_back();
      } else if (up < depth) {
        ++up;
      }
    }
    safe.clear();
    for (; up > 0; --up) safe += "../";
    for (const std::string_view part : down) safe.append(part) += '/';
    if (safe.empty()) return ".";
    safe.pop_back();
  }
  if (safe.size() > longest_target) return std::nullopt;
  return safe;
}

}  // namespace exhibit::mount
