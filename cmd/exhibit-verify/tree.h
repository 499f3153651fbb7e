#pragma once
// The Merkle tree of RFC 9162 section 2.1, with any digest of digest.h.

#include "digest.h"

namespace exhibit_verify {

// H(0x00 || salt || line): the salt may be empty.
Bytes leaf_hash(View algorithm, View salt, View line);
// H(0x01 || left || right)
Bytes node_hash(View algorithm, View left, View right);
// manifest.md, "The tree": HMAC-SHA-256(key, "exhibit-salt" || index as uint64, big-endian).
Bytes salt_of(View key, std::uint64_t index);

// The root over leaves that come one by one.
class Tree {
 public:
  explicit Tree(View algorithm) : algorithm_(algorithm) {}
  void add(Bytes leaf);
  Bytes root() const;

 private:
  Bytes algorithm_;
  std::uint64_t leaves_ = 0;
  std::vector<Bytes> complete_;  // roots of complete subtrees, the largest first: a one bit of leaves_ each
};

// The root to which an audit path leads from a leaf (RFC 9162 section 2.1.3.2). Refused where the path is too long or
// too short for that index and size.
Bytes root_of_path(View algorithm, Bytes leaf, std::uint64_t index, std::uint64_t size, const std::vector<Bytes>& path);

// The root over `size` leaves of which those from `first` on are known, and `outside` are the roots of the largest
// subtrees without any of them, from left to right. Refused where they are too many or too few.
Bytes root_of_range(View algorithm, std::uint64_t size, std::uint64_t first, const std::vector<Bytes>& leaves,
                    const std::vector<Bytes>& outside);

}  // namespace exhibit_verify
