#include "hash/subtrees.h"

#include <algorithm>
#include <bit>

#include "base/checked.h"

namespace exhibit::hash {
namespace {

// Where a node that spans more than one leaf is split: at the largest power of two below their number.
std::uint64_t middle(const LeafRange& node) { return node.begin + std::bit_floor(node.end - node.begin - 1); }

bool meets(const LeafRange& a, const LeafRange& b) { return a.begin < b.end && b.begin < a.end; }
bool is_leaf(const LeafRange& node) { return node.end - node.begin == 1; }

void append_path(const LeafRange& node, std::uint64_t index, std::vector<LeafRange>& path) {
  if (is_leaf(node)) return;
  const LeafRange left = {node.begin, middle(node)}, right = {middle(node), node.end};
  append_path(index < left.end ? left : right, index, path);
  path.push_back(index < left.end ? right : left);
}

void append_outside(const LeafRange& node, const LeafRange& inside, std::vector<LeafRange>& found) {
  if (!meets(node, inside)) {
    found.push_back(node);
  } else if (node.begin < inside.begin || node.end > inside.end) {
    append_outside({node.begin, middle(node)}, inside, found);
    append_outside({middle(node), node.end}, inside, found);
  }
}

// A node is complete when its last leaf came, and then from the leaf up.
bool completes_before(const LeafRange& a, const LeafRange& b) {
  return a.end != b.end ? a.end < b.end : a.begin > b.begin;
}

// One walk down a tree, taking the leaves inside a range and the roots outside of it as it meets them.
struct RangeWalk {
  const TreeHasher& hasher;
  LeafRange inside;
  const std::vector<std::string>& leaf_hashes;
  const std::vector<std::string>& roots_outside;
  std::size_t used = 0;  // of roots_outside

  Result<std::string> root_of(const LeafRange& node) {
    if (!meets(node, inside)) {
      if (used == roots_outside.size()) return Error{ErrorCode::corrupt, "range proof: a hash is missing", {}, {}};
      return roots_outside[used++];
    }
    if (is_leaf(node)) return leaf_hashes[static_cast<std::size_t>(node.begin - inside.begin)];
    const std::string left = EXHIBIT_TRY(root_of({node.begin, middle(node)}));
    return hasher.node(left, EXHIBIT_TRY(root_of({middle(node), node.end})));
  }
};

}  // namespace

std::vector<LeafRange> audit_path(std::uint64_t index, std::uint64_t size) {
  EXHIBIT_CHECK(index < size);
  std::vector<LeafRange> path;
  append_path({0, size}, index, path);
  return path;
}

std::vector<LeafRange> outside(const LeafRange& inside, std::uint64_t size) {
  EXHIBIT_CHECK(inside.begin < inside.end && inside.end <= size);
  std::vector<LeafRange> found;
  append_outside({0, size}, inside, found);
  return found;
}

Subtrees::Subtrees(TreeHasher hasher, std::uint64_t size, std::vector<LeafRange> wanted)
    : hasher_(std::move(hasher)), expected_(size), wanted_(std::move(wanted)) {
  std::sort(wanted_.begin(), wanted_.end(), completes_before);
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
}

void Subtrees::offer(const LeafRange& node, const std::string& root) {
  if (roots_.size() < wanted_.size() && wanted_[roots_.size()] == node) roots_.push_back(root);
}

void Subtrees::append(std::string leaf_hash) {
  EXHIBIT_CHECK(leaf_hash.size() == hasher_.digest_bytes());
  Peak peak = {size_, std::move(leaf_hash)};
  offer({peak.begin, size_ + 1}, peak.root);
  // As in Tree::append: each carry joins two full subtrees of one height.
  for (std::uint64_t carry = size_; carry & 1; carry >>= 1) {
    peak = {peaks_.back().begin, hasher_.node(peaks_.back().root, peak.root)};
    peaks_.pop_back();
    offer({peak.begin, size_ + 1}, peak.root);
  }
  peaks_.push_back(std::move(peak));
  ++size_;
}

Result<std::string> Subtrees::finish() {
  if (size_ != expected_) {
    return Error{ErrorCode::corrupt,
                 "a tree of " + std::to_string(size_) + " leaves, not of " + std::to_string(expected_),
                 {},
                 {}};
  }
  if (peaks_.empty()) return hasher_.empty();
  // The nodes along the right edge that aren't full.
  std::string root = peaks_.back().root;
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) {
    root = hasher_.node(peaks_[i].root, root);
    offer({peaks_[i].begin, size_}, root);
  }
  EXHIBIT_CHECK(roots_.size() == wanted_.size());
  return root;
}

const std::string& Subtrees::root_of(const LeafRange& wanted) const {
  const auto at = std::lower_bound(wanted_.begin(), wanted_.end(), wanted, completes_before);
  EXHIBIT_CHECK(at != wanted_.end() && *at == wanted);
  return roots_.at(static_cast<std::size_t>(at - wanted_.begin()));
}

std::vector<std::string> Subtrees::roots_of(const std::vector<LeafRange>& wanted) const {
  std::vector<std::string> roots;
  for (const LeafRange& node : wanted) roots.push_back(root_of(node));
  return roots;
}

Result<std::string> root_from_range(const TreeHasher& hasher, std::uint64_t first,
                                    const std::vector<std::string>& leaf_hashes, std::uint64_t size,
                                    const std::vector<std::string>& roots_outside) {
  const auto refusal = [](const std::string& why) { return Error{ErrorCode::corrupt, "range proof: " + why, {}, {}}; };
  const auto is_digest = [&](const std::string& hash) { return hash.size() == hasher.digest_bytes(); };
  if (leaf_hashes.empty()) return refusal("there are no leaves");
  if (!base::within(first, leaf_hashes.size(), size))
    return refusal("the leaves don't fit into a tree of " + std::to_string(size));
  if (!std::all_of(leaf_hashes.begin(), leaf_hashes.end(), is_digest) ||
      !std::all_of(roots_outside.begin(), roots_outside.end(), is_digest))
    return refusal("it holds what isn't a digest of the tree's algorithm");
  RangeWalk walk = {hasher, {first, first + leaf_hashes.size()}, leaf_hashes, roots_outside};
  std::string root = EXHIBIT_TRY(walk.root_of({0, size}));
  if (walk.used != roots_outside.size()) return refusal("a hash is left over");
  return root;
}

}  // namespace exhibit::hash
