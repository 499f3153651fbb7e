#pragma once
// What digests have in common; SHA-256, SHA-384 and SHA-512 (FIPS 180-4).

#include <array>
#include <bit>
#include <memory>

#include "base.h"

namespace exhibit_verify {

class Digest {
 public:
  virtual ~Digest() = default;
  virtual void update(View bytes) = 0;
  virtual Bytes finish() = 0;  // once
};

// A digest that takes its message in blocks of `block` bytes.
template <std::size_t block>
class BlockDigest : public Digest {
 public:
  void update(View bytes) final {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const std::size_t more = std::min(block - held_.size(), bytes.size());
      if (more == block) {
        take(bytes.substr(0, block));
      } else if (held_ += bytes.substr(0, more); held_.size() == block) {
        take(held_);
        held_.clear();
      }
      bytes.remove_prefix(more);
    }
  }

 protected:
  std::uint64_t size() const { return size_; }  // bytes so far
  const Bytes& held() const { return held_; }   // those that don't fill a block yet

 private:
  virtual void take(View full_block) = 0;
  std::uint64_t size_ = 0;
  Bytes held_;
};

// Words whose least significant byte comes first, from bytes and back.
template <typename Words>
Words words_of(View bytes) {
  constexpr std::size_t size = sizeof(typename Words::value_type);
  Words out{};
  for (std::size_t i = 0; i < size * out.size(); ++i)
    out[i / size] |= typename Words::value_type{static_cast<unsigned char>(bytes[i])} << (8 * (i % size));
  return out;
}
template <typename Words>
Bytes bytes_of(const Words& words) {
  Bytes out;
  for (auto word : words) {
    for (std::size_t i = 0; i < sizeof word; ++i) out += static_cast<char>(word >> (8 * i) & 0xFF);
  }
  return out;
}
template <typename Words>
Words exclusive_or(Words a, const Words& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] ^= b[i];
  return a;
}

// Numbers of 64 bits as standards print them: 16 digits each, the most significant first.
inline std::vector<std::uint64_t> words_of_hex(View hex) {
  std::vector<std::uint64_t> out(hex.size() / 16);
  const Bytes bytes = *from_hex(hex);
  for (std::size_t i = 0; i < bytes.size(); ++i) out[i / 8] = out[i / 8] << 8 | static_cast<unsigned char>(bytes[i]);
  return out;
}

// FIPS 180-4 section 4.2.3: the fractional parts of the cube roots of the first 80 primes. SHA-256 (section 4.2.2) has
// the first 32 bits of the first 64 of them.
inline constexpr View roots =
    "428a2f98d728ae227137449123ef65cdb5c0fbcfec4d3b2fe9b5dba58189dbbc3956c25bf348b53859f111f1b605d019923f82a4af194f9b"
    "ab1c5ed5da6d8118d807aa98a303024212835b0145706fbe243185be4ee4b28c550c7dc3d5ffb4e272be5d74f27b896f80deb1fe3b1696b1"
    "9bdc06a725c71235c19bf174cf692694e49b69c19ef14ad2efbe4786384f25e30fc19dc68b8cd5b5240ca1cc77ac9c652de92c6f592b0275"
    "4a7484aa6ea6e4835cb0a9dcbd41fbd476f988da831153b5983e5152ee66dfaba831c66d2db43210b00327c898fb213fbf597fc7beef0ee4"
    "c6e00bf33da88fc2d5a79147930aa72506ca6351e003826f142929670a0e6e7027b70a8546d22ffc2e1b21385c26c9264d2c6dfc5ac42aed"
    "53380d139d95b3df650a73548baf63de766a0abb3c77b2a881c2c92e47edaee692722c851482353ba2bfe8a14cf10364a81a664bbc423001"
    "c24b8b70d0f89791c76c51a30654be30d192e819d6ef5218d69906245565a910f40e35855771202a106aa07032bbd1b819a4c116b8d2d0c8"
    "1e376c085141ab532748774cdf8eeb9934b0bcb5e19b48a8391c0cb3c5c95a634ed8aa4ae3418acb5b9cca4f7763e373682e6ff3d6b2b8a3"
    "748f82ee5defb2fc78a5636f43172f6084c87814a1f0ab728cc702081a6439ec90befffa23631e28a4506cebde82bde9bef9a3f7b2c67915"
    "c67178f2e372532bca273eceea26619cd186b8c721c0c207eada7dd6cde0eb1ef57d4f7fee6ed17806f067aa72176fba0a637dc5a2c898a6"
    "113f9804bef90dae1b710b35131c471b28db77f523047d8432caab7b40c724933c9ebe0a15c9bebc431d67c49c100d4c4cc5d4becb3e42b6"
    "597f299cfc657e2a5fcb6fab3ad6faec6c44198c4a475817";
// Section 5.3: the fractional parts of the square roots of the first eight primes (SHA-512; SHA-256 has their first 32
// bits), and of the next eight (SHA-384).
inline constexpr View initial =
    "6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1510e527fade682d19b05688c2b3e6c1f1f83d9abfb41bd6b"
    "5be0cd19137e2179";
inline constexpr View initial384 =
    "cbbb9d5dc1059ed8629a292a367cd5079159015a3070dd17152fecd8f70e593967332667ffc00b318eb44a8768581511db0c2e0d64f98fa7"
    "47b5481dbefa4fa4";

// What differs between the two word sizes: the rounds, and by how much each function of section 4.1 rotates; the last
// number of `small` is a shift.
template <typename Word>
struct Shape;
template <>
struct Shape<std::uint32_t> {
  static constexpr std::size_t rounds = 64;
  static constexpr int sum0[] = {2, 13, 22}, sum1[] = {6, 11, 25}, small0[] = {7, 18, 3}, small1[] = {17, 19, 10};
};
template <>
struct Shape<std::uint64_t> {
  static constexpr std::size_t rounds = 80;
  static constexpr int sum0[] = {28, 34, 39}, sum1[] = {14, 18, 41}, small0[] = {1, 8, 7}, small1[] = {19, 61, 6};
};

template <typename Word>
constexpr Word sum(Word x, const int (&by)[3]) {
  return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ std::rotr(x, by[2]);
}
template <typename Word>
constexpr Word small(Word x, const int (&by)[3]) {
  return std::rotr(x, by[0]) ^ std::rotr(x, by[1]) ^ (x >> by[2]);
}

// The table's numbers, of which Word takes as many first bits as it has.
template <typename Word>
std::vector<Word> table(View hex) {
  std::vector<Word> out;
  for (const std::uint64_t number : words_of_hex(hex))
    out.push_back(static_cast<Word>(number >> (64 - 8 * sizeof(Word))));
  return out;
}

template <typename Word>
class Sha2 : public BlockDigest<16 * sizeof(Word)> {
 public:
  Sha2(const View* start, std::size_t size) : size_(size), state_(table<Word>(*start)) {}

  // Section 5.1: a one bit, zeros, and the length in bits in the last two words of a block.
  Bytes finish() override {
    constexpr std::size_t block = 16 * sizeof(Word), length = 2 * sizeof(Word);
    const std::uint64_t bits = this->size() * 8;
    Bytes end = "\x80";
    while ((this->size() + end.size() + length) % block != 0) end += '\0';
    this->update(end + Bytes(length - 8, '\0') + big_endian(bits, 8));
    Bytes out;
    for (const Word word : state_) out += big_endian(word, sizeof(Word));
    return out.substr(0, size_);
  }

 private:
  // Section 6.2.2, 6.4.2.
  void take(View block) override {
    using Form = Shape<Word>;
    static const std::vector<Word> k = table<Word>(roots);
    std::array<Word, Form::rounds> schedule;
    for (std::size_t t = 0; t < 16; ++t) {
      schedule[t] = 0;
      for (std::size_t i = 0; i < sizeof(Word); ++i)
        schedule[t] = schedule[t] << 8 | static_cast<unsigned char>(block[t * sizeof(Word) + i]);
    }
    for (std::size_t t = 16; t < Form::rounds; ++t)
      schedule[t] = small(schedule[t - 2], Form::small1) + schedule[t - 7] + small(schedule[t - 15], Form::small0) +
                    schedule[t - 16];
    Word a = state_[0], b = state_[1], c = state_[2], d = state_[3];
    Word e = state_[4], f = state_[5], g = state_[6], h = state_[7];
    for (std::size_t t = 0; t < Form::rounds; ++t) {
      const Word first = h + sum(e, Form::sum1) + ((e & f) ^ (~e & g)) + k[t] + schedule[t];
      const Word second = sum(a, Form::sum0) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    const std::array<Word, 8> added = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state_[i] += added[i];
  }

  std::size_t size_;
  std::vector<Word> state_;
};

}  // namespace exhibit_verify
