// The table of digests; SHA-256, SHA-384 and SHA-512 (FIPS 180-4); HMAC (RFC 2104).

#include "digest.h"

#include <array>
#include <bit>

namespace exhibit_verify {
namespace {

// Section 4.2.3: the fractional parts of the cube roots of the first 80 primes. SHA-256 (section 4.2.2) has the first
// 32 bits of the first 64 of them.
constexpr std::array<std::uint64_t, 80> roots = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

// Section 5.3: the fractional parts of the square roots of the first eight primes (SHA-512; SHA-256 has their first 32
// bits), and of the next eight (SHA-384).
constexpr std::array<std::uint64_t, 8> initial = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                                  0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                                  0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
constexpr std::array<std::uint64_t, 8> initial384 = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17,
                                                     0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
                                                     0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};

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

template <typename Word>
constexpr Word top_bits(std::uint64_t value) {
  return static_cast<Word>(value >> (64 - 8 * sizeof(Word)));
}

template <typename Word>
class Sha2 : public BlockDigest<16 * sizeof(Word)> {
 public:
  Sha2(const std::array<std::uint64_t, 8>& start, std::size_t size) : size_(size) {
    for (std::size_t i = 0; i < 8; ++i) state_[i] = top_bits<Word>(start[i]);
  }

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
    std::array<Word, Form::rounds> schedule;
    for (std::size_t t = 0; t < 16; ++t) {
      schedule[t] = 0;
      for (std::size_t i = 0; i < sizeof(Word); ++i)
        schedule[t] = schedule[t] << 8 | static_cast<unsigned char>(block[t * sizeof(Word) + i]);
    }
    for (std::size_t t = 16; t < Form::rounds; ++t)
      schedule[t] = small(schedule[t - 2], Form::small1) + schedule[t - 7] + small(schedule[t - 15], Form::small0) +
                    schedule[t - 16];
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t t = 0; t < Form::rounds; ++t) {
      const Word first = h + sum(e, Form::sum1) + ((e & f) ^ (~e & g)) + top_bits<Word>(roots[t]) + schedule[t];
      const Word second = sum(a, Form::sum0) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    const std::array<Word, 8> added = {a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < 8; ++i) state_[i] += added[i];
  }

  std::size_t size_;
  std::array<Word, 8> state_;
};

std::unique_ptr<Digest> make_sha256() { return std::make_unique<Sha2<std::uint32_t>>(initial, 32); }
std::unique_ptr<Digest> make_sha384() { return std::make_unique<Sha2<std::uint64_t>>(initial384, 48); }
std::unique_ptr<Digest> make_sha512() { return std::make_unique<Sha2<std::uint64_t>>(initial, 64); }

struct Kind {
  View name;
  std::size_t size;
  std::unique_ptr<Digest> (*make)();
};
constexpr Kind kinds[] = {{"sha256", 32, make_sha256},           {"sha384", 48, make_sha384},
                          {"sha512", 64, make_sha512},           {"streebog256", 32, make_streebog256},
                          {"streebog512", 64, make_streebog512}, {"belt256", 32, make_belt}};

const Kind* find(View name) {
  const auto* at =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const Kind& kind) { return kind.name == name; });
  return at == std::end(kinds) ? nullptr : at;
}

}  // namespace

std::unique_ptr<Digest> make_digest(View name) { return find(name) == nullptr ? nullptr : find(name)->make(); }
std::size_t digest_size(View name) { return find(name) == nullptr ? 0 : find(name)->size; }

Bytes digest_of(View name, View bytes) {
  const auto digest = make_digest(name);
  digest->update(bytes);
  return digest->finish();
}

Bytes hmac_sha256(View key, View bytes) {
  constexpr std::size_t block = 64;
  Bytes inner = key.size() > block ? sha256(key) : Bytes(key);
  inner.resize(block, '\0');
  Bytes outer = inner;
  for (char& c : inner) c ^= 0x36;
  for (char& c : outer) c ^= 0x5C;
  return sha256(outer + sha256(inner + Bytes(bytes)));
}

}  // namespace exhibit_verify
