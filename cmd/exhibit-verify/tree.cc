#include "tree.h"

#include <bit>

#include "base.h"

namespace exhibit_verify {

Bytes leaf_hash(View algorithm, View salt, View line) {
  const auto digest = make_digest(algorithm);
  digest->update(View("\0", 1));
  digest->update(salt);
  digest->update(line);
  return digest->finish();
}

Bytes node_hash(View algorithm, View left, View right) {
  const auto digest = make_digest(algorithm);
  digest->update("\1");
  digest->update(left);
  digest->update(right);
  return digest->finish();
}

Bytes salt_of(View key, std::uint64_t index) { return hmac_sha256(key, "exhibit-salt" + big_endian(index, 8)); }

void Tree::add(Bytes leaf) {
  complete_.push_back(std::move(leaf));
  // As in a counter: each trailing one bit is a subtree as large as the one that has just become complete.
  for (std::uint64_t carry = leaves_; (carry & 1) != 0; carry >>= 1) {
    const Bytes right = std::move(complete_.back());
    complete_.pop_back();
    complete_.back() = node_hash(algorithm_, complete_.back(), right);
  }
  ++leaves_;
}

Bytes Tree::root() const {
  if (complete_.empty()) return digest_of(algorithm_, "");
  Bytes root = complete_.back();
  for (std::size_t i = complete_.size() - 1; i-- > 0;) root = node_hash(algorithm_, complete_[i], root);
  return root;
}

Bytes root_of_path(View algorithm, Bytes leaf, std::uint64_t index, std::uint64_t size,
                   const std::vector<Bytes>& path) {
  if (index >= size) throw Refused{"an index beyond the tree"};
  std::uint64_t at = index, last = size - 1;
  Bytes root = std::move(leaf);
  for (const Bytes& sibling : path) {
    if (last == 0) throw Refused{"an audit path that is too long"};
    if ((at & 1) != 0 || at == last) {
      root = node_hash(algorithm, sibling, root);
      while ((at & 1) == 0 && at != 0) at >>= 1, last >>= 1;
    } else {
      root = node_hash(algorithm, root, sibling);
    }
    at >>= 1;
    last >>= 1;
  }
  if (last != 0) throw Refused{"an audit path that is too short"};
  return root;
}

namespace {

struct Range {
  View algorithm;
  std::uint64_t first;
  const std::vector<Bytes>& leaves;
  const std::vector<Bytes>& outside;
  std::size_t used = 0;  // of `outside`

  // The root over the leaves from low to high - 1. Each step halves the span, so it goes at most 64 deep.
  Bytes root(std::uint64_t low, std::uint64_t high) {
    if (high <= first || low >= first + leaves.size()) {
      if (used == outside.size()) throw Refused{"a range proof with too few hashes"};
      return outside[used++];
    }
    if (high - low == 1) return leaves[low - first];
    const std::uint64_t middle = low + std::bit_floor(high - low - 1);  // the largest power of two below the span
    const Bytes left = root(low, middle);
    return node_hash(algorithm, left, root(middle, high));
  }
};

}  // namespace

Bytes root_of_range(View algorithm, std::uint64_t size, std::uint64_t first, const std::vector<Bytes>& leaves,
                    const std::vector<Bytes>& outside) {
  if (leaves.empty() || first >= size || leaves.size() > size - first) throw Refused{"a range beyond the tree"};
  Range range{algorithm, first, leaves, outside};
  Bytes root = range.root(0, size);
  if (range.used != outside.size()) throw Refused{"a range proof with too many hashes"};
  return root;
}

}  // namespace exhibit_verify
