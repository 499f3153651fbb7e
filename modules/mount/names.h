#pragma once
// Names and link targets of evidence, made such that a kernel takes them and nothing leads out of the mount.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace exhibit::mount {

// The longest name that a mount shows (NAME_MAX, limits.h), and the longest link target (PATH_MAX less its end).
inline constexpr std::size_t longest_name = 255, longest_target = 4095;

// `bytes` as a name of a folder's entry: NUL and '/' become %00 and %2F, the names "." and ".." become %2E and %2E%2E,
// no name at all becomes %. One that is longer than `longest` is cut, and ends in '~' and a digest of the whole.
std::string safe_name(std::string_view bytes, std::size_t longest = longest_name);

// The target of a symbolic link that lies `depth` folders below the root that it may not leave: as it stands where it
// can't leave it, else the way to the same place, told by folders: an absolute target begins at that root, ".." above
// it stays there, and a folder with ".." behind it is left out. nullopt: no kernel takes it (empty or too long).
std::optional<std::string> safe_target(std::string_view target, std::size_t depth);

}  // namespace exhibit::mount
