#pragma once
// The digests by their names in the formats, HMAC (RFC 2104), and the Merkle tree of RFC 9162 section 2.1.

#include "bash.h"
#include "belt.h"
#include "streebog.h"

namespace exhibit_verify {

// `size` is in bytes, and 0 for the digests that only signatures and time-stamps may have, never a record or a tree.
struct DigestKind {
  View name, oid;
  std::size_t size = 0;
  std::unique_ptr<Digest> (*make)() = nullptr;
};
template <typename Kind, auto... arguments>
std::unique_ptr<Digest> make() {
  return std::unique_ptr<Digest>(new Kind(arguments...));
}
inline constexpr DigestKind digest_kinds[] = {
    {"sha256", "2.16.840.1.101.3.4.2.1", 32, make<Sha2<std::uint32_t>, &initial, 32>},  // NIST, RFC 5754
    {"sha384", "2.16.840.1.101.3.4.2.2", 0, make<Sha2<std::uint64_t>, &initial384, 48>},
    {"sha512", "2.16.840.1.101.3.4.2.3", 64, make<Sha2<std::uint64_t>, &initial, 64>},
    {"streebog256", "1.2.643.7.1.1.2.2", 32, make<Streebog, false>},  // RFC 9215
    {"streebog512", "1.2.643.7.1.1.2.3", 64, make<Streebog, true>},
    {"belt256", "1.2.112.0.2.0.34.101.31.81", 32, make<Belt>},     // STB 34.101.31
    {"bash256", "1.2.112.0.2.0.34.101.77.11", 0, make<Bash<32>>},  // STB 34.101.77
    {"bash384", "1.2.112.0.2.0.34.101.77.12", 0, make<Bash<48>>},
    {"bash512", "1.2.112.0.2.0.34.101.77.13", 0, make<Bash<64>>}};

// The one whose `member` is that; an empty one where there is none.
inline DigestKind find_digest(View DigestKind::*member, View value) {
  for (const DigestKind& kind : digest_kinds) {
    if (kind.*member == value) return kind;
  }
  return {};
}
// Of a name in the table.
inline std::unique_ptr<Digest> make_digest(View name) { return find_digest(&DigestKind::name, name).make(); }
inline std::size_t digest_size(View name) { return find_digest(&DigestKind::name, name).size; }
// The name for an object identifier; "" for one that this program doesn't know.
inline View digest_of_oid(View oid) { return find_digest(&DigestKind::oid, oid).name; }

// Of a name in the table; over the pieces one after another.
inline Bytes digest_of(View name, std::initializer_list<View> pieces) {
  const auto digest = make_digest(name);
  for (const View piece : pieces) digest->update(piece);
  return digest->finish();
}
inline Bytes digest_of(View name, View bytes) { return digest_of(name, {bytes}); }
inline Bytes sha256(View bytes) { return digest_of("sha256", bytes); }

inline Bytes hmac_sha256(View key, View bytes) {
  constexpr std::size_t block = 64;
  Bytes inner = key.size() > block ? sha256(key) : Bytes(key);
  inner.resize(block, '\0');
  Bytes outer = inner;
  for (char& c : inner) c ^= 0x36;
  for (char& c : outer) c ^= 0x5C;
  return digest_of("sha256", {outer, digest_of("sha256", {inner, bytes})});
}

// H(0x00 || salt || line); the salt may be empty.
inline Bytes leaf_hash(View algorithm, View salt, View line) {
  return digest_of(algorithm, {View("\0", 1), salt, line});
}
// H(0x01 || left || right)
inline Bytes node_hash(View algorithm, View left, View right) { return digest_of(algorithm, {"\1", left, right}); }
// manifest.md, "The tree".
inline Bytes salt_of(View key, std::uint64_t index) { return hmac_sha256(key, "exhibit-salt" + big_endian(index, 8)); }

// The root over leaves that come one by one.
class Tree {
 public:
  explicit Tree(View algorithm) : algorithm_(algorithm) {}
  void add(Bytes leaf) {
    complete_.push_back(std::move(leaf));
    // As in a counter: each trailing one bit is a subtree as large as the one that has just become complete.
    for (std::uint64_t carry = leaves_++; (carry & 1) != 0; carry >>= 1) {
      const Bytes right = std::move(complete_.back());
      complete_.pop_back();
      complete_.back() = node_hash(algorithm_, complete_.back(), right);
    }
  }
  Bytes root() const {
    if (complete_.empty()) return digest_of(algorithm_, "");
    Bytes root = complete_.back();
    for (std::size_t i = complete_.size() - 1; i-- > 0;) root = node_hash(algorithm_, complete_[i], root);
    return root;
  }

 private:
  Bytes algorithm_;
  std::uint64_t leaves_ = 0;
  std::vector<Bytes> complete_;  // roots of complete subtrees, the largest first: a one bit of leaves_ each
};

// The root to which an audit path leads from a leaf (RFC 9162 section 2.1.3.2). Refused where the path is too long or
// too short for that index and size.
inline Bytes root_of_path(View algorithm, Bytes root, std::uint64_t index, std::uint64_t size,
                          const std::vector<Bytes>& path) {
  if (index >= size) throw Refused{"an index beyond the tree"};
  std::uint64_t last = size - 1;
  for (const Bytes& sibling : path) {
    if (last == 0) throw Refused{"an audit path that is too long"};
    const bool right = (index & 1) != 0 || index == last;
    root = right ? node_hash(algorithm, sibling, root) : node_hash(algorithm, root, sibling);
    for (; right && (index & 1) == 0 && index != 0; last >>= 1) index >>= 1;
    index >>= 1;
    last >>= 1;
  }
  if (last != 0) throw Refused{"an audit path that is too short"};
  return root;
}

// The root over `size` leaves of which those from `first` on are known, and `outside` are the roots of the largest
// subtrees without any of them, from left to right.
struct RangeProof {
  View algorithm;
  std::uint64_t size, first;
  const std::vector<Bytes>&leaves, &outside;
  std::size_t used = 0;  // of `outside`

  // Refused where `outside` has too many or too few.
  Bytes root() {
    if (leaves.empty() || first >= size || leaves.size() > size - first) throw Refused{"a range beyond the tree"};
    Bytes root = over(0, size);
    if (used != outside.size()) throw Refused{"a range proof with too many hashes"};
    return root;
  }
  // Over the leaves from low to high - 1. Each step halves the span, so it goes at most 64 deep.
  Bytes over(std::uint64_t low, std::uint64_t high) {
    if (high <= first || low >= first + leaves.size()) {
      if (used == outside.size()) throw Refused{"a range proof with too few hashes"};
      return outside[used++];
    }
    if (high - low == 1) return leaves[low - first];
    const std::uint64_t middle = low + std::bit_floor(high - low - 1);  // the largest power of two below the span
    const Bytes left = over(low, middle);
    return node_hash(algorithm, left, over(middle, high));
  }
};

}  // namespace exhibit_verify
