#include "volume/nest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hash/multi_digest.h"
#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::volume {
namespace {

using test::TemporaryDirectory;

std::string image_bytes(const std::string& relative) {
  const TemporaryDirectory directory;
  return test::read_file(test::unpack(relative, directory));
}

std::string sha256_of(ByteSource& source) {
  const std::vector<std::string> names = {"sha256"};
  auto digest = hash::MultiDigest::create(names).take();
  std::vector<std::byte> buffer(1 << 20);
  for (std::uint64_t at = 0; at < source.size();) {
    const auto got = source.read_at(at, buffer);
    if (!got.ok() || *got == 0) return "unreadable";
    digest.update(std::span(buffer).first(*got));
    at += *got;
  }
  return digest.finish().at("sha256");
}

// A medium that is one volume.
class Whole {
 public:
  explicit Whole(std::string bytes, std::vector<Key> keys = {})
      : medium_(std::move(bytes)), keys_({{"E1/p0", std::move(keys)}}), nest_(medium_, 512, keys_) {}
  const Holding& holding() { return *nest_.holding("E1/p0", {0, medium_.size()}).take(); }
  Result<ByteSource*> bytes(const std::string& id) { return nest_.bytes(id, {0, medium_.size()}); }

 private:
  test::MemorySource medium_;
  Nest::Keys keys_;
  Nest nest_;
};

MATCHER_P2(IsProblem, code, text, "") { return arg.code == code && arg.message.find(text) != std::string::npos; }

// Its header is sound, and its bytes: the plain medium is known.
TEST(Luks, GivesThePlainMedium) {
  const std::string plain = "0add63db3dc87ee60438e0fb94b526462502ba9f87e7a78bb0efe858668b1108";
  for (const char* image : {"images/con-p-luks1.luks.xz", "images/con-p-luks2.luks.xz"}) {
    Whole whole(image_bytes(image), {{"password", "correct horse p"}});
    auto inner = whole.bytes("E1/p0/luks");
    ASSERT_TRUE(inner.ok()) << inner.error().message;
    EXPECT_EQ(sha256_of(**inner), plain);
    // Any stretch, however it lies over the sectors.
    std::vector<std::byte> some(700), all(4096);
    ASSERT_TRUE((*inner)->read_at(0, all).ok());
    ASSERT_TRUE((*inner)->read_at(1234, some).ok());
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 1234));
  }
}

TEST(Luks, ReadsTheSecondHeaderWhereTheFirstIsDamaged) {
  std::string bytes = image_bytes("images/con-p-luks2.luks.xz");
  bytes.replace(5000, 100, 100, 'x');
  Whole whole(bytes, {{"password", "correct horse p"}});
  EXPECT_THAT(whole.holding().problems, testing::ElementsAre(IsProblem(
                                            ErrorCode::corrupt, "the first copy of its header is missing or damaged")));
  EXPECT_TRUE(whole.bytes("E1/p0/luks").ok());
  bytes.replace(16384 + 5000, 100, 100, 'x');
  Whole both(bytes, {{"password", "correct horse p"}});
  EXPECT_THAT(both.holding().problems,
              testing::ElementsAre(IsProblem(ErrorCode::corrupt, "neither of its two copies")));
}

TEST(Luks, TellsAWrongKey) {
  for (const char* image : {"images/con-p-luks1.luks.xz", "images/con-p-luks2.luks.xz"}) {
    Whole whole(image_bytes(image), {{"password", "correct horse"}});
    EXPECT_THAT(whole.holding().problems, testing::ElementsAre(IsProblem(ErrorCode::encrypted, "it is not the key")));
    EXPECT_THAT(whole.holding().inner, testing::IsEmpty());
  }
}

}  // namespace
}  // namespace exhibit::volume
