#pragma once
// The vocabulary of the trees of manifest.md (RFC 9162 section 2.1). Computed by hash/merkle.h.

#include <cstdint>
#include <string>
#include <vector>

namespace exhibit {

// That a leaf is in a tree (RFC 9162 section 2.1.3).
struct InclusionProof {
  std::uint64_t index = 0;        // of the leaf, from 0
  std::uint64_t size = 0;         // of the tree, in leaves
  std::vector<std::string> path;  // raw digests of the neighbours, from the leaf's sibling up
  bool operator==(const InclusionProof&) const = default;
};

}  // namespace exhibit
