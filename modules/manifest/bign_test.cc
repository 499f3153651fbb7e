#include "manifest/bign.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "hash/multi_digest.h"

namespace exhibit::manifest::bign {
namespace {

std::string bytes_of(std::string_view hex) { return base::from_hex(hex).take(); }
std::string hex_of(const Result<std::string>& bytes) {
  return bytes.ok() ? base::to_hex(*bytes) : bytes.error().message;
}

// The substitution of belt, of which the standard's examples take their messages.
const std::string messages =
    bytes_of("b194bac80a08f53b366d008e584a5de48504fa9d1bb6c7ac252e72c202fdce0d5be3d61217b96181fe6786ad716b890b");
std::string digest_of_first(std::size_t bytes) { return hash::digest_of("belt256", messages.substr(0, bytes)); }

// STB 34.101.45, annex G, as bee2 2.2.4 has it in test/crypto/bign_test.c.
const std::string secret = bytes_of("1f66b5b84b7339674533f0329c74f21834281fed0732429e0c79235fc273e269");
const std::string public_key = bytes_of(
    "bd1a5650179d79e03fcee49d4c2bd5ddf54ce46d0cf11e4ff87bf7a890857fd0"
    "7ac6a60361e8c8173491686d461b2826190c2eda5909054a9ab84d2ab9d99a90");
const std::string g2 =
    bytes_of("e36b7f0377ae4c524027c387fadf1b20ce72f1530b71f2b5fd3a8c584fe2e1aed20082e30c8af65011f4fb54649dfd3d");
const std::string g3 =
    bytes_of("47a63c8b9c936e94b5fab3d9cbd78366290f3210e163eec8db4e921e8479d4138f112cc23e6dce65ec5ff21df4231c28");
// The one-time secrets of the two, which the standard draws from its random number generator: k = S1 + H + (S0+2^l)d,
// computed with Python's integers.
const std::string k2 = bytes_of("4c0e74b2cd5811ad21f23de7e0fa742c3ed6ec483c461ce15c33a77aa308b7d2");
const std::string k3 = bytes_of("0a4e8298be0839e46f19409f637f4415572251dd0d39284f0f0390d93bbce9ec");

TEST(Bign, GivesTheStandardsPublicKey) { EXPECT_EQ(hex_of(public_key_of(secret)), base::to_hex(public_key)); }

TEST(Bign, VerifiesTheStandardsSignatures) {
  EXPECT_TRUE(verify(public_key, digest_of_first(13), g2));
  EXPECT_TRUE(verify(public_key, digest_of_first(48), g3));
  EXPECT_FALSE(verify(public_key, digest_of_first(48), g2));
  EXPECT_FALSE(verify(public_key, digest_of_first(13), g3));
}

TEST(Bign, MakesTheStandardsSignaturesFromItsOneTimeSecrets) {
  EXPECT_EQ(hex_of(sign_with(secret, digest_of_first(13), k2)), base::to_hex(g2));
  EXPECT_EQ(hex_of(sign_with(secret, digest_of_first(48), k3)), base::to_hex(g3));
}

// Tables G.6 and G.7; t is empty, and then 23 bytes of the substitution from its byte 192.
TEST(Bign, DerivesTheStandardsOneTimeSecrets) {
  EXPECT_EQ(hex_of(one_time_secret(secret, digest_of_first(13), {})),
            "829614d8411dbbc4e1f2471a4004586440fd8c9553fab6a1a45ce417ae97111e");
  EXPECT_EQ(
      hex_of(one_time_secret(secret, digest_of_first(48), bytes_of("be32971343fc9a48a02a885f194b09a17ecda4d01544af"))),
      "7adc8713283ebfa547a2ad9cdfb245ae0f7b968df0f91cb785d1f932a3583107");
}

TEST(Bign, WhatItSignsItVerifiesAndNothingElse) {
  const std::string digest = digest_of_first(20);
  for (const char* t : {"", "x", "another"}) {
    const std::string made = sign(secret, digest, t).take();
    EXPECT_TRUE(verify(public_key, digest, made));
    for (std::size_t bit = 0; bit < 8 * made.size(); bit += 5) {
      std::string changed = made;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(verify(public_key, digest, changed)) << "bit " << bit;
    }
  }
}

TEST(Bign, RefusesWhatIsOutOfItsBounds) {
  const std::string digest = digest_of_first(13);
  const std::string order = bytes_of("07663d2699bf5a7efc4dfb0dd68e5cd9ffffffffffffffffffffffffffffffff");
  EXPECT_FALSE(verify(public_key, digest, g2 + '\0'));
  EXPECT_FALSE(verify(public_key, digest, g2.substr(1)));
  EXPECT_FALSE(verify(public_key, digest, {}));
  EXPECT_FALSE(verify(public_key, digest, std::string(signature_bytes, '\0')));
  EXPECT_FALSE(verify(public_key, digest, std::string(signature_bytes, '\xff')));
  EXPECT_FALSE(verify(public_key, digest, g2.substr(0, 16) + order));
  EXPECT_FALSE(verify(public_key, digest.substr(1), g2));
  EXPECT_FALSE(verify({}, digest, g2));
  EXPECT_FALSE(verify(public_key.substr(1), digest, g2));
  // A point beside the curve; the origin; coordinates above p, which name the generator modulo p.
  std::string beside = public_key;
  beside[0] ^= 1;
  EXPECT_FALSE(is_point(beside));
  EXPECT_FALSE(verify(beside, digest, g2));
  EXPECT_FALSE(is_point(std::string(public_bytes, '\0')));
  const std::string p = bytes_of("43ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
  const std::string y = bytes_of("936a510418cf291e52f608c4663991785d83d651a3c9e45c9fd616fb3cfcf76b");
  EXPECT_TRUE(is_point(std::string(32, '\0') + y));
  EXPECT_FALSE(is_point(p + y));
  for (const std::string& bad : {std::string(32, '\0'), order, std::string(32, '\xff'), std::string(31, '\1')}) {
    EXPECT_FALSE(sign(bad, digest, {}).ok());
    EXPECT_FALSE(public_key_of(bad).ok());
    EXPECT_FALSE(sign_with(secret, digest, bad).ok());
  }
  EXPECT_FALSE(sign(secret, "short", {}).ok());
}

// S1 with q added says the same modulo q, and is refused: one signature has one form.
TEST(Bign, RefusesANumberThatIsNotReduced) {
  // A signature whose S1 is below 2^256 - q is too rare to be found; that of a chosen key is made backwards:
  // with S1 = 5 and Q = (S0 + 2^l)^-1 (R - (5 + H)G) for any R.
  const std::string digest = bytes_of("386aceeead53ceee51637141811d04bce5cd355d30d6a73cb7c7140281ebee13");
  const std::string key = bytes_of(
      "6b03d203c3e9613b6974de048849a4308d9246aaa6152b13ec62e340d9b0c8fc8a668ade3ff9738ad3d4edbf45b30faaf255480b2f64303f"
      "7f87943fa0c506ab");
  const std::string signature =
      bytes_of("4f183a51c86163cad3a847bfa41be7a40500000000000000000000000000000000000000000000000000000000000000");
  const std::string unreduced =
      bytes_of("4f183a51c86163cad3a847bfa41be7a40c663d2699bf5a7efc4dfb0dd68e5cd9ffffffffffffffffffffffffffffffff");
  EXPECT_TRUE(verify(key, digest, signature));
  EXPECT_FALSE(verify(key, digest, unreduced));
}

// Secrets at the edges of the constant-time arithmetic, against Python's integers (tests/independent/bign.py).
struct Edge {
  const char* secret;
  const char* public_key;
};
const Edge edges[] = {{"0100000000000000000000000000000000000000000000000000000000000000",
                       "0000000000000000000000000000000000000000000000000000000000000000936a510418cf291e52f608c46639917"
                       "85d83d651a3c9e45c9fd616fb3cfcf76b"},
                      {"0200000000000000000000000000000000000000000000000000000000000000",
                       "95098f82b33bf507c8d0ad2c0c098355b35bc9ad1d2611361ed205d9e319842d8a25cf497638026ccd7e3a938a1e624"
                       "94856540077b2f5fa4e75dc1bd89026e6"},
                      {"06663d2699bf5a7efc4dfb0dd68e5cd9ffffffffffffffffffffffffffffffff",
                       "0000000000000000000000000000000000000000000000000000000000000000b094aefbe730d6e1ad09f73b99c66e8"
                       "7a27c29ae5c361ba36029e904c3030894"},
                      {"05663d2699bf5a7efc4dfb0dd68e5cd9ffffffffffffffffffffffffffffffff",
                       "95098f82b33bf507c8d0ad2c0c098355b35bc9ad1d2611361ed205d9e319842db9d930b689c7fd933281c56c75e19db"
                       "6b7a9abff884d0a05b18a23e4276fd919"},
                      {"ffffffffffffffff000000000000000000000000000000000000000000000000",
                       "6bc16335b5920ff807707a4622fc68facbe62cc50f526b20bf754f4b3d5fc541566edb63cefe784872b6d21ea12a7ab"
                       "384f087923b6c3a6a7b58d86bc13c1e01"},
                      {"0000000000000000000000000000000001000000000000000000000000000000",
                       "3844c1c2448fd61d707f47476b5905e5a28b94f49dd1cf98436dccccacbe7c33e8bdc0db21a9456c97dd46371f01ee8"
                       "161591c8a21301508059c7f28d095fb44"},
                      {"0000000000000000000000000000000000000000000000000000000000000080",
                       "1c80747851f95c5f4cfe24421241744fb7cf38e7400b02668a08ce48b46f3290b93de306edd58cda24a7abb9b8f7a85"
                       "7187db7959def1787ad5196c6370e81d2"},
                      {"03b31e93cc5f2d3ffea6fd066b47aeecffffffffffffffffffffffffffffff7f",
                       "d4414575331e581fb731bd8397db80b61c38981dc2fb11a876496ae9343a2c192030d5b8d8df7d9639426ff740bbccd"
                       "50db64423e2fb45728bb17c611d915e2d"}};

TEST(Bign, AgreesWithPlainIntegersAtTheEdges) {
  for (const Edge& edge : edges) {
    const std::string d = bytes_of(edge.secret);
    EXPECT_EQ(hex_of(public_key_of(d)), edge.public_key);
    for (const std::string& digest : {std::string(32, '\0'), std::string(32, '\xff'), digest_of_first(7)}) {
      const auto made = sign(d, digest, "t");
      ASSERT_TRUE(made.ok());
      EXPECT_TRUE(verify(bytes_of(edge.public_key), digest, *made));
    }
  }
}

}  // namespace
}  // namespace exhibit::manifest::bign
