#pragma once
// belt-hash (STB 34.101.31). Words of 32 bits, the least significant byte first.

#include "sha2.h"

namespace exhibit_verify {

using Word = std::uint32_t;
using Half = std::array<Word, 4>;
using Full = std::array<Word, 8>;

// Table 1: the substitution H, in hex. Its first 32 bytes are also the hash's initial value.
inline constexpr View belt_bytes =
    "b194bac80a08f53b366d008e584a5de48504fa9d1bb6c7ac252e72c202fdce0d5be3d61217b96181fe6786ad716b890b5cb0c0ff33c356b8"
    "35c405aed8e07f99e12bdc1ae28257ec703fccf095ee8df1c1ab76389fe678caf7c6f860d5bb9c4ff33c657b637c306add4ea7799eb23d31"
    "3e98b56e27d3bccf591e181f4c5ab793e9dee72c8f0c0fa62ddb49f46f73964706075316ed247a3739cba38303a98bf692bd9b1ce5d14101"
    "5445fbc95e4d0ef2682080aa227d642f2687f93490405511be32971343fc9a48a02a885f194b09a17ecda4d01544af8ca58450bf66d2e88a"
    "a2d7465242a8dfb36974c551eb232921d4efd9b43a622875911410ea776cda1d";

inline const Bytes& belt_table() {
  static const Bytes bytes = *from_hex(belt_bytes);
  return bytes;
}

// G_r: H on each byte, then a rotation to the left by r bits.
inline Word g(int r, Word x) {
  Word out = 0;
  for (int shift = 0; shift < 32; shift += 8)
    out |= Word{static_cast<unsigned char>(belt_table()[x >> shift & 0xFF])} << shift;
  return std::rotl(out, r);
}

// belt-block encryption (6.1.3) of 16 bytes under 32.
inline Half encrypt(const Half& block, const Full& key) {
  auto [a, b, c, d] = block;
  for (Word i = 1; i <= 8; ++i) {
    const auto k = [&](Word j) { return key[(7 * (i - 1) + j) % 8]; };
    b ^= g(5, a + k(0));
    c ^= g(21, d + k(1));
    a -= g(13, b + k(2));
    const Word e = g(21, b + c + k(3)) ^ i;
    b += e;
    c -= e;
    d += g(13, c + k(4));
    b ^= g(21, a + k(5));
    c ^= g(5, d + k(6));
    std::swap(a, b);
    std::swap(c, d);
    std::swap(b, c);
  }
  return {b, d, a, c};
}

inline Half low(const Full& x) { return {x[0], x[1], x[2], x[3]}; }
inline Half high(const Full& x) { return {x[4], x[5], x[6], x[7]}; }
inline Full joined(const Half& a, const Half& b) { return {a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3]}; }

// belt-hash (7.8), whose two sigmas are of belt-compress (6.3): of a block x and the state h = h1 || h2.
class Belt : public BlockDigest<32> {
 public:
  Belt() : state_(words_of<Full>(belt_table())) {}

  Bytes finish() override {
    const std::uint64_t bits = size() * 8;
    if (!held().empty()) take(held() + Bytes(32 - held().size(), '\0'));
    const Half length = {static_cast<Word>(bits), static_cast<Word>(bits >> 32), 0, 0};
    compress(joined(length, sum_));
    return bytes_of(state_);
  }

 private:
  void take(View block) override { sum_ = exclusive_or(sum_, compress(words_of<Full>(block))); }

  // Gives sigma1; the state becomes sigma2.
  Half compress(const Full& x) {
    const Half h1 = low(state_), h2 = high(state_), both = exclusive_or(h1, h2);
    const Half first = exclusive_or(encrypt(both, x), both);
    Half inverse = first;
    for (Word& word : inverse) word = ~word;
    const Half left = exclusive_or(encrypt(low(x), joined(first, h2)), low(x));
    const Half right = exclusive_or(encrypt(high(x), joined(inverse, h1)), high(x));
    state_ = joined(left, right);
    return first;
  }

  Full state_;
  Half sum_{};
};

}  // namespace exhibit_verify
