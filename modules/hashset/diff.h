#pragma once
// What one version of a set has that another hasn't.

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "hashset/index.h"

namespace exhibit::hashset {

struct Change {
  enum class Kind : std::uint8_t { added, removed, category };
  Kind kind = Kind::added;
  Algorithm algorithm = Algorithm::md5;
  std::string digest;                   // lower-case hex
  std::set<std::string> before, after;  // its categories, in which sources ever
};
const char* name_of(Change::Kind kind);

// In order of algorithm and digest; reads both once.
void diff(const Index& before, const Index& after, const std::function<void(const Change&)>& call);

}  // namespace exhibit::hashset
