#pragma once
// Merkle trees as RFC 9162 section 2.1 defines them, over any algorithm of the table: leaf = H(0x00 || data),
// node = H(0x01 || left || right), split at the largest power of two below the size, the empty tree is H("").
// All digests here are raw bytes.

#include <exhibit/merkle.h>
#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hash/multi_digest.h"
#include "hash/openssl.h"

namespace exhibit::hash {

// The hashes that a tree is made of. Not for two threads at once.
class TreeHasher {
 public:
  // Errors as hash::create.
  static Result<TreeHasher> create(std::string_view algorithm);

  std::string empty() const;
  // A record's leaf (manifest.md): H(0x00 || salt || line), the line without its LF. An unsalted leaf has salt "".
  std::string leaf(std::string_view salt, std::string_view line) const;
  std::string node(std::string_view left, std::string_view right) const;
  std::size_t digest_bytes() const { return digest_bytes_; }

 private:
  TreeHasher(std::unique_ptr<Hasher> hasher, std::size_t digest_bytes)
      : hasher_(std::move(hasher)), digest_bytes_(digest_bytes) {}
  std::string hashed(std::string_view prefix, std::string_view first, std::string_view second) const;

  std::unique_ptr<Hasher> hasher_;
  std::size_t digest_bytes_;
};

// Builds a tree leaf by leaf; keeps one digest for each bit of the size.
class Tree {
 public:
  static Result<Tree> create(std::string_view algorithm);
  explicit Tree(TreeHasher hasher) : hasher_(std::move(hasher)) {}

  // What TreeHasher::leaf gave.
  void append(std::string leaf_hash);
  std::uint64_t size() const { return size_; }
  // Of the leaves so far; more may follow.
  std::string root() const;
  const TreeHasher& hasher() const { return hasher_; }

 private:
  TreeHasher hasher_;
  std::uint64_t size_ = 0;
  std::vector<std::string> peaks_;  // roots of full subtrees, the largest first: one for each bit set in size_
};

// The proof for leaf `index` of a tree, given all its leaf hashes one after the other (digest_bytes() each).
// Error (invalid_argument) where they aren't whole digests or there is no such leaf.
Result<InclusionProof> prove_inclusion(const TreeHasher& hasher, std::string_view leaf_hashes, std::uint64_t index);

// The root that the proof leads to from this leaf hash. It proves nothing until it equals a root that is trusted, and
// the proof's size a size that is (some proofs hold in trees of more than one size).
// Error (corrupt) where the path can't belong to that index and size.
Result<std::string> root_from(const TreeHasher& hasher, std::string_view leaf_hash, const InclusionProof& proof);

// Whether the proof leads from the leaf hash to exactly this root.
bool includes(const TreeHasher& hasher, std::string_view leaf_hash, const InclusionProof& proof, std::string_view root);

// The salts of a case's leaves (manifest.md): salt(i) = HMAC-SHA-256(key, "exhibit-salt" || uint64 big-endian i).
class Salts {
 public:
  static constexpr std::size_t key_bytes = 32;

  // Error (invalid_argument) for a key of another length.
  static Result<Salts> create(std::string_view key);
  // 32 raw bytes.
  std::string at(std::uint64_t index);

 private:
  explicit Salts(HmacSha256 hmac) : hmac_(std::move(hmac)) {}
  HmacSha256 hmac_;
};

// `block_root` of findings.md: the tree over a medium's blocks, leaf i = H(0x00 || SHA-256(block i)), SHA-256
// throughout.
class BlockRoot {
 public:
  static constexpr std::uint64_t block_bytes = std::uint64_t{1} << 20;
  // Gets each block's SHA-256 (raw) in order, so that a caller can keep them.
  using BlockDigest = std::function<void(std::string_view digest)>;

  static Result<BlockRoot> create(BlockDigest on_block = {});
  // Several whole blocks at hand between blocks are hashed side by side (block_digests in batch_digest.h), which is
  // some times faster.
  void update(std::span<const std::byte> bytes);
  // The raw root; the last block may be short, an empty medium has no block. To be called once, after the last byte.
  std::string finish();

  // The root from blocks' digests that are known already, one after the other. Error (corrupt) where they aren't whole.
  static Result<std::string> from_digests(std::string_view block_digests);

 private:
  BlockRoot(Tree tree, std::unique_ptr<Hasher> block, BlockDigest on_block)
      : tree_(std::move(tree)), block_(std::move(block)), on_block_(std::move(on_block)) {}
  void end_block();
  void append(std::string_view digest);

  Tree tree_;
  std::unique_ptr<Hasher> block_;
  std::uint64_t filled_ = 0;  // bytes of the current block
  BlockDigest on_block_;
};

}  // namespace exhibit::hash
