#pragma once
// JSON (RFC 8259) in content: whether a whole value lies there, and which names its outermost object has.

#include <optional>
#include <string>
#include <vector>

#include "carve/content.h"

namespace exhibit::carve {

struct JsonText {
  bool is_whole = false;
  std::uint64_t end = 0;             // behind it, or where it breaks
  std::uint64_t names = 0;           // of members, at any depth
  std::vector<std::string> members;  // names in the outermost object: the first ones
  bool has(std::string_view name) const;
};

// The object or array that begins at `begin`.
JsonText scan_json(const Content& content, std::uint64_t begin);

}  // namespace exhibit::carve
