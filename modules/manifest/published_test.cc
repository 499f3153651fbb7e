// What the standards publish, through the doors by which signatures and time-stamps come: digests by their object
// identifiers, GOST R 34.10-2012 by the engine in its own process. (bign: bign_test.cc; the tree: hash/merkle_test.cc.)

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/json.h"
#include "manifest/der.h"
#include "manifest/suite.h"
#include "support/test_support.h"

namespace exhibit::manifest {
namespace {

constexpr const char *streebog256 = "1.2.643.7.1.1.2.2", *streebog512 = "1.2.643.7.1.1.2.3",
                     *belt = "1.2.112.0.2.0.34.101.31.81", *bash256 = "1.2.112.0.2.0.34.101.77.11",
                     *bash384 = "1.2.112.0.2.0.34.101.77.12", *bash512 = "1.2.112.0.2.0.34.101.77.13";

std::string bytes_of(std::string_view hex) { return base::from_hex(hex).take(); }
std::string hex_digest(const char* oid, std::string_view message) {
  const char* const name = digest_named(oid);
  return name == nullptr ? "unknown" : base::to_hex(digest_of(name, message));
}

TEST(PublishedDigests, Streebog) {  // RFC 6986 section 10.1; gost-engine's etalon/carry
  const std::string_view first = "012345678901234567890123456789012345678901234567890123456789012";
  EXPECT_EQ(hex_digest(streebog256, first), "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500");
  EXPECT_EQ(hex_digest(streebog512, first),
            "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa"
            "00ad30f8767b3a82384c6574f024c311e2a481332b08ef7f41797891c1646f48");
  const std::string carry = std::string(64, '\xee') + '\x16' + std::string(62, '\x11') + '\x16';
  EXPECT_EQ(hex_digest(streebog256, carry), "81bb632fa31fcc38b4c379a662dbc58b9bed83f50d3a1b2ce7271ab02d25babb");
  EXPECT_EQ(hex_digest(streebog512, carry),
            "8b06f41e59907d9636e892caf5942fcdfb71fa31169a5e70f0edb873664df41c"
            "2cce6e06dc6755d15a61cdeb92bd607cc4aaca6732bf3568a23a210dd520fd41");
}

TEST(PublishedDigests, BeltAndBashOfTheCorpora) {
  const std::map<std::string, const char*> oids = {
      {"belt-hash", belt}, {"bash-256", bash256}, {"bash-384", bash384}, {"bash-512", bash512}};
  std::map<std::string, int> compared;
  std::ifstream lines(test::corpus("hash/stb-kat.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const base::Json answer = base::parse_json(line).take();
    const auto name = answer["alg"].get<std::string>();
    EXPECT_EQ(hex_digest(oids.at(name), bytes_of(answer["input_hex"].get<std::string>())), answer["digest"]) << line;
    ++compared[name];
  }
  EXPECT_EQ(compared.size(), oids.size());
}

// ---- GOST R 34.10-2012, the examples of appendix A (RFC 7091 section 7)

struct Example {
  const Suite& suite;
  const char* digest_oid;
  const char* curve_oid;
  std::string x, y, e, r, s;  // as the standard prints them
};

const Example examples[] = {{gost256_suite, streebog256, "1.2.643.2.2.35.0",  // A.1
                             "7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b",
                             "26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da",
                             "2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5",
                             "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493",
                             "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40"},
                            {gost512_suite, streebog512, "1.2.643.7.1.2.1.2.0",  // A.2
                             "115dc5bc96760c7b48598d8ab9e740d4c4a85a65be33c1815b5c320c854621dd"
                             "5a515856d13314af69bc5b924c8b4ddff75c45415c1d9dd9dd33612cd530efe1",
                             "37c7c90cd40b0f5621dc3ac1b751cfa0e2634fa0503b3d52639f5d7fb72afd61"
                             "ea199441d943ffe7f0c70a2759a3cdb84c114e1f9339fdf27f35eca93677beec",
                             "3754f3cfacc9e0615c4f4a7c4d8dab531b09b6f9c170c533a71d147035b0c591"
                             "7184ee536593f4414339976c647c5d5a407adedb1d560c4fc6777d2972075b8c",
                             "2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd3"
                             "5492558486b20f1c9ec197c90699850260c93bcbcd9c5c3317e19344e173ae36",
                             "1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5"
                             "823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb92a9853bde73e5b4a"}};

// A number's bytes with the least significant first, as Streebog's digests and the keys' points are.
std::string reversed(const std::string& hex) {
  const std::string bytes = bytes_of(hex);
  return {bytes.rbegin(), bytes.rend()};
}

std::string key_info(const Example& example) {
  const std::string parameters = der::sequence({der::oid(example.curve_oid), der::oid(example.digest_oid)});
  const std::string point = der::octet_string(reversed(example.x) + reversed(example.y));
  return der::sequence({der::sequence({der::oid(example.suite.key_oid), parameters}),
                        der::element(der::bit_string_tag, std::string(1, '\0') + point)});
}

TEST(PublishedSignatures, Gost) {
  for (const Example& example : examples) {
    const auto key = openssl::from_der<openssl::PublicKey>(d2i_X509_PUBKEY, key_info(example));
    ASSERT_TRUE(key) << example.suite.name;
    const auto judge = [&](const std::string& digest, const std::string& signature) {
      return example.suite.verify(key.get(), example.suite.pairings.front(), digest, signature);
    };
    // In X.509 and CMS: s || r.
    const std::string digest = reversed(example.e), r = bytes_of(example.r), s = bytes_of(example.s);
    const auto good = judge(digest, s + r);
    ASSERT_TRUE(good.ok()) << good.error().message;
    EXPECT_TRUE(*good) << example.suite.name;
    for (const auto& bad : {judge(digest, r + s), judge(reversed(example.x), s + r)}) {
      ASSERT_TRUE(bad.ok()) << bad.error().message;
      EXPECT_FALSE(*bad) << example.suite.name;
    }
    // Right as they are, a key on these curves is refused before: they are in the standard for this example only.
    const auto weakness = example.suite.weakness(key.get(), Office::signer);
    ASSERT_TRUE(weakness) << example.suite.name;
    EXPECT_NE(weakness->find(example.curve_oid), std::string::npos) << *weakness;
  }
}

}  // namespace
}  // namespace exhibit::manifest
