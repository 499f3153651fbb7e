// The second verifier against what the standards publish. `exhibit-verify` is all headers but its main: they are
// included as they are, and no other code of ours.

#include <gtest/gtest.h>

#include "case.h"

namespace exhibit_verify {
namespace {

Bytes bytes(View hex) { return *from_hex(hex); }
std::string hex_of(View name, View message) { return to_hex(digest_of(name, message)); }

TEST(KnownAnswers, Sha2) {  // FIPS 180-4's examples, and the empty message
  EXPECT_EQ(hex_of("sha256", ""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_of("sha256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_of("sha256", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hex_of("sha384", "abc"),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(
      hex_of("sha512", "abc"),
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce8"
      "0e2a9ac94fa54ca49f");
  EXPECT_EQ(hex_of("sha256", Bytes(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(KnownAnswers, Hmac) {  // RFC 4231, cases 2 and 6
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(KnownAnswers, Streebog) {  // RFC 6986 section 10; and the empty message
  const Bytes first = "012345678901234567890123456789012345678901234567890123456789012";
  EXPECT_EQ(hex_of("streebog256", first), "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500");
  EXPECT_EQ(
      hex_of("streebog512", first),
      "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa00ad30f8767b3a82384c6574f024c311e2a481332b08ef"
      "7f41797891c1646f48");
  const Bytes second = bytes(
      "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece820ede020f5f0e0e1f0"
      "fbff20efebfaeafb20c8e3eef0e5e2fb");
  EXPECT_EQ(hex_of("streebog256", second), "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50");
  EXPECT_EQ(
      hex_of("streebog512", second),
      "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376035fe83549ada2b8620fcd7c496ce5b33f0cb9dddc2b64"
      "60143b03dabac9fb28");
  EXPECT_EQ(hex_of("streebog256", ""), "3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb");
  EXPECT_EQ(
      hex_of("streebog512", ""),
      "8e945da209aa869f0455928529bcae4679e9873ab707b55315f56ceb98bef0a7362f715528356ee83cda5f2aac4c6ad2ba3a715c1bcd81"
      "cb8e9f90bf4c1c1a8a");
  // gost-engine's etalon/carry: the sum of the blocks carries through all its words.
  const Bytes carry = Bytes(64, '\xee') + '\x16' + Bytes(62, '\x11') + '\x16';
  EXPECT_EQ(hex_of("streebog256", carry), "81bb632fa31fcc38b4c379a662dbc58b9bed83f50d3a1b2ce7271ab02d25babb");
  EXPECT_EQ(
      hex_of("streebog512", carry),
      "8b06f41e59907d9636e892caf5942fcdfb71fa31169a5e70f0edb873664df41c2cce6e06dc6755d15a61cdeb92bd607cc4aaca6732bf3568"
      "a23a210dd520fd41");
}

TEST(KnownAnswers, Belt) {  // STB 34.101.31, A.23: messages are the first bytes of the substitution H
  const Bytes& h = belt_table();
  EXPECT_EQ(hex_of("belt256", h.substr(0, 13)), "abef9725d4c5a83597a367d14494cc2542f20f659ddfecc961a3ec550cba8c75");
  EXPECT_EQ(hex_of("belt256", h.substr(0, 32)), "749e4c3653aece5e48db4761227742eb6dbe13f4a80f7beff1a9cf8d10ee7786");
  EXPECT_EQ(hex_of("belt256", h.substr(0, 48)), "9d02ee446fb6a29fe5c982d4b13af9d3e90861bc4cef27cf306bfb0b174a154a");
  EXPECT_EQ(hex_of("belt256", ""), "eb6ba8bde3821909b63e14764485530fd8e875a23834d41d6c100ac446828c7e");
  EXPECT_EQ(hex_of("belt256", "abc"), "2661a79795a9e80258d6bc1e5d11747247901268ec4cd19237aad051e322b0c2");
  // A.1-1: one block under the key H[128..160).
  const Half block = encrypt(words_of<Half>(h.substr(0, 16)), words_of<Full>(h.substr(128, 32)));
  EXPECT_EQ(block, words_of<Half>(bytes("69cca1c93557c9e3d66bc3e0fa88fa6e")));
}

TEST(KnownAnswers, Bash) {  // STB 34.101.77, A.3: messages are the first bytes of the same H
  struct Published {
    View name;
    std::size_t length;
    View digest;
  };
  const Published published[] = {
      {"bash256", 0, "114c3dfae373d9bcbc3602d6386f2d6a2059ba1bf9048dbaa5146a6cb775709d"},
      {"bash256", 127, "3d7f4efa00e9ba33feed259986567dcf5c6d12d51057a968f14f06cc0f905961"},
      {"bash256", 128, "d7f428311254b8b2d00f7f9eefbd8f3025fa87c4babd1bddbe87e35b7ac80dd6"},
      {"bash256", 135, "1393fa1b65172f2d18946aeae576fa1cf54fdd354a0cb2974a997dc4865d3100"},
      {"bash384", 95,
       "64334af830d33f63e9acdfa184e32522103fff5c6860110a2cd369edbc04387c501d8f92f749ae4de15a8305c353d64d"},
      {"bash384", 96,
       "d06efbc16fd6c0880cbfc6a4e3d65ab101fa82826934190faabebfbffede93b22b85ea72a7fb3147a133a5a8febd8320"},
      {"bash512", 63,
       "2a66c87c189c12e255239406123bdedbf19955eaf0808b2ad705e249220845e20f4786fb6765d0b5c48984b1b16556ef19ea8192b985e42"
       "33"
       "d9c09508d6339e7"},
      {"bash512", 64,
       "07abbf8580e7e5a321e9b940f667ae209e2952cef557978ae743db086bab4885b708233c3f5541df8aafc3611482fde498e58b3379a6622"
       "da"
       "c2664c9c118a162"},
      {"bash512", 192,
       "8724c7ff8a2a83f22e38cb9763777b96a70aba3444f214c763d93cd6d19fcfde6c3d3931857c4ff6cccd49bd99852fe9eaa7495eccdd96b"
       "57"
       "1e0edcf47f89768"},
  };
  for (const auto& [name, length, digest] : published)
    EXPECT_EQ(hex_of(name, belt_table().substr(0, length)), digest) << name << " of " << length << " bytes";
}

TEST(KnownAnswers, TheCorpus) {
  const std::map<std::string, View> names = {
      {"belt-hash", "belt256"}, {"bash-256", "bash256"}, {"bash-384", "bash384"}, {"bash-512", "bash512"}};
  std::ifstream lines(EXHIBIT_CORPORA "/hash/stb-kat.jsonl");
  ASSERT_TRUE(lines) << "no corpora at " EXHIBIT_CORPORA;
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    const auto member = [&](const std::string& key) {
      const std::size_t from = line.find("\"" + key + "\": \"") + key.size() + 5;
      return line.substr(from, line.find('"', from) - from);
    };
    seen.insert(member("alg"));
    EXPECT_EQ(hex_of(names.at(member("alg")), bytes(member("input_hex"))), member("digest")) << line;
  }
  EXPECT_EQ(seen.size(), names.size());
}

TEST(KnownAnswers, Bign) {  // STB 34.101.45, appendix G: G.2 and G.3
  const Curve& curve = *find_curve("1.2.112.0.2.0.34.101.45.3.1", KeyKind::bign);
  const Bytes key = bytes(
      "bd1a5650179d79e03fcee49d4c2bd5ddf54ce46d0cf11e4ff87bf7a890857fd07ac6a60361e8c8173491686d461b2826190c2eda5909054a"
      "9ab8"
      "4d2ab9d99a90");
  const Number x = Number::from_little_endian(key.substr(0, 32)), y = Number::from_little_endian(key.substr(32));
  const auto good = [&](std::size_t length, const Bytes& signature) {
    return verify_on_curve(curve, x, y, digest_of("belt256", belt_table().substr(0, length)), signature);
  };
  const Bytes g2 =
      bytes("e36b7f0377ae4c524027c387fadf1b20ce72f1530b71f2b5fd3a8c584fe2e1aed20082e30c8af65011f4fb54649dfd3d");
  const Bytes g3 =
      bytes("47a63c8b9c936e94b5fab3d9cbd78366290f3210e163eec8db4e921e8479d4138f112cc23e6dce65ec5ff21df4231c28");
  EXPECT_TRUE(good(13, g2));
  EXPECT_TRUE(good(48, g3));
  EXPECT_FALSE(good(48, g2));
  for (std::size_t i = 0; i < g2.size(); ++i) {
    Bytes changed = g2;
    changed[i] ^= 1;
    EXPECT_FALSE(good(13, changed)) << i;
  }
}

// GOST R 34.10-2012, the examples of its appendix A (RFC 7091 section 7): e is given there, not a message; the digest
// is that number with its least significant byte first.
bool gost_example(const Curve& curve, View x, View y, View e, View r, View s) {
  const Bytes number = bytes(e), digest(number.rbegin(), number.rend());
  return verify_on_curve(curve, Number::from_hex_text(x), Number::from_hex_text(y), digest, bytes(s) + bytes(r));
}

TEST(KnownAnswers, Gost256) {
  const Curve curve = {KeyKind::gost256, "the example's", "1.2.643.2.2.35.0",
                       "8000000000000000000000000000000000000000000000000000000000000431 7 "
                       "5fbff498aa938ce739b8e022fbafef40563f6e6a3472fc2a514c0ce9dae23b7e "
                       "8000000000000000000000000000000150fe8a1892976154c59cfc193accf5b3 2 "
                       "8e2a8a0e65147d4bd6316030e16d19c85c97f0a9ca267122b96abbcea7e8fc8"};
  const View x = "7f2b49e270db6d90d8595bec458b50c58585ba1d4e9b788f6689dbd8e56fd80b";
  const View y = "26f1b489d6701dd185c8413a977b3cbbaf64d1c593d26627dffb101a87ff77da";
  const View e = "2dfbc1b372d89a1188c09c52e0eec61fce52032ab1022e8e67ece6672b043ee5";
  const View r = "41aa28d2f1ab148280cd9ed56feda41974053554a42767b83ad043fd39dc0493";
  const View s = "01456c64ba4642a1653c235a98a60249bcd6d3f746b631df928014f6c5bf9c40";
  EXPECT_TRUE(gost_example(curve, x, y, e, r, s));
  EXPECT_FALSE(gost_example(curve, x, y, e, s, r));
  EXPECT_FALSE(gost_example(curve, x, y, x, r, s));
}

TEST(KnownAnswers, Gost512) {
  const Curve curve = {KeyKind::gost512, "the example's", "1.2.643.7.1.2.1.2.0",
                       "4531acd1fe0023c7550d267b6b2fee80922b14b2ffb90f04d4eb7c09b5d2d15df1d852741af4704a0458047e80e4546"
                       "d35b8336fac224dd81664bbf528be6373 7 "
                       "1cff0806a31116da29d8cfa54e57eb748bc5f377e49400fdd788b649eca1ac4361834013b2ad7322480a89ca58e0cf7"
                       "4bc9e540c2add6897fad0a3084f302adc "
                       "4531acd1fe0023c7550d267b6b2fee80922b14b2ffb90f04d4eb7c09b5d2d15da82f2d7ecb1dbac719905c5eecc423f"
                       "1d86e25edbe23c595d644aaf187e6e6df "
                       "24d19cc64572ee30f396bf6ebbfd7a6c5213b3b3d7057cc825f91093a68cd762fd60611262cd838dc6b60aa7eee804e"
                       "28bc849977fac33b4b530f1b120248a9a "
                       "2bb312a43bd2ce6e0d020613c857acddcfbf061e91e5f2c3f32447c259f39b2c83ab156d77f1496bf7eb3351e1ee4e4"
                       "3dc1a18b91b24640b6dbb92cb1add371e"};
  const View x =
      "115dc5bc96760c7b48598d8ab9e740d4c4a85a65be33c1815b5c320c854621dd5a515856d13314af69bc5b924c8b4ddff75c45415c1d9dd9"
      "dd33612cd530efe1";
  const View y =
      "37c7c90cd40b0f5621dc3ac1b751cfa0e2634fa0503b3d52639f5d7fb72afd61ea199441d943ffe7f0c70a2759a3cdb84c114e1f9339fdf2"
      "7f35eca93677beec";
  const View e =
      "3754f3cfacc9e0615c4f4a7c4d8dab531b09b6f9c170c533a71d147035b0c5917184ee536593f4414339976c647c5d5a407adedb1d560c4f"
      "c6777d2972075b8c";
  const View r =
      "2f86fa60a081091a23dd795e1e3c689ee512a3c82ee0dcc2643c78eea8fcacd35492558486b20f1c9ec197c90699850260c93bcbcd9c5c33"
      "17e19344e173ae36";
  const View s =
      "1081b394696ffe8e6585e7a9362d26b6325f56778aadbc081c0bfbe933d52ff5823ce288e8c4f362526080df7f70ce406a6eeb1f56919cb9"
      "2a9853bde73e5b4a";
  EXPECT_TRUE(gost_example(curve, x, y, e, r, s));
  EXPECT_FALSE(gost_example(curve, x, y, e, s, r));
  EXPECT_FALSE(gost_example(curve, x, y, x, r, s));
}

TEST(KnownAnswers, TheTree) {  // RFC 9162; inputs and roots of transparency-dev/merkle
  const std::vector<Bytes> leaves = {"",
                                     bytes("00"),
                                     bytes("10"),
                                     bytes("2021"),
                                     bytes("3031"),
                                     bytes("40414243"),
                                     bytes("5051525354555657"),
                                     bytes("606162636465666768696a6b6c6d6e6f")};
  const std::vector<std::string> roots = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                          "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Tree tree("sha256");
  EXPECT_EQ(to_hex(tree.root()), roots[0]);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    tree.add(leaf_hash("sha256", "", leaves[i]));
    EXPECT_EQ(to_hex(tree.root()), roots[i + 1]);
  }
  // The audit path of leaf 5 in the tree of 8 (its sibling, then two subtrees), and the range 2 … 4 of the tree of 5.
  const auto root_of = [&](std::size_t from, std::size_t to) {
    Tree part("sha256");
    for (std::size_t i = from; i < to; ++i) part.add(leaf_hash("sha256", "", leaves[i]));
    return part.root();
  };
  const std::vector<Bytes> path = {root_of(4, 5), root_of(6, 8), root_of(0, 4)};
  EXPECT_EQ(to_hex(root_of_path("sha256", root_of(5, 6), 5, 8, path)), roots[8]);
  EXPECT_NE(to_hex(root_of_path("sha256", root_of(5, 6), 4, 8, path)), roots[8]);
  EXPECT_THROW(root_of_path("sha256", root_of(5, 6), 5, 16, path), Refused);
  EXPECT_THROW(root_of_path("sha256", root_of(5, 6), 0, 2, path), Refused);
  const std::vector<Bytes> known = {root_of(2, 3), root_of(3, 4), root_of(4, 5)}, outside = {root_of(0, 2)};
  EXPECT_EQ(to_hex(RangeProof{"sha256", 5, 2, known, outside}.root()), roots[5]);
  const std::vector<Bytes> none, two = {root_of(0, 2), root_of(0, 2)};
  EXPECT_THROW((RangeProof{"sha256", 5, 2, known, none}.root()), Refused);
  EXPECT_THROW((RangeProof{"sha256", 5, 2, known, two}.root()), Refused);
  EXPECT_THROW((RangeProof{"sha256", 5, 3, known, outside}.root()), Refused);
}

TEST(KnownAnswers, CurvesAreWhatTheySay) {
  for (const Curve& curve : curves) {
    const std::vector<Number> numbers = curve.numbers();
    ASSERT_EQ(numbers.size(), 6u);
    const Group group(curve);
    EXPECT_TRUE(group.has(numbers[4], numbers[5])) << curve.name;
    // (q - 1) * base + 1 * base is the point at infinity.
    const Point base = group.point(numbers[4], numbers[5]);
    EXPECT_TRUE(group.sum(numbers[3] - Number(1), Number(1), base).z.is_zero()) << curve.name;
    EXPECT_FALSE(group.sum(numbers[3] - Number(2), Number(1), base).z.is_zero()) << curve.name;
    EXPECT_FALSE(group.has(numbers[4], numbers[5] + Number(1))) << curve.name;
  }
}

TEST(KnownAnswers, CanonicalJson) {  // RFC 8785 section 3.2.3: the order of keys; and what is refused
  const Bytes order =
      "{\"\\r\":1,\"1\":2,\"\xC2\x80\":3,\"\xC3\xB6\":4,\"\xE2\x82\xAC\":5,\"\xF0\x9F\x98\x80\":6,\"\xEF\xAC\xB3\":7}";
  EXPECT_EQ(canonical(parse_canonical(order)), order);
  for (const View bad : {"{\"b\":1,\"a\":2}",
                         "{\"a\":1,\"a\":1}",
                         "[1 ]",
                         " 1",
                         "01",
                         "-0",
                         "1.0",
                         "1e2",
                         "9007199254740993",
                         "\"\\u0041\"",
                         "\"\\/\"",
                         "\"\\u000A\"",
                         "\"\xff\"",
                         "\"\xed\xa0\x80\"",
                         "\"\xc1\xa1\"",
                         "\"\xf4\x90\x80\x80\"",
                         "\"\\ud800\"",
                         "nul",
                         "tru",
                         "[",
                         "{",
                         "\"",
                         "",
                         "1 2",
                         "[1,]",
                         "{\"a\":1,}",
                         "\"\t\""}) {
    EXPECT_THROW(parse_canonical(bad), Refused) << bad;
  }
  for (const View good :
       {"9007199254740992", "-9007199254740992", "0", "[]", "{}", "\"\\u001f\\n\xC3\xA9\"", "[true,false,null]"})
    EXPECT_EQ(canonical(parse_canonical(good)), good);
}

TEST(KnownAnswers, Times) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_text(1709164800), "2024-02-29T00:00:00Z");
  EXPECT_EQ(time_text(4102444799), "2099-12-31T23:59:59Z");
  const auto seconds = [](Bytes der) { return only_element(der, static_cast<unsigned char>(der[0]), "time").time(); };
  EXPECT_EQ(seconds("\x17\x0D"
                    "240229000000Z"),
            1709164800);
  EXPECT_EQ(seconds("\x18\x0F"
                    "20240229000000Z"),
            1709164800);
  EXPECT_EQ(seconds("\x18\x13"
                    "20240229000000.123Z"),
            1709164800);
  EXPECT_EQ(seconds("\x17\x0D"
                    "500101000000Z"),
            -631152000);  // RFC 5280: 50 is 1950
  EXPECT_THROW(seconds("\x17\x0D"
                       "240229000060X"),
               Refused);
  EXPECT_THROW(seconds("\x18\x0F"
                       "20241329000000Z"),
               Refused);
  EXPECT_THROW(seconds("\x18\x10"
                       "20240229000000.Z"),
               Refused);
}

}  // namespace
}  // namespace exhibit_verify
