#pragma once
// A rule pack: a folder of YARA rules with a pack.json that says what it is (docs/rules.md). Its rules are told by the
// pack's name, which is the folder's.

#include <filesystem>
#include <string>

namespace exhibit::base {

inline constexpr const char* pack_file = "pack.json";

// What stands before a rule file's name where it lies below `folder`: "NAME/" where that is a pack, else nothing.
inline std::string rule_name_prefix(const std::filesystem::path& folder) {
  std::error_code ignored;
  const std::filesystem::path whole = std::filesystem::canonical(folder, ignored);
  return std::filesystem::is_regular_file(whole / pack_file, ignored) ? whole.filename().string() + "/" : std::string();
}

}  // namespace exhibit::base
