#include "match/features.h"

#include <gtest/gtest.h>

namespace exhibit::match {
namespace {

bool holds(const char* feature, std::string_view text) { return feature_named(feature)->holds(text); }

// Numbers that payment networks publish for tests; the last digit of each is the sum.
TEST(Features, LuhnTellsCardNumbersFromOtherDigits) {
  for (const char* good :
       {"4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4222222222222",
        ";4111111111111111=2512", "%B5105105105105100^", "20240101 4012888888881881"})
    EXPECT_TRUE(holds("luhn", good)) << good;
  for (const char* bad : {"4111111111111112", "5555555555554445", "378282246310050", "0000000000000000", "411111111111",
                          "41111111111111111111", "", "no digits"})
    EXPECT_FALSE(holds("luhn", bad)) << bad;
}

// The genesis block's address, BIP 16's and BIP 32's examples, and the wallet import format's example of Bitcoin's
// wiki.
TEST(Features, Base58CheckRefusesOneChangedCharacter) {
  for (const char* good : {"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
                           "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ",
                           "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3T"
                           "GtRBeJgk33yuGBxrMPHi"}) {
    EXPECT_TRUE(holds("base58check", good)) << good;
    for (std::size_t i = 0; i < std::string_view(good).size(); ++i) {
      std::string changed(good);
      changed[i] = changed[i] == '2' ? '3' : '2';
      EXPECT_FALSE(holds("base58check", changed)) << changed;
    }
  }
  for (const char* bad : {"", "1", "11111111111111111111111111111111", "1A1zP1eP5QGefi2DMPTfTL5SLmv7Divf0a"})
    EXPECT_FALSE(holds("base58check", bad)) << bad;
}

// The examples of BIP 173 and BIP 350.
TEST(Features, Bech32KnowsBothItsSums) {
  for (const char* good : {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
                           "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"})
    EXPECT_TRUE(holds("bech32", good)) << good;
  for (const char* bad :
       {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7Kv8f3t4", "bc1", "1qqqqqqq",
        // BIP 350: a version 0 program with the sum of the later ones, and the other way round
        "bc1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd"})
    EXPECT_FALSE(holds("bech32", bad)) << bad;
}

}  // namespace
}  // namespace exhibit::match
