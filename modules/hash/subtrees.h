#pragma once
// Parts of a tree that proofs are made of, found while its leaves stream by; and the proof of a whole range of leaves
// (docs/disclosure.md). Digests are raw bytes.

#include <exhibit/result.h>

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "hash/merkle.h"

namespace exhibit::hash {

// The leaves [begin, end) of a tree. One that a node of the tree spans stands for that node.
struct LeafRange {
  std::uint64_t begin = 0, end = 0;
  auto operator<=>(const LeafRange&) const = default;  // NOLINT(modernize-use-nullptr)
};

// The nodes whose roots are the audit path of a leaf (RFC 9162 section 2.1.3), from the leaf's sibling up.
// `index` < `size`.
std::vector<LeafRange> audit_path(std::uint64_t index, std::uint64_t size);

// The largest nodes outside `inside`, from left to right: their roots, with the leaves inside, give the tree's root.
// `inside` isn't empty and ends within `size`.
std::vector<LeafRange> outside(const LeafRange& inside, std::uint64_t size);

// The roots of chosen nodes of a tree of known size, in one pass over its leaves; keeps one digest for each bit of the
// size, and the chosen ones.
class Subtrees {
 public:
  // `wanted`: nodes of the tree of `size` leaves, in any order, as often as one likes.
  Subtrees(TreeHasher hasher, std::uint64_t size, std::vector<LeafRange> wanted);

  // What TreeHasher::leaf gave.
  void append(std::string leaf_hash);
  std::uint64_t size() const { return size_; }
  const TreeHasher& hasher() const { return hasher_; }

  // The root, after the last leaf. Error (corrupt) where there were more leaves or fewer than was said.
  Result<std::string> finish();

  // After finish.
  const std::string& root_of(const LeafRange& wanted) const;
  std::vector<std::string> roots_of(const std::vector<LeafRange>& wanted) const;

 private:
  struct Peak {
    std::uint64_t begin;
    std::string root;
  };
  void offer(const LeafRange& node, const std::string& root);

  TreeHasher hasher_;
  std::uint64_t expected_, size_ = 0;
  std::vector<LeafRange> wanted_;   // in the order in which they become complete
  std::vector<std::string> roots_;  // of the first of wanted_
  std::vector<Peak> peaks_;         // full subtrees, the largest first: one for each bit set in size_
};

// The root to which the leaves from `first` on lead with the roots of the nodes outside (in the order of outside()), in
// a tree of `size` leaves. It proves nothing until it equals a root that is trusted, and the size a size that is.
// Error (corrupt) where there are no leaves, where they don't fit, or where a root is missing, left over or no digest.
Result<std::string> root_from_range(const TreeHasher& hasher, std::uint64_t first,
                                    const std::vector<std::string>& leaf_hashes, std::uint64_t size,
                                    const std::vector<std::string>& roots_outside);

}  // namespace exhibit::hash
