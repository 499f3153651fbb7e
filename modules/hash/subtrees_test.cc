#include "hash/subtrees.h"

#include <gtest/gtest.h>

namespace exhibit::hash {
namespace {

using Hashes = std::vector<std::string>;

TreeHasher hasher() { return TreeHasher::create("sha256").take(); }

Hashes some_leaves(std::size_t n) {
  const TreeHasher leaf_hasher = hasher();
  Hashes leaves;
  for (std::size_t i = 0; i < n; ++i) leaves.push_back(leaf_hasher.leaf({}, "record " + std::to_string(i)));
  return leaves;
}

// RFC 9162 section 2.1.1, word for word, of the leaves [begin, end); one node after the other is found this way.
std::string slow_root(const Hashes& leaves, std::size_t begin, std::size_t end) {
  if (begin == end) return digest_of("sha256", "");
  if (end - begin == 1) return leaves[begin];
  std::size_t k = 1;
  while (k * 2 < end - begin) k *= 2;
  return digest_of("sha256", "\x01" + slow_root(leaves, begin, begin + k) + slow_root(leaves, begin + k, end));
}

// The proof of a range as docs/disclosure.md words it: down from the root, left before right.
void slow_proof(const Hashes& leaves, std::size_t lo, std::size_t hi, std::size_t first, std::size_t last,
                Hashes& out) {
  if (hi <= first || lo >= last) return out.push_back(slow_root(leaves, lo, hi));
  if (hi - lo == 1) return;
  std::size_t k = 1;
  while (k * 2 < hi - lo) k *= 2;
  slow_proof(leaves, lo, lo + k, first, last, out);
  slow_proof(leaves, lo + k, hi, first, last, out);
}

Subtrees fed(const Hashes& leaves, std::vector<LeafRange> wanted) {
  Subtrees subtrees(hasher(), leaves.size(), std::move(wanted));
  for (const std::string& leaf : leaves) subtrees.append(leaf);
  return subtrees;
}

TEST(Subtrees, AuditPathsEqualThoseOfTheWholeTree) {
  for (std::size_t n = 1; n <= 40; ++n) {
    const Hashes leaves = some_leaves(n);
    std::string joined;
    for (const std::string& leaf : leaves) joined += leaf;
    std::vector<LeafRange> wanted;
    for (std::size_t i = 0; i < n; ++i) {
      for (const LeafRange& node : audit_path(i, n)) wanted.push_back(node);
    }
    Subtrees subtrees = fed(leaves, wanted);  // all of them in one pass
    ASSERT_EQ(subtrees.finish().take(), slow_root(leaves, 0, n));
    for (std::size_t i = 0; i < n; ++i) {
      const InclusionProof proof = prove_inclusion(hasher(), joined, i).take();
      ASSERT_EQ(subtrees.roots_of(audit_path(i, n)), proof.path) << i << " of " << n;
    }
  }
}

TEST(RangeProof, EqualsBruteForceForEachRangeOfEachTree) {
  const TreeHasher range_hasher = hasher();
  for (std::size_t n = 1; n <= 40; ++n) {
    const Hashes leaves = some_leaves(n);
    const std::string root = slow_root(leaves, 0, n);
    for (std::size_t first = 0; first < n; ++first) {
      for (std::size_t last = first + 1; last <= n; ++last) {
        Hashes expected;
        slow_proof(leaves, 0, n, first, last, expected);
        const auto nodes = outside({first, last}, n);
        Subtrees subtrees = fed(leaves, nodes);
        ASSERT_EQ(subtrees.finish().take(), root);
        ASSERT_EQ(subtrees.roots_of(nodes), expected) << first << " to " << last << " of " << n;
        const Hashes inside(leaves.begin() + static_cast<std::ptrdiff_t>(first),
                            leaves.begin() + static_cast<std::ptrdiff_t>(last));
        ASSERT_EQ(root_from_range(range_hasher, first, inside, n, expected).take(), root);
      }
    }
  }
}

// Whatever is left out, put in, moved or bent leads to no root or another one.
TEST(RangeProof, RefusesWhatWasTamperedWith) {
  const TreeHasher range_hasher = hasher();
  for (std::size_t n = 2; n <= 17; ++n) {
    const Hashes leaves = some_leaves(n);
    const std::string root = slow_root(leaves, 0, n);
    const auto refused = [&](std::size_t first, const Hashes& inside, std::size_t size, const Hashes& proof) {
      const auto computed = root_from_range(range_hasher, first, inside, size, proof);
      return !computed.ok() || *computed != root;
    };
    for (std::size_t first = 0; first < n; ++first) {
      for (std::size_t last = first + 1; last <= n; ++last) {
        Hashes proof;
        slow_proof(leaves, 0, n, first, last, proof);
        const Hashes inside(leaves.begin() + static_cast<std::ptrdiff_t>(first),
                            leaves.begin() + static_cast<std::ptrdiff_t>(last));
        const std::string here = std::to_string(first) + " to " + std::to_string(last) + " of " + std::to_string(n);
        const Hashes without_first(inside.begin() + 1, inside.end()), without_last(inside.begin(), inside.end() - 1);
        EXPECT_TRUE(refused(first, without_last, n, proof)) << here;
        EXPECT_TRUE(refused(first, without_first, n, proof)) << here;
        EXPECT_TRUE(refused(first + 1, without_first, n, proof)) << here;
        EXPECT_TRUE(refused(first + 1, inside, n, proof)) << here;
        Hashes longer = proof, more = inside;
        longer.push_back(root);
        EXPECT_TRUE(refused(first, inside, n, longer)) << here;
        more.push_back(root);
        EXPECT_TRUE(refused(first, more, n, proof)) << here;
        for (std::size_t i = 0; i < proof.size(); ++i) {
          Hashes bent = proof, shorter = proof;
          bent[i][0] = static_cast<char>(bent[i][0] ^ 1);
          shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(i));
          EXPECT_TRUE(refused(first, inside, n, bent) && refused(first, inside, n, shorter)) << here;
        }
      }
    }
  }
  EXPECT_FALSE(root_from_range(range_hasher, UINT64_MAX, some_leaves(1), 1, {}).ok());
  EXPECT_FALSE(root_from_range(range_hasher, 0, {}, 0, {}).ok());
  EXPECT_FALSE(root_from_range(range_hasher, 0, {"short"}, 1, {}).ok());
  EXPECT_FALSE(root_from_range(range_hasher, 0, some_leaves(1), 2, {"short"}).ok());
  // A size that no machine counts to costs no more than its bits.
  EXPECT_FALSE(root_from_range(range_hasher, UINT64_MAX - 1, some_leaves(1), UINT64_MAX, {}).ok());
}

TEST(Subtrees, SayWhenTheTreeHasAnotherSize) {
  const Hashes leaves = some_leaves(5);
  Subtrees fewer(hasher(), 6, audit_path(2, 6)), more(hasher(), 4, audit_path(2, 4));
  for (const std::string& leaf : leaves) fewer.append(leaf), more.append(leaf);
  EXPECT_FALSE(fewer.finish().ok());
  EXPECT_FALSE(more.finish().ok());
  Subtrees empty(hasher(), 0, {});
  EXPECT_EQ(empty.finish().take(), digest_of("sha256", ""));
}

}  // namespace
}  // namespace exhibit::hash
