#include "hash/chain_digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/json.h"

namespace exhibit::hash {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string some_bytes(std::size_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

// By the hashers of the table (OpenSSL's, Streebog and belt).
Digests digests_one_by_one(std::span<const std::string> names, std::string_view message) {
  Digests digests;
  for (const std::string& name : names) digests[name] = base::to_hex(digest_of(name, message));
  return digests;
}

std::vector<std::string> chainable() {
  std::vector<std::string> names = algorithms();
  std::erase_if(names, [](const std::string& name) { return !can_chain(name); });
  return names;
}

std::string checked(const std::string& text) { return text + "." + base::to_hex(digest_of("sha256", text)); }

TEST(ChainDigest, KnowsWhatCanBeChained) {
  EXPECT_THAT(chainable(),
              testing::ElementsAre("belt256", "md5", "sha1", "sha256", "sha512", "streebog256", "streebog512"));
  const auto code_of = [](const std::string& name) { return ChainDigest::create(std::span(&name, 1)).error().code; };
  EXPECT_EQ(code_of("sha3-256"), ErrorCode::unsupported);
  EXPECT_EQ(code_of("blake2b"), ErrorCode::unsupported);
  EXPECT_EQ(code_of("crc32"), ErrorCode::invalid_argument);
}

// At each step the stream goes on from the text alone.
TEST(ChainDigest, BrokenAnywhereEqualsUnbroken) {
  const std::vector<std::string> all = chainable();
  std::mt19937 generator(11);
  for (int time = 0; time < 60; ++time) {
    std::vector<std::string> names = all;
    if (time % 2 == 1) {
      std::ranges::shuffle(names, generator);
      names.resize(1 + generator() % names.size());
    }
    const std::string message = some_bytes(generator() % (time < 50 ? 700 : 300'000), static_cast<unsigned>(time));
    std::string state = ChainDigest::create(names)->state();
    for (std::size_t at = 0; at < message.size();) {
      const std::size_t piece = std::min<std::size_t>(message.size() - at, generator() % (message.size() / 3 + 2));
      ChainDigest digest = ChainDigest::resume(state).take();
      EXPECT_EQ(digest.length(), at);
      digest.update(as_bytes(std::string_view(message).substr(at, piece / 3)));
      digest.update(as_bytes(std::string_view(message).substr(at + piece / 3, piece - piece / 3)));
      state = digest.state();
      ASSERT_LT(state.size(), ChainDigest::longest_state);
      ASSERT_EQ(state.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-."), std::string::npos);
      at += piece;
    }
    ChainDigest digest = ChainDigest::resume(state).take();
    EXPECT_EQ(digest.finish(), digests_one_by_one(names, message)) << message.size() << " bytes";
    digest.update(as_bytes("abc"));
    EXPECT_EQ(digest.finish(), digests_one_by_one(names, "abc"));
  }
}

TEST(ChainDigest, EveryAlgorithmAloneAtEveryLength) {
  const std::string message = some_bytes(300, 5);
  for (const std::string& name : chainable()) {
    for (std::size_t length = 0; length <= message.size(); ++length) {
      ChainDigest first = ChainDigest::create(std::span(&name, 1)).take();
      first.update(as_bytes(std::string_view(message).substr(0, length / 2)));
      ChainDigest second = ChainDigest::resume(first.state()).take();
      second.update(as_bytes(std::string_view(message).substr(length / 2, length - length / 2)));
      ASSERT_EQ(second.finish()[name], base::to_hex(digest_of(name, message.substr(0, length)))) << name << length;
    }
  }
}

class DamagedState : public testing::Test {
 protected:
  static std::string state_after(std::size_t length) {
    ChainDigest digest = ChainDigest::create(std::vector<std::string>{"md5", "sha256", "belt256"}).take();
    digest.update(as_bytes(some_bytes(length, 9)));
    return digest.state();
  }
  static void expect_refused(const std::string& state, const char* why) {
    const auto digest = ChainDigest::resume(state);
    ASSERT_FALSE(digest.ok()) << state;
    EXPECT_EQ(digest.error().code, ErrorCode::corrupt);
    EXPECT_THAT(digest.error().message, testing::HasSubstr(why)) << state;
  }
};

TEST_F(DamagedState, AnyBitFlippedAnyByteGone) {
  const std::string state = state_after(200);
  ASSERT_TRUE(ChainDigest::resume(state).ok());
  for (std::size_t i = 0; i < state.size(); ++i) {
    std::string bent = state, shorter = state;
    bent[i] = static_cast<char>(bent[i] ^ 1 << i % 8);
    shorter.erase(i, 1);
    EXPECT_FALSE(ChainDigest::resume(bent).ok()) << bent;
    EXPECT_FALSE(ChainDigest::resume(shorter).ok()) << shorter;
    EXPECT_FALSE(ChainDigest::resume(state.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(ChainDigest::resume(state + "0").ok());
}

// With the check made anew: what somebody might write who knows the format.
TEST_F(DamagedState, WellCheckedButWrong) {
  const std::string md5 = "md5.0123456789abcdeffedcba9876543210", tail(2 * 72, 'a');
  ASSERT_TRUE(ChainDigest::resume(checked("chain-1.128.." + md5)).ok());
  ASSERT_TRUE(ChainDigest::resume(checked("chain-1.200." + tail + "." + md5)).ok());
  expect_refused(checked("chain-2.128.." + md5), "format");
  expect_refused(checked("chain-1.129.." + md5), "tail");
  expect_refused(checked("chain-1.200." + tail + "aa." + md5), "tail");
  expect_refused(checked("chain-1.200." + tail.substr(1) + "." + md5), "tail");
  expect_refused(checked("chain-1.201." + tail + "." + md5), "tail");
  for (const char* length : {"", "-128", "+128", "128 ", "0x80", "18446744073709551616", "1152921504606846976"}) {
    expect_refused(checked("chain-1." + std::string(length) + ".." + md5), "length");
  }
  expect_refused(checked("chain-1.0128.." + md5), "written");
  expect_refused(checked("chain-1.200." + std::string(2 * 72, 'A') + "." + md5), "");
  expect_refused(checked("chain-1.128..sha3-256." + std::string(64, '0')), "can't be chained");
  expect_refused(checked("chain-1.128..md4.0123456789abcdeffedcba9876543210"), "can't be chained");
  expect_refused(checked("chain-1.128..md5.0123"), "chaining value");
  expect_refused(checked("chain-1.128..md5"), "chaining value");
  expect_refused(checked("chain-1.128..sha512." + std::string(64, '0')), "chaining value");
  expect_refused(checked("chain-1.128..streebog256." + std::string(64, '0')), "chaining value");
  expect_refused(checked("chain-1.128..belt256." + std::string(64, '0')), "chaining value");
  expect_refused(checked("chain-1.128.." + md5 + "." + md5), "written");
  expect_refused(checked("chain-1.128..sha1." + std::string(40, '0') + "." + md5), "written");  // not in order
  expect_refused(checked("chain-1.128.." + md5 + "."), "written");
  expect_refused(checked("chain-1.128." + std::string(ChainDigest::longest_state, '.')), "too long");
  expect_refused("", "check");
  expect_refused("chain-1", "check");
}

}  // namespace
}  // namespace exhibit::hash
