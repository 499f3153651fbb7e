#include "match/features.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace exhibit::match {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The first run of digits that is long enough for a card.
std::string_view card_digits(std::string_view text) {
  constexpr std::size_t shortest = 13, longest = 19;  // ISO/IEC 7812-1, and what networks issue
  for (auto begin = text.begin(); begin != text.end();) {
    begin = std::find_if(begin, text.end(), is_digit);
    const auto end = std::find_if_not(begin, text.end(), is_digit);
    const auto length = static_cast<std::size_t>(end - begin);
    if (length >= shortest && length <= longest) return {begin, end};
    begin = end;
  }
  return {};
}

bool holds_luhn(std::string_view text) {
  const std::string_view digits = card_digits(text);
  // Zeros alone have a right sum and are no card; nor is one digit over and over.
  if (digits.empty() || std::all_of(digits.begin(), digits.end(), [&](char c) { return c == digits[0]; })) return false;
  unsigned sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const auto value = static_cast<unsigned>(digits[digits.size() - 1 - i] - '0');
    const unsigned doubled = i % 2 == 1 ? value * 2 : value;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 == 0;
}

constexpr std::string_view base58_alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

// Big-endian, with a zero byte for each leading '1'; empty where a character isn't of the alphabet.
std::vector<std::uint8_t> base58_bytes(std::string_view text) {
  std::vector<std::uint8_t> little;  // the number's bytes, lowest first
  for (const char c : text) {
    const std::size_t digit = base58_alphabet.find(c);
    if (digit == std::string_view::npos) return {};
    auto carry = static_cast<unsigned>(digit);
    for (std::uint8_t& byte : little) {
      carry += 58U * byte;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    if (carry != 0) little.push_back(static_cast<std::uint8_t>(carry));
  }
  const std::size_t zeros = std::min(text.find_first_not_of('1'), text.size());
  little.insert(little.end(), zeros, 0);
  std::reverse(little.begin(), little.end());
  return little;
}

using Sha256 = std::array<std::uint8_t, 32>;

bool sha256_of(std::span<const std::uint8_t> bytes, Sha256& digest) {
  return EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1;
}

bool holds_base58check(std::string_view text) {
  constexpr std::size_t longest = 128;  // an extended key has 111 characters (BIP 32)
  constexpr std::size_t sum_size = 4, shortest = 1 + 20 + sum_size;
  if (text.size() > longest) return false;
  const std::vector<std::uint8_t> bytes = base58_bytes(text);
  if (bytes.size() < shortest) return false;
  const auto payload = std::span(bytes).first(bytes.size() - sum_size);
  Sha256 once{}, twice{};
  if (!sha256_of(payload, once) || !sha256_of(once, twice)) return false;
  return std::equal(bytes.end() - sum_size, bytes.end(), twice.begin());
}

constexpr std::string_view bech32_alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

// BIP 173, "Checksum".
std::uint32_t bech32_step(std::uint32_t sum, std::uint32_t value) {
  constexpr std::array<std::uint32_t, 5> generators = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  const std::uint32_t top = sum >> 25;
  sum = (sum & 0x1ffffff) << 5 ^ value;
  for (unsigned i = 0; i < generators.size(); ++i) sum ^= (top >> i & 1) != 0 ? generators[i] : 0;
  return sum;
}

bool holds_bech32(std::string_view text) {
  constexpr std::size_t longest = 90, sum_length = 6;                // BIP 173
  constexpr std::uint32_t bech32_sum = 1, bech32m_sum = 0x2bc830a3;  // BIP 173, BIP 350
  std::string lower(text);
  const bool has_upper = std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool has_lower = std::any_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::size_t separator = lower.rfind('1');
  if (has_upper == has_lower || lower.size() > longest || separator == std::string::npos || separator == 0)
    return false;
  if (lower.size() - separator - 1 <= sum_length) return false;
  std::uint32_t sum = 1;
  for (std::size_t i = 0; i < separator; ++i) sum = bech32_step(sum, static_cast<unsigned char>(lower[i]) >> 5);
  sum = bech32_step(sum, 0);
  for (std::size_t i = 0; i < separator; ++i) sum = bech32_step(sum, static_cast<unsigned char>(lower[i]) & 31);
  for (std::size_t i = separator + 1; i < lower.size(); ++i) {
    const std::size_t value = bech32_alphabet.find(lower[i]);
    if (value == std::string_view::npos) return false;
    sum = bech32_step(sum, static_cast<std::uint32_t>(value));
  }
  return sum == (lower[separator + 1] == bech32_alphabet[0] ? bech32_sum : bech32m_sum);
}

constexpr Feature table[] = {{"base58check", holds_base58check}, {"bech32", holds_bech32}, {"luhn", holds_luhn}};

}  // namespace

std::span<const Feature> features() { return table; }

const Feature* feature_named(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(table), std::end(table), [&](const auto& f) { return f.name == name; });
  return found == std::end(table) ? nullptr : found;
}

}  // namespace exhibit::match
