#include "verify/compare.h"

namespace exhibit::verify {

void compare_digests(const std::string& name, const std::string& whose, const Digests& claimed, const Digests& computed,
                     manifest::CheckList& list) {
  for (const auto& [algorithm, digest] : claimed) {
    const auto at = computed.find(algorithm);
    if (at == computed.end()) {
      list.not_checked(name, "no implementation of " + algorithm);
      continue;
    }
    const std::string& actual = at->second;
    std::string found = algorithm;
    found.append(" of ").append(whose).append(" is ").append(actual);
    if (actual == digest) {
      list.ok(name, std::move(found));
    } else {
      list.failed(name, found.append(", the manifest says ").append(digest));
    }
  }
}

}  // namespace exhibit::verify
