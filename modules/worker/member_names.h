#pragma once
// What a container's members are called in records.

#include <functional>
#include <string>
#include <unordered_map>

#include "base/text.h"
#include "expand/reader.h"

namespace exhibit::worker {

struct MemberName {
  std::string raw;  // as the container has it; cut where it is longer than any path may be
  base::CleanText clean;
  std::string unique;  // of all members of the container: what the id ends with
  bool is_cut = false;
};

// Of one container's members, in its order: names need not be unique, ids must be.
class MemberNames {
 public:
  MemberName take(const expand::Entry& entry) {
    MemberName name;
    name.raw = entry.path;
    name.is_cut = name.raw.size() > longest;
    if (name.is_cut) name.raw.resize(longest);
    if (entry.kind == ItemKind::directory && name.raw.size() > 1 && name.raw.ends_with('/')) name.raw.pop_back();
    if (name.raw.empty()) name.raw = "unnamed";
    name.clean = base::clean_utf8(name.raw);
    name.unique = unique(name.clean.text);
    return name;
  }

 private:
  static constexpr std::size_t longest = std::size_t{32} << 10;  // bytes

  std::string unique(const std::string& name) {
    const std::hash<std::string> hash;
    std::string candidate = name;
    while (!given_.try_emplace(hash(candidate), 1).second)
      candidate = name + "#" + std::to_string(++given_[hash(name)]);
    return candidate;
  }

  std::unordered_map<std::size_t, std::uint64_t> given_;  // how often a name was given, by its hash
};

}  // namespace exhibit::worker
