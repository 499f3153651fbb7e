#include "hash/batch_digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <random>
#include <sstream>

#include "base/json.h"
#include "hash/interleaved_digest.h"
#include "hash/merkle.h"
#include "hash/multi_digest.h"
#include "support/test_support.h"

namespace exhibit::hash {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string some_bytes(std::size_t size, std::uint_fast32_t seed) {
  std::mt19937 generator(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

// By OpenSSL, each alone.
Digests digests_one_by_one(DigestSet set, std::string_view message) {
  Digests digests;
  for (const std::string_view name : kernel_digests) {
    if ((set & kernel_set(name)) != 0) digests[std::string(name)] = base::to_hex(digest_of(name, message));
  }
  return digests;
}

template <typename Kernel>
std::vector<const Kernel*> listed(const Kernel* const* kernels) {
  std::vector<const Kernel*> list;
  for (; *kernels != nullptr; ++kernels) list.push_back(*kernels);
  return list;
}

std::vector<std::size_t> edge_lengths() {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length <= 300; ++length) lengths.push_back(length);
  for (const std::size_t blocks : {7, 8, 9, 15, 16, 17, 1024, 16'384}) {
    for (const int more : {-1, 0, 1, 55, 56}) lengths.push_back(blocks * compression_block + static_cast<size_t>(more));
  }
  return lengths;
}

// ---- one stream

TEST(StreamKernels, ThePortableOneIsAlwaysThereAndLast) {
  const auto kernels = listed(stream_kernels());
  ASSERT_FALSE(kernels.empty());
  EXPECT_STREQ(kernels.back()->name, "portable");
}

TEST(StreamKernels, EachSetEqualsOpenssl) {
  std::mt19937 generator(21);
  for (const StreamKernel* kernel : listed(stream_kernels())) {
    for (const std::size_t length : edge_lengths()) {
      const std::string message = some_bytes(length, length);
      for (DigestSet set = 1; set < digest_sets; ++set) {
        InterleavedDigest digest(set, *kernel);
        for (std::size_t at = 0; at < length;) {
          const std::size_t piece = std::min<std::size_t>(length - at, generator() % (length < 400 ? 150 : 99'999));
          digest.update(as_bytes(std::string_view(message).substr(at, piece)));
          at += piece;
        }
        Digests digests;
        digest.finish(digests);
        ASSERT_EQ(digests, digests_one_by_one(set, message)) << kernel->name << ", set " << set << ", " << length;
      }
    }
  }
}

// FIPS 180-4 examples and RFC 1321 appendix A.5.
TEST(StreamKernels, PublishedVectors) {
  for (const StreamKernel* kernel : listed(stream_kernels())) {
    InterleavedDigest digest(with_md5 | with_sha1 | with_sha256, *kernel);
    Digests abc, million;
    digest.update(as_bytes("abc"));
    digest.finish(abc);
    EXPECT_EQ(abc, (Digests{{"md5", "900150983cd24fb0d6963f7d28e17f72"},
                            {"sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
                            {"sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}))
        << kernel->name;
    for (int i = 0; i < 1000; ++i) digest.update(as_bytes(std::string(1000, 'a')));
    digest.finish(million);
    EXPECT_EQ(million["sha1"], "34aa973cd4c4daa4f61eeb2bdbad27316534016f") << kernel->name;
    EXPECT_EQ(million["sha256"], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0") << kernel->name;
  }
}

// ---- many contents

// A content in random pieces, some empty.
BatchContent in_pieces(std::string_view message, std::mt19937& generator) {
  BatchContent content;
  const std::size_t longest = generator() % 3 == 0 ? message.size() + 1 : 200;
  while (!message.empty()) {
    const std::size_t piece = std::min<std::size_t>(message.size(), generator() % longest);
    content.pieces.push_back(as_bytes(message.substr(0, piece)));
    message.remove_prefix(piece);
  }
  return content;
}

// Contents of these sizes, cut anywhere, with all their digests.
struct Sample {
  std::vector<std::string> messages;  // what the contents' pieces point into
  std::vector<BatchContent> contents;
  std::vector<Digests> digests;

  Sample(const std::vector<std::size_t>& sizes, std::mt19937& generator) {
    for (const std::size_t size : sizes) messages.push_back(some_bytes(size, generator()));
    for (const std::string& message : messages) {
      contents.push_back(in_pieces(message, generator));
      digests.push_back(digests_one_by_one(digest_sets - 1, message));
    }
  }
};

void expect_equal(const Sample& sample, DigestSet set, const StreamKernel& stream, const LaneKernel* lanes) {
  const auto values = compress_batch(set, sample.contents, stream, lanes);
  ASSERT_EQ(values.size(), sample.messages.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    Digests digests;
    add_digests(values[i], set, digests);
    for (const auto& [name, digest] : digests) {
      ASSERT_EQ(digest, sample.digests[i].at(name))
          << (lanes == nullptr ? "no lanes" : lanes->name) << ", " << stream.name << ", set " << set << ", content "
          << i << " of " << values.size() << ", " << sample.messages[i].size() << " bytes";
    }
    ASSERT_EQ(digests.size(), std::popcount(set));
  }
}

TEST(Batch, EachKernelEqualsOpenssl) {
  std::mt19937 generator(31);
  std::lognormal_distribution<double> sizes(9, 2);  // median 8 KiB
  std::vector<Sample> samples;
  samples.emplace_back(edge_lengths(), generator);
  for (const std::size_t count : {0, 1, 4, 5, 7, 8, 9, 16, 17, 100}) {
    std::vector<std::size_t> drawn(count);
    for (std::size_t& size : drawn) size = static_cast<std::size_t>(std::min(sizes(generator), 3e5));
    samples.emplace_back(drawn, generator);
  }
  auto lane_list = listed(lane_kernels());
  lane_list.push_back(nullptr);
  for (const LaneKernel* lanes : lane_list) {
    for (const StreamKernel* stream : listed(stream_kernels())) {
      for (DigestSet set = 1; set < digest_sets; ++set) {
        for (const Sample& sample : samples) expect_equal(sample, set, *stream, lanes);
      }
    }
  }
}

TEST(Batch, EqualsMultiDigestWhateverIsAskedFor) {
  std::mt19937 generator(41);
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < 20; ++i) messages.push_back(some_bytes(i * i * 37, i));
  std::vector<BatchContent> contents;
  for (const std::string& message : messages) contents.push_back(in_pieces(message, generator));
  for (const std::vector<std::string>& names :
       {algorithms(), {"sha256"}, {"md5", "sha1", "sha256"}, {"sha512"}, {"md5", "sha3-256", "md5"}, {}}) {
    const auto digests = digest_batch(names, contents);
    ASSERT_TRUE(digests.ok());
    ASSERT_EQ(digests->size(), contents.size());
    MultiDigest alone = MultiDigest::create(names).take();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      alone.update(as_bytes(messages[i]));
      EXPECT_EQ((*digests)[i], alone.finish());
    }
  }
  EXPECT_TRUE(digest_batch(algorithms(), {})->empty());
  EXPECT_FALSE(digest_batch(std::vector<std::string>{"md5", "crc32"}, contents).ok());
}

// A real file, whole and as the many contents that its pieces are.
TEST(Batch, EqualsMd5sumSha1sumSha256sumAndRhashOfARealFile) {
  const std::string file = "/proc/self/exe";
  const std::string program = test::read_file(file);
  const std::vector<BatchContent> contents = {{{as_bytes(program)}}};
  const std::vector<std::string> names = {"md5", "sha1", "sha256"};
  const Digests digests = (*digest_batch(names, contents))[0];
  MultiDigest one_pass = MultiDigest::create(names).take();
  one_pass.update(as_bytes(program));
  EXPECT_EQ(one_pass.finish(), digests);

  const test::TemporaryDirectory directory;
  const std::string copy = (directory / "program").string();
  test::write_file(copy, program);
  for (const std::string& name : names) {
    EXPECT_EQ(test::run({name + "sum", copy}).out, digests.at(name) + "  " + copy + "\n");
    EXPECT_EQ(test::run({"rhash", "--simple", "--" + name, copy}).out, digests.at(name) + "  " + copy + "\n");
  }
}

TEST(BlockDigests, EqualSha256OfEachBlock) {
  const std::size_t block = BlockRoot::block_bytes;
  std::string media = some_bytes(19 * block + 4321, 51);
  media.replace(block, block, block, '\0');  // known without digesting; but not a block that is nearly so
  media.replace(3 * block, block - 1, block - 1, '\0');
  media.replace(5 * block, 2 * block, 2 * block, '\0');
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, block, 2 * block, 5 * block - 1, media.size()}) {
    const auto bytes = std::string_view(media).substr(0, size);
    std::vector<std::string> expected;
    for (std::size_t at = 0; at < size; at += block) expected.push_back(digest_of("sha256", bytes.substr(at, block)));
    EXPECT_EQ(block_digests(as_bytes(bytes)), expected) << size;

    std::vector<std::string> seen;
    BlockRoot root = BlockRoot::create([&](std::string_view digest) { seen.emplace_back(digest); }).take();
    root.update(as_bytes(bytes.substr(0, std::min(size, block / 2))));
    if (size > block / 2) root.update(as_bytes(bytes.substr(block / 2)));
    const std::string in_two = root.finish();
    EXPECT_EQ(seen, expected) << size;
    BlockRoot whole = BlockRoot::create().take();
    whole.update(as_bytes(bytes));
    EXPECT_EQ(whole.finish(), in_two) << size;
  }
}

}  // namespace
}  // namespace exhibit::hash
