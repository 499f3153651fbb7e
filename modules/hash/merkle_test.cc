#include "hash/merkle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <sstream>

#include "base/json.h"
#include "support/test_support.h"

namespace exhibit::hash {
namespace {

std::string bytes_of(std::string_view hex) { return base::from_hex(hex).take(); }
std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// RFC 9162 section 2.1.1, word for word over the leaves' data.
std::string slow_root(std::string_view algorithm, const std::vector<std::string>& data) {
  const std::size_t n = data.size();
  if (n == 0) return digest_of(algorithm, "");
  if (n == 1) return digest_of(algorithm, std::string(1, '\0') + data[0]);
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  const auto middle = data.begin() + static_cast<std::ptrdiff_t>(k);
  return digest_of(algorithm,
                   "\x01" + slow_root(algorithm, {data.begin(), middle}) + slow_root(algorithm, {middle, data.end()}));
}

std::vector<std::string> some_data(std::size_t n) {
  std::vector<std::string> data;
  for (std::size_t i = 0; i < n; ++i) data.push_back("record " + std::to_string(i));
  return data;
}

std::string leaf_hashes(const TreeHasher& hasher, const std::vector<std::string>& data) {
  std::string hashes;
  for (const std::string& line : data) hashes += hasher.leaf({}, line);
  return hashes;
}

std::string root_of(std::string_view algorithm, const std::vector<std::string>& data) {
  Tree tree = Tree::create(algorithm).take();
  for (const std::string& line : data) tree.append(tree.hasher().leaf({}, line));
  EXPECT_EQ(tree.size(), data.size());
  return tree.root();
}

// The vectors of RFC 6962's implementations (transparency-dev/merkle).
TEST(Tree, PublishedVectors) {
  const std::vector<std::string> inputs = {"",
                                           bytes_of("00"),
                                           bytes_of("10"),
                                           bytes_of("2021"),
                                           bytes_of("3031"),
                                           bytes_of("40414243"),
                                           bytes_of("5051525354555657"),
                                           bytes_of("606162636465666768696a6b6c6d6e6f")};
  const std::vector<std::string> roots = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree = Tree::create("sha256").take();
  EXPECT_EQ(base::to_hex(tree.root()), roots[0]);
  for (std::size_t n = 1; n <= inputs.size(); ++n) {
    tree.append(tree.hasher().leaf({}, inputs[n - 1]));
    EXPECT_EQ(base::to_hex(tree.root()), roots[n]) << n;
  }
}

TEST(Tree, EqualsTheDefinition) {
  for (std::size_t n = 0; n <= 130; ++n) {
    ASSERT_EQ(root_of("sha256", some_data(n)), slow_root("sha256", some_data(n))) << n;
  }
  for (const std::string_view algorithm : {"streebog256", "belt256", "sha512"}) {
    for (const std::size_t n : {0, 1, 2, 7, 13}) {
      ASSERT_EQ(root_of(algorithm, some_data(n)), slow_root(algorithm, some_data(n))) << algorithm << ", " << n;
    }
  }
}

TEST(Tree, ALeafIsNeverANode) {
  const TreeHasher hasher = TreeHasher::create("sha256").take();
  const std::string a = hasher.leaf({}, "a"), b = hasher.leaf({}, "b");
  EXPECT_NE(hasher.node(a, b), hasher.leaf({}, a + b));
}

TEST(InclusionProof, LeadsEachLeafToTheRoot) {
  const TreeHasher hasher = TreeHasher::create("sha256").take();
  for (std::size_t n = 1; n <= 130; ++n) {
    const std::vector<std::string> data = some_data(n);
    const std::string root = slow_root("sha256", data), hashes = leaf_hashes(hasher, data);
    for (std::size_t i = 0; i < n; ++i) {
      const auto proof = prove_inclusion(hasher, hashes, i);
      ASSERT_TRUE(proof.ok());
      ASSERT_TRUE(includes(hasher, hasher.leaf({}, data[i]), *proof, root)) << i << " of " << n;
    }
  }
  EXPECT_FALSE(prove_inclusion(hasher, leaf_hashes(hasher, some_data(3)), 3).ok());
  EXPECT_FALSE(prove_inclusion(hasher, "", 0).ok());
  EXPECT_FALSE(prove_inclusion(hasher, "not a digest", 0).ok());
}

// Whatever is changed in a proof, in its index or in its size, it must not lead to the root.
TEST(InclusionProof, RefusesWhatWasTamperedWith) {
  const TreeHasher hasher = TreeHasher::create("sha256").take();
  for (std::size_t n = 1; n <= 20; ++n) {
    const std::vector<std::string> data = some_data(n);
    const std::string root = slow_root("sha256", data), hashes = leaf_hashes(hasher, data);
    for (std::size_t i = 0; i < n; ++i) {
      const InclusionProof proof = prove_inclusion(hasher, hashes, i).take();
      const std::string leaf = hasher.leaf({}, data[i]);
      const auto refused = [&](const InclusionProof& changed) { return !includes(hasher, leaf, changed, root); };

      for (std::size_t other = 0; other < n + 2; ++other) {
        InclusionProof moved = proof;
        moved.index = other;
        if (other == i) continue;
        EXPECT_TRUE(refused(moved)) << i << " of " << n << " as " << other;
        EXPECT_FALSE(includes(hasher, hasher.leaf({}, "record " + std::to_string(other)), proof, root));
      }
      InclusionProof longer = proof;
      longer.path.push_back(root);
      EXPECT_TRUE(refused(longer));
      InclusionProof nothing = proof;
      nothing.size = 0;
      EXPECT_TRUE(refused(nothing));
      for (std::size_t step = 0; step < proof.path.size(); ++step) {
        InclusionProof bent = proof, shorter = proof, cut = proof;
        bent.path[step][31] = static_cast<char>(bent.path[step][31] ^ 1);
        shorter.path.erase(shorter.path.begin() + static_cast<std::ptrdiff_t>(step));
        cut.path[step].pop_back();
        EXPECT_TRUE(refused(bent) && refused(shorter) && refused(cut)) << i << " of " << n << ", step " << step;
      }
      std::string other_root = root;
      other_root[0] = static_cast<char>(other_root[0] ^ 0x80);
      EXPECT_FALSE(includes(hasher, leaf, proof, other_root));
      EXPECT_FALSE(includes(hasher, leaf.substr(1), proof, root));
    }
  }
}

TEST(Salts, EqualOpensslsHmac) {
  std::string key(Salts::key_bytes, '\0');
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(200 + i);
  Salts salts = Salts::create(key).take();
  for (const std::uint64_t index :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x0102030405060708}, ~std::uint64_t{0}}) {
    std::string message = "exhibit-salt";
    for (int byte = 7; byte >= 0; --byte) message += static_cast<char>(index >> 8 * byte);
    const test::Finished finished =
        test::run({"openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + base::to_hex(key)}, message);
    ASSERT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ("SHA2-256(stdin)= " + base::to_hex(salts.at(index)) + "\n", finished.out);
  }
  EXPECT_FALSE(Salts::create("short").ok());
}

TEST(Salts, ALeafIsPrefixSaltLine) {
  const TreeHasher hasher = TreeHasher::create("sha256").take();
  EXPECT_EQ(hasher.leaf("salt", "line"), digest_of("sha256", std::string_view("\0saltline", 9)));
}

// Blocks cut by `split`, digests by `sha256sum`.
TEST(BlockRoot, EqualsTheTreeOverSha256sumsOfTheBlocks) {
  const std::size_t block = BlockRoot::block_bytes;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, block, block + 1, 3 * block, 4 * block + 12'345}) {
    std::string medium(size, '\0');
    for (std::size_t i = 0; i < size; ++i) medium[i] = static_cast<char>(i * 2654435761U >> 11);
    std::string list;
    BlockRoot blocks = BlockRoot::create([&list](std::string_view digest) { list += digest; }).take();
    for (std::size_t at = 0; at < size; at += 700'001)
      blocks.update(as_bytes(std::string_view(medium).substr(at, 700'001)));
    const std::string root = blocks.finish();

    const test::TemporaryDirectory directory;
    test::write_file(directory / "medium", medium);
    const test::Finished finished =
        test::run({"sh", "-c",
                   "cd \"$1\" && split -b 1048576 medium part. && cat /dev/null part.* 2>/dev/null | wc -c && "
                   "for f in part.*; do test ! -e $f || sha256sum < $f | cut -c -64; done",
                   "sh", directory.path().string()});
    ASSERT_EQ(finished.status, 0) << finished.err;
    std::vector<std::string> digests;
    std::istringstream lines(finished.out);
    std::string line;
    std::getline(lines, line);
    ASSERT_EQ(line, std::to_string(size));
    while (std::getline(lines, line)) digests.push_back(bytes_of(line));

    EXPECT_EQ(root, slow_root("sha256", digests)) << size;
    EXPECT_EQ(list, std::accumulate(digests.begin(), digests.end(), std::string()));
    EXPECT_EQ(BlockRoot::from_digests(list).take(), root);
  }
  EXPECT_FALSE(BlockRoot::from_digests("not whole").ok());
}

}  // namespace
}  // namespace exhibit::hash
