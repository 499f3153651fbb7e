#pragma once
// What a volume's id says of where it lies (findings.md): E1/p2 is on the medium, E1/p2/luks/lv-root within it.

#include <string_view>

namespace exhibit::base {

// The id of the volume on the medium itself in which the volume or item `id` lies, or which it is.
inline std::string_view medium_volume(std::string_view id) {
  const std::size_t first = id.find('/');
  return first == std::string_view::npos ? id : id.substr(0, id.find('/', first + 1));
}

// Whether the volume is one that another volume holds: its bytes are none of the medium's.
inline bool is_nested(std::string_view volume_id) { return medium_volume(volume_id) != volume_id; }

}  // namespace exhibit::base
