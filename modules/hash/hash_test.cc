#include <gcrypt.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "base/json.h"
#include "hash/algorithm.h"
#include "hash/batch_digest.h"
#include "hash/chain_digest.h"
#include "hash/merkle.h"
#include "hash/multi_digest.h"
#include "support/test_support.h"

namespace exhibit::hash {
namespace {

std::string bytes_of(std::string_view hex) { return base::from_hex(hex).take(); }
std::string hex_digest(std::string_view algorithm, std::string_view bytes) {
  return base::to_hex(digest_of(algorithm, bytes));
}
std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// Any bytes, the same in each run.
std::string some_bytes(std::size_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(generator());
  return bytes;
}

// ---- the table

class EveryAlgorithm : public testing::TestWithParam<const AlgorithmRow*> {};

INSTANTIATE_TEST_SUITE_P(Table, EveryAlgorithm, testing::ValuesIn(algorithm_table().begin(), algorithm_table().end()),
                         [](const auto& row) {
                           std::string name(row.param->name);
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EveryAlgorithm, GivesItsKnownAnswers) {
  const AlgorithmRow& row = *GetParam();
  ASSERT_FALSE(row.known_answers.empty()) << row.name << " has no known answers";
  auto hasher = row.create();
  ASSERT_TRUE(hasher.ok());
  for (const KnownAnswer& answer : row.known_answers) {
    const std::string message = bytes_of(answer.message);
    ASSERT_FALSE(answer.source.empty());
    ASSERT_EQ(answer.digest.size(), row.digest_bytes * 2);
    for (std::uint64_t i = 0; i < answer.repeated; ++i) (*hasher)->update(as_bytes(message));
    EXPECT_EQ(base::to_hex((*hasher)->finish()), answer.digest) << row.name << ", " << answer.source;
  }
}

TEST_P(EveryAlgorithm, DoesNotCareHowTheStreamIsCut) {
  const std::string_view name = GetParam()->name;
  const std::string message = some_bytes(10'007, 1);
  const std::string whole = digest_of(name, message);
  auto hasher = create(name);
  for (const std::size_t piece : {1, 3, 31, 32, 33, 63, 64, 65, 127, 1000, 4096}) {
    std::string_view rest = message;
    while (!rest.empty()) {
      (*hasher)->update(as_bytes(rest.substr(0, piece)));
      (*hasher)->update({});
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    EXPECT_EQ((*hasher)->finish(), whole) << name << " in pieces of " << piece;
  }
}

TEST(AlgorithmTable, HoldsWhatFindingsNameInOrder) {
  EXPECT_THAT(algorithms(), testing::IsSupersetOf({"belt256", "blake2b", "md5", "sha1", "sha256", "sha3-256", "sha512",
                                                   "streebog256", "streebog512"}));
  EXPECT_TRUE(std::ranges::is_sorted(algorithms()));
}

TEST(AlgorithmTable, RefusesAnUnknownNameAndSaysWhatThereIs) {
  const auto hasher = create("sha-256");
  ASSERT_FALSE(hasher.ok());
  EXPECT_EQ(hasher.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(hasher.error().message, testing::HasSubstr("sha256"));
  const std::vector<std::string> names = {"md5", "crc32"};
  EXPECT_FALSE(MultiDigest::create(names).ok());
}

TEST(AlgorithmTable, KnownAnswersOfTheCorpora) {
  std::ifstream lines(test::corpus("hash/stb-kat.jsonl"));
  int compared = 0;
  for (std::string line; std::getline(lines, line);) {
    const base::Json answer = base::parse_json(line).take();
    if (answer["alg"] != "belt-hash") continue;
    const auto input = answer["input_hex"].get<std::string>();
    EXPECT_EQ(hex_digest("belt256", bytes_of(input)), answer["digest"]);
    ++compared;
  }
  EXPECT_GT(compared, 0);
}

// ---- against independent implementations

std::vector<std::size_t> many_lengths() {
  std::vector<std::size_t> lengths;
  for (std::size_t length = 0; length <= 200; ++length) lengths.push_back(length);
  std::mt19937 generator(7);
  for (int i = 0; i < 150; ++i) lengths.push_back(generator() % 1001);
  lengths.insert(lengths.end(), {1000, 4095, 4096, 65'535, 65'537, 1'000'003});
  return lengths;
}

// Digests of files by a program that prints one line for each, `field` counted from 0 or from the end if negative.
std::vector<std::string> digests_by(std::vector<std::string> command, const std::vector<std::string>& files,
                                    bool digest_is_last) {
  command.insert(command.end(), files.begin(), files.end());
  const test::Finished finished = test::run(command);
  EXPECT_EQ(finished.status, 0) << finished.err;
  std::vector<std::string> digests;
  std::istringstream lines(finished.out);
  for (std::string line; std::getline(lines, line);) {
    digests.push_back(digest_is_last ? line.substr(line.rfind(' ') + 1) : line.substr(0, line.find(' ')));
  }
  return digests;
}

TEST(AgainstOthers, OpensslRhashCoreutils) {
  const test::TemporaryDirectory directory;
  const std::vector<std::size_t> lengths = many_lengths();
  std::vector<std::string> files;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    files.push_back((directory / std::to_string(i)).string());
    test::write_file(files.back(), some_bytes(lengths[i], static_cast<unsigned>(i)));
  }
  const auto compare = [&](const std::string& algorithm, const std::vector<std::string>& command, bool last) {
    const std::vector<std::string> theirs = digests_by(command, files, last);
    ASSERT_EQ(theirs.size(), files.size()) << command[0] << ", " << algorithm;
    for (std::size_t i = 0; i < files.size(); ++i) {
      EXPECT_EQ(hex_digest(algorithm, some_bytes(lengths[i], static_cast<unsigned>(i))), theirs[i])
          << algorithm << " of " << lengths[i] << " bytes, by " << command[0];
    }
  };
  compare("md5", {"md5sum"}, false);
  compare("sha1", {"sha1sum"}, false);
  compare("sha256", {"sha256sum"}, false);
  compare("sha512", {"sha512sum"}, false);
  compare("blake2b", {"b2sum"}, false);
  compare("sha3-256", {"openssl", "dgst", "-sha3-256"}, true);
  compare("sha3-256", {"rhash", "--simple", "--sha3-256"}, false);
  compare("streebog256", {"rhash", "--simple", "--gost12-256"}, false);
  compare("streebog512", {"rhash", "--simple", "--gost12-512"}, false);
  compare("streebog256", {"openssl", "dgst", "-engine", "gost", "-md_gost12_256"}, true);
  compare("streebog512", {"openssl", "dgst", "-engine", "gost", "-md_gost12_512"}, true);
}

TEST(AgainstOthers, LibgcryptsStreebog) {
  ASSERT_NE(gcry_check_version(nullptr), nullptr);
  for (std::size_t length = 0; length <= 1000; ++length) {
    const std::string message = some_bytes(length, static_cast<unsigned>(length) + 1000);
    for (const auto& [name, theirs] :
         {std::pair{"streebog256", GCRY_MD_STRIBOG256}, {"streebog512", GCRY_MD_STRIBOG512}}) {
      std::string digest(gcry_md_get_algo_dlen(theirs), '\0');
      gcry_md_hash_buffer(theirs, digest.data(), message.data(), message.size());
      ASSERT_EQ(base::to_hex(digest_of(name, message)), base::to_hex(digest)) << name << ", " << length << " bytes";
    }
  }
}

// No program that Debian has computes belt-hash. This is the standard's text step by step, with nothing prepared and
// nothing shared with the implementation: H comes from the shift register that generates it.
namespace belt_by_the_book {

std::array<std::uint8_t, 256> substitution() {
  std::array<std::uint8_t, 256> h{};
  h[10] = 0;
  h[11] = 0x8e;
  for (std::size_t x = 12; x < 266; ++x) {
    unsigned t = h[(x - 1) % 256];
    for (int i = 0; i < 116; ++i) t = t >> 1 | static_cast<unsigned>(std::popcount(t & 0x63) & 1) << 7;
    h[x % 256] = static_cast<std::uint8_t>(t);
  }
  return h;
}

std::uint32_t word(std::string_view bytes, std::size_t i) {
  std::uint32_t w = 0;
  for (std::size_t j = 4; j-- > 0;) w = w << 8 | static_cast<std::uint8_t>(bytes[4 * i + j]);
  return w;
}

std::uint32_t g(int r, std::uint32_t u) {
  static const auto h = substitution();
  std::uint32_t v = 0;
  for (int shift = 0; shift < 32; shift += 8) v |= std::uint32_t{h[u >> shift & 0xff]} << shift;
  return std::rotl(v, r);
}

std::string encrypt(std::string_view x, std::string_view key) {
  std::uint32_t a = word(x, 0), b = word(x, 1), c = word(x, 2), d = word(x, 3);
  for (std::uint32_t i = 1; i <= 8; ++i) {
    const auto key_word = [&](std::uint32_t j) { return word(key, (7 * i - j - 1) % 8); };
    b ^= g(5, a + key_word(6));
    c ^= g(21, d + key_word(5));
    a -= g(13, b + key_word(4));
    const std::uint32_t e = g(21, b + c + key_word(3)) ^ i;
    b += e;
    c -= e;
    d += g(13, c + key_word(2));
    b ^= g(21, a + key_word(1));
    c ^= g(5, d + key_word(0));
    std::swap(a, b);
    std::swap(c, d);
    std::swap(b, c);
  }
  std::string y;
  for (const std::uint32_t w : {b, d, a, c}) {
    for (int shift = 0; shift < 32; shift += 8) y += static_cast<char>(w >> shift);
  }
  return y;
}

std::string xored(std::string x, std::string_view y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<char>(x[i] ^ y[i]);
  return x;
}

std::string hash(std::string message) {
  const auto first = substitution();
  std::string h(first.begin(), first.begin() + 32), s(16, '\0'), length(16, '\0');
  for (std::size_t bits = message.size() * 8, i = 0; bits > 0; bits >>= 8, ++i) length[i] = static_cast<char>(bits);
  message.resize((message.size() + 31) / 32 * 32, '\0');
  const auto compress = [&h](const std::string& x) {
    const std::string x1 = x.substr(0, 16), x2 = x.substr(16), h1 = h.substr(0, 16), h2 = h.substr(16);
    const std::string sigma1 = xored(xored(encrypt(xored(h1, h2), x), h1), h2);
    const std::string inverted = xored(sigma1, std::string(16, '\xff'));
    h = xored(encrypt(x1, sigma1 + h2), x1) + xored(encrypt(x2, inverted + h1), x2);
    return sigma1;
  };
  for (std::size_t i = 0; i < message.size(); i += 32) s = xored(s, compress(message.substr(i, 32)));
  compress(length + s);
  return h;
}

}  // namespace belt_by_the_book

TEST(AgainstOthers, BeltByTheBook) {
  for (std::size_t length = 0; length <= 300; ++length) {
    const std::string message = some_bytes(length, static_cast<unsigned>(length) + 5000);
    ASSERT_EQ(base::to_hex(digest_of("belt256", message)), base::to_hex(belt_by_the_book::hash(message))) << length;
  }
}

// ---- several at once

TEST(MultiDigest, EqualsEachAloneAndStartsAnew) {
  const std::string message = some_bytes(300'001, 3);  // several pieces
  const std::vector<std::string> names = algorithms();
  auto digest = MultiDigest::create(names);
  ASSERT_TRUE(digest.ok());
  for (int time = 0; time < 2; ++time) {
    digest->update(as_bytes(std::string_view(message).substr(0, 100'000)));
    digest->update(as_bytes(std::string_view(message).substr(100'000)));
    const Digests digests = digest->finish();
    ASSERT_EQ(digests.size(), names.size());
    for (const auto& [name, hex] : digests) EXPECT_EQ(hex, hex_digest(name, message)) << name;
  }
}

TEST(MultiDigest, ANameGivenTwiceIsComputedOnce) {
  const std::vector<std::string> names = {"sha256", "md5", "sha256"};
  auto digest = MultiDigest::create(names);
  digest->update(as_bytes("abc"));
  EXPECT_EQ(digest->finish(),
            (Digests{{"md5", "900150983cd24fb0d6963f7d28e17f72"},
                     {"sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}));
}

// A worker hashes after it is sealed: nothing may be opened then. This runs in a process of its own (below), since any
// earlier test would have prepared OpenSSL already.
TEST(Sealed, DISABLED_HashesAfterPrepare) {
  prepare();
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  for (const int call : {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(socket), SCMP_SYS(stat), SCMP_SYS(newfstatat),
                         SCMP_SYS(access), SCMP_SYS(readlink)}) {
    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0);
  }
  if (seccomp_load(filter) != 0) _exit(2);
  for (const std::string& name : algorithms()) {
    if (digest_of(name, "abc").empty()) _exit(3);
  }
  const std::string message(1000, 'm');
  const std::vector<BatchContent> contents(40, {{as_bytes(message)}});
  if (digest_batch(algorithms(), contents)->size() != contents.size()) _exit(5);
  ChainDigest chain = ChainDigest::create(std::vector<std::string>{"md5", "sha1", "sha256", "sha512"}).take();
  chain.update(as_bytes(message));
  if (ChainDigest::resume(chain.state())->finish().size() != 4) _exit(6);
  if (Salts::create(std::string(Salts::key_bytes, 'k'))->at(0).size() != 32) _exit(4);
  _exit(0);
}

TEST(Sealed, NothingIsOpenedAfterPrepare) {
  const test::Finished finished = test::run({std::filesystem::read_symlink("/proc/self/exe").string(),
                                             "--gtest_filter=Sealed.DISABLED_*", "--gtest_also_run_disabled_tests"});
  EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
  EXPECT_THAT(finished.out, testing::HasSubstr("HashesAfterPrepare"));
}

}  // namespace
}  // namespace exhibit::hash
