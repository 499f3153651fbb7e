#include "hash/merkle.h"

#include <algorithm>
#include <bit>

#include "hash/batch_digest.h"

namespace exhibit::hash {
namespace {

// RFC 9162 section 2.1.1: what tells a leaf from a node.
constexpr std::string_view leaf_prefix("\x00", 1);
constexpr std::string_view node_prefix("\x01", 1);

constexpr std::string_view salt_label = "exhibit-salt";  // manifest.md, "The tree"

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// The largest power of two below n, for n > 1.
std::uint64_t split(std::uint64_t n) { return std::bit_floor(n - 1); }

// Leaf hashes one after the other.
struct Leaves {
  std::string_view bytes;
  std::size_t digest_bytes;

  std::uint64_t size() const { return bytes.size() / digest_bytes; }
  std::string_view operator[](std::uint64_t i) const { return bytes.substr(i * digest_bytes, digest_bytes); }
  Leaves first(std::uint64_t n) const { return {bytes.substr(0, n * digest_bytes), digest_bytes}; }
  Leaves from(std::uint64_t n) const { return {bytes.substr(n * digest_bytes), digest_bytes}; }
};

// The root of at least one leaf.
std::string root_of(const TreeHasher& hasher, const Leaves& leaves) {
  if (leaves.size() == 1) return std::string(leaves[0]);
  const std::uint64_t k = split(leaves.size());
  return hasher.node(root_of(hasher, leaves.first(k)), root_of(hasher, leaves.from(k)));
}

// RFC 9162 section 2.1.3.1, from the leaf up.
void append_path(const TreeHasher& hasher, const Leaves& leaves, std::uint64_t index, std::vector<std::string>& path) {
  if (leaves.size() == 1) return;
  const std::uint64_t k = split(leaves.size());
  const Leaves left = leaves.first(k), right = leaves.from(k);
  if (index < k) {
    append_path(hasher, left, index, path);
    path.push_back(root_of(hasher, right));
  } else {
    append_path(hasher, right, index - k, path);
    path.push_back(root_of(hasher, left));
  }
}

}  // namespace

Result<TreeHasher> TreeHasher::create(std::string_view algorithm) {
  std::unique_ptr<Hasher> hasher = EXHIBIT_TRY(hash::create(algorithm));
  const std::size_t digest_bytes = hasher->finish().size();
  return TreeHasher(std::move(hasher), digest_bytes);
}

std::string TreeHasher::hashed(std::string_view prefix, std::string_view first, std::string_view second) const {
  hasher_->update(as_bytes(prefix));
  hasher_->update(as_bytes(first));
  hasher_->update(as_bytes(second));
  return hasher_->finish();
}

std::string TreeHasher::empty() const { return hashed({}, {}, {}); }

std::string TreeHasher::leaf(std::string_view salt, std::string_view line) const {
  return hashed(leaf_prefix, salt, line);
}

std::string TreeHasher::node(std::string_view left, std::string_view right) const {
  return hashed(node_prefix, left, right);
}

Result<Tree> Tree::create(std::string_view algorithm) { return Tree(EXHIBIT_TRY(TreeHasher::create(algorithm))); }

void Tree::append(std::string leaf_hash) {
  EXHIBIT_CHECK(leaf_hash.size() == hasher_.digest_bytes());
  // Adding one to the size carries through its trailing ones; each carry joins two full subtrees of one height.
  for (std::uint64_t carry = size_; carry & 1; carry >>= 1) {
    leaf_hash = hasher_.node(peaks_.back(), leaf_hash);
    peaks_.pop_back();
  }
  peaks_.push_back(std::move(leaf_hash));
  ++size_;
}

std::string Tree::root() const {
  if (peaks_.empty()) return hasher_.empty();
  std::string root = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = hasher_.node(peaks_[i], root);
  return root;
}

Result<InclusionProof> prove_inclusion(const TreeHasher& hasher, std::string_view leaf_hashes, std::uint64_t index) {
  const Leaves leaves{leaf_hashes, hasher.digest_bytes()};
  if (leaf_hashes.size() % hasher.digest_bytes() != 0) {
    return Error{ErrorCode::invalid_argument, "the leaf hashes aren't a whole number of digests", {}, {}};
  }
  if (index >= leaves.size()) {
    return Error{ErrorCode::invalid_argument,
                 "no leaf " + std::to_string(index) + " in a tree of " + std::to_string(leaves.size()),
                 {},
                 {}};
  }
  InclusionProof proof{.index = index, .size = leaves.size(), .path = {}};
  append_path(hasher, leaves, index, proof.path);
  return proof;
}

// RFC 9162 section 2.1.3.2.
Result<std::string> root_from(const TreeHasher& hasher, std::string_view leaf_hash, const InclusionProof& proof) {
  const auto refusal = [&](const std::string& why) {
    return Error{ErrorCode::corrupt, "inclusion proof: " + why, "leaf " + std::to_string(proof.index), {}};
  };
  if (proof.index >= proof.size) return refusal("no such leaf in a tree of " + std::to_string(proof.size));
  if (leaf_hash.size() != hasher.digest_bytes()) return refusal("the leaf isn't a digest of the tree's algorithm");
  std::uint64_t node = proof.index, last = proof.size - 1;  // on the level that the path has reached
  std::string root(leaf_hash);
  for (const std::string& neighbour : proof.path) {
    if (neighbour.size() != hasher.digest_bytes()) return refusal("the path holds what isn't a digest");
    if (last == 0) return refusal("the path is too long");
    if (node & 1 || node == last) {
      root = hasher.node(neighbour, root);
      // A last node without a right neighbour moves up until it has a left one.
      while (!(node & 1) && node != 0) node >>= 1, last >>= 1;
    } else {
      root = hasher.node(root, neighbour);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return refusal("the path is too short");
  return root;
}

bool includes(const TreeHasher& hasher, std::string_view leaf_hash, const InclusionProof& proof,
              std::string_view root) {
  const auto computed = root_from(hasher, leaf_hash, proof);
  return computed.ok() && *computed == root;
}

Result<Salts> Salts::create(std::string_view key) {
  if (key.size() != key_bytes) {
    return Error{
        ErrorCode::invalid_argument,
        "the salts' key has " + std::to_string(key.size()) + " bytes and must have " + std::to_string(key_bytes),
        {},
        {}};
  }
  return Salts(EXHIBIT_TRY(HmacSha256::create(key)));
}

std::string Salts::at(std::uint64_t index) {
  std::string message(salt_label);
  for (int shift = 56; shift >= 0; shift -= 8) message += static_cast<char>(index >> shift & 0xff);
  return hmac_.of(message);
}

Result<BlockRoot> BlockRoot::create(BlockDigest on_block) {
  return BlockRoot(EXHIBIT_TRY(Tree::create("sha256")), EXHIBIT_TRY(hash::create("sha256")), std::move(on_block));
}

void BlockRoot::update(std::span<const std::byte> bytes) {
  const std::uint64_t whole = filled_ == 0 ? bytes.size() / block_bytes * block_bytes : 0;
  if (whole > block_bytes) {
    for (const std::string& digest : block_digests(bytes.first(whole))) append(digest);
    bytes = bytes.subspan(whole);
  }
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min<std::uint64_t>(bytes.size(), block_bytes - filled_));
    block_->update(piece);
    filled_ += piece.size();
    if (filled_ == block_bytes) end_block();
    bytes = bytes.subspan(piece.size());
  }
}

void BlockRoot::end_block() {
  append(block_->finish());
  filled_ = 0;
}

void BlockRoot::append(std::string_view digest) {
  tree_.append(tree_.hasher().leaf({}, digest));
  if (on_block_) on_block_(digest);
}

std::string BlockRoot::finish() {
  if (filled_ > 0) end_block();
  return tree_.root();
}

Result<std::string> BlockRoot::from_digests(std::string_view block_digests) {
  Tree tree = EXHIBIT_TRY(Tree::create("sha256"));
  const Leaves digests{block_digests, tree.hasher().digest_bytes()};
  if (block_digests.size() % digests.digest_bytes != 0) {
    return Error{ErrorCode::corrupt, "the blocks' digests end within a digest", {}, block_digests.size()};
  }
  for (std::uint64_t i = 0; i < digests.size(); ++i) tree.append(tree.hasher().leaf({}, digests[i]));
  return tree.root();
}

}  // namespace exhibit::hash
