#include "hash/belt.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace exhibit::hash {
namespace {

using Word = std::uint32_t;
using Half = BeltHash::Half;

// STB 34.101.31: the substitution H. Its first 32 bytes are also the hash's initial value.
constexpr std::array<std::uint8_t, 256> substitution = {
    0xb1, 0x94, 0xba, 0xc8, 0x0a, 0x08, 0xf5, 0x3b, 0x36, 0x6d, 0x00, 0x8e, 0x58, 0x4a, 0x5d, 0xe4, 0x85, 0x04, 0xfa,
    0x9d, 0x1b, 0xb6, 0xc7, 0xac, 0x25, 0x2e, 0x72, 0xc2, 0x02, 0xfd, 0xce, 0x0d, 0x5b, 0xe3, 0xd6, 0x12, 0x17, 0xb9,
    0x61, 0x81, 0xfe, 0x67, 0x86, 0xad, 0x71, 0x6b, 0x89, 0x0b, 0x5c, 0xb0, 0xc0, 0xff, 0x33, 0xc3, 0x56, 0xb8, 0x35,
    0xc4, 0x05, 0xae, 0xd8, 0xe0, 0x7f, 0x99, 0xe1, 0x2b, 0xdc, 0x1a, 0xe2, 0x82, 0x57, 0xec, 0x70, 0x3f, 0xcc, 0xf0,
    0x95, 0xee, 0x8d, 0xf1, 0xc1, 0xab, 0x76, 0x38, 0x9f, 0xe6, 0x78, 0xca, 0xf7, 0xc6, 0xf8, 0x60, 0xd5, 0xbb, 0x9c,
    0x4f, 0xf3, 0x3c, 0x65, 0x7b, 0x63, 0x7c, 0x30, 0x6a, 0xdd, 0x4e, 0xa7, 0x79, 0x9e, 0xb2, 0x3d, 0x31, 0x3e, 0x98,
    0xb5, 0x6e, 0x27, 0xd3, 0xbc, 0xcf, 0x59, 0x1e, 0x18, 0x1f, 0x4c, 0x5a, 0xb7, 0x93, 0xe9, 0xde, 0xe7, 0x2c, 0x8f,
    0x0c, 0x0f, 0xa6, 0x2d, 0xdb, 0x49, 0xf4, 0x6f, 0x73, 0x96, 0x47, 0x06, 0x07, 0x53, 0x16, 0xed, 0x24, 0x7a, 0x37,
    0x39, 0xcb, 0xa3, 0x83, 0x03, 0xa9, 0x8b, 0xf6, 0x92, 0xbd, 0x9b, 0x1c, 0xe5, 0xd1, 0x41, 0x01, 0x54, 0x45, 0xfb,
    0xc9, 0x5e, 0x4d, 0x0e, 0xf2, 0x68, 0x20, 0x80, 0xaa, 0x22, 0x7d, 0x64, 0x2f, 0x26, 0x87, 0xf9, 0x34, 0x90, 0x40,
    0x55, 0x11, 0xbe, 0x32, 0x97, 0x13, 0x43, 0xfc, 0x9a, 0x48, 0xa0, 0x2a, 0x88, 0x5f, 0x19, 0x4b, 0x09, 0xa1, 0x7e,
    0xcd, 0xa4, 0xd0, 0x15, 0x44, 0xaf, 0x8c, 0xa5, 0x84, 0x50, 0xbf, 0x66, 0xd2, 0xe8, 0x8a, 0xa2, 0xd7, 0x46, 0x52,
    0x42, 0xa8, 0xdf, 0xb3, 0x69, 0x74, 0xc5, 0x51, 0xeb, 0x23, 0x29, 0x21, 0xd4, 0xef, 0xd9, 0xb4, 0x3a, 0x62, 0x28,
    0x75, 0x91, 0x14, 0x10, 0xea, 0x77, 0x6c, 0xda, 0x1d};

// G_r: H on each byte of a word, then a rotation to the left by r. rotated[k][x] is H(x) rotated by
// 5 + 8k, which is what byte x in position (k - (r - 5) / 8) mod 4 gives to G_r.
constexpr auto make_rotated() {
  std::array<std::array<Word, 256>, 4> rotated{};
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t x = 0; x < 256; ++x) rotated[k][x] = std::rotl(Word{substitution[x]}, static_cast<int>(5 + 8 * k));
  }
  return rotated;
}
constexpr auto rotated = make_rotated();

struct ByTables {
  template <std::size_t r>
  static Word g(Word x) {
    constexpr std::size_t shift = (r - 5) / 8;
    return rotated[shift % 4][x & 0xff] ^ rotated[(shift + 1) % 4][x >> 8 & 0xff] ^
           rotated[(shift + 2) % 4][x >> 16 & 0xff] ^ rotated[(shift + 3) % 4][x >> 24];
  }
};

// G_r for secrets: the whole of H is read for each byte, so that neither an address nor a branch depends on it.
struct ByScan {
  template <std::size_t r>
  static Word g(Word x) {
    Word out = 0;
    for (int shift = 0; shift < 32; shift += 8) {
      Word found = 0;
      for (Word i = 0; i < substitution.size(); ++i) {
        const Word other = i ^ (x >> shift & 0xff);  // 0 at the byte's own place
        found |= Word{substitution[i]} & (Word{0} - ((other - 1) >> 31));
      }
      out |= found << shift;
    }
    return std::rotl(out, static_cast<int>(r));
  }
};

struct Key {
  std::array<Word, 8> words;
};

// belt-block encryption of `lanes` independent blocks at once: a processor does two nearly in the time
// of one.
template <typename G, std::size_t lanes>
inline void encrypt(std::array<Half, lanes>& blocks, const std::array<Key, lanes>& keys) {
  std::array<Word, lanes> a, b, c, d;
  for (std::size_t i = 0; i < lanes; ++i) {
    a[i] = blocks[i][0];
    b[i] = blocks[i][1];
    c[i] = blocks[i][2];
    d[i] = blocks[i][3];
  }
#pragma GCC unroll 8
  for (Word round = 1; round <= 8; ++round) {
    for (std::size_t i = 0; i < lanes; ++i) {
      const auto key = [&](Word j) { return keys[i].words[(7 * (round - 1) + j) % 8]; };
      b[i] ^= G::template g<5>(a[i] + key(0));
      c[i] ^= G::template g<21>(d[i] + key(1));
      a[i] -= G::template g<13>(b[i] + key(2));
      const Word e = G::template g<21>(b[i] + c[i] + key(3)) ^ round;
      b[i] += e;
      c[i] -= e;
      d[i] += G::template g<13>(c[i] + key(4));
      b[i] ^= G::template g<21>(a[i] + key(5));
      c[i] ^= G::template g<5>(d[i] + key(6));
      std::swap(a[i], b[i]);
      std::swap(c[i], d[i]);
      std::swap(b[i], c[i]);
    }
  }
  for (std::size_t i = 0; i < lanes; ++i) blocks[i] = {b[i], d[i], a[i], c[i]};
}

inline Half operator^(const Half& x, const Half& y) { return {x[0] ^ y[0], x[1] ^ y[1], x[2] ^ y[2], x[3] ^ y[3]}; }
inline Half operator~(const Half& x) { return {~x[0], ~x[1], ~x[2], ~x[3]}; }
inline Key join(const Half& x, const Half& y) { return {{x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]}}; }

// belt-compress of h and the block X: h becomes sigma2, the result is sigma1.
template <typename G>
Half compress(Half& h0, Half& h1, const Half& x0, const Half& x1) {
  const Half sum = h0 ^ h1;
  std::array<Half, 1> mixed = {sum};
  encrypt<G, 1>(mixed, {join(x0, x1)});
  const Half sigma1 = mixed[0] ^ sum;
  std::array<Half, 2> halves = {x0, x1};
  encrypt<G, 2>(halves, {join(sigma1, h1), join(~sigma1, h0)});
  h0 = halves[0] ^ x0;
  h1 = halves[1] ^ x1;
  return sigma1;
}

static_assert(std::endian::native == std::endian::little, "blocks are loaded as little-endian words");

Half load(const void* bytes) {
  Half half;
  std::memcpy(half.data(), bytes, sizeof half);
  return half;
}

std::string join_bytes(const Half& first, const Half& second) {
  std::string bytes(2 * sizeof(Half), '\0');
  std::memcpy(bytes.data(), first.data(), sizeof first);
  std::memcpy(bytes.data() + sizeof first, second.data(), sizeof second);
  return bytes;
}

std::array<std::uint64_t, 2> bit_count(std::uint64_t bytes) { return {bytes << 3, bytes >> 61}; }  // little-endian

}  // namespace

std::string belt_hash_of_secret(std::string_view message) {
  Half s = {};
  Half h0 = load(substitution.data());
  Half h1 = load(substitution.data() + sizeof h0);
  for (std::size_t at = 0; at < message.size(); at += 2 * sizeof(Half)) {
    std::array<char, 2 * sizeof(Half)> block{};
    std::ranges::copy(message.substr(at, block.size()), block.begin());
    s = s ^ compress<ByScan>(h0, h1, load(block.data()), load(block.data() + sizeof s));
  }
  compress<ByScan>(h0, h1, load(bit_count(message.size()).data()), s);
  return join_bytes(h0, h1);
}

std::string belt_wide_block_of_secret(std::string_view block, std::string_view key) {
  EXHIBIT_CHECK(block.size() == 2 * sizeof(Half) && key.size() == 2 * sizeof(Half));
  Half left = load(block.data());
  Half right = load(block.data() + sizeof left);
  const Key words = join(load(key.data()), load(key.data() + sizeof left));
  for (Word round = 1; round <= 4; ++round) {
    std::array<Half, 1> mixed = {left};
    encrypt<ByScan, 1>(mixed, {words});
    mixed[0][0] ^= round;
    const Half next = right ^ mixed[0];
    right = left;
    left = next;
  }
  return join_bytes(left, right);
}

void BeltHash::start() {
  length_ = 0;
  s_ = {};
  h0_ = load(substitution.data());
  h1_ = load(substitution.data() + sizeof h0_);
  filled_ = 0;
}

void BeltHash::take_block(const std::byte* bytes) {
  s_ = s_ ^ compress<ByTables>(h0_, h1_, load(bytes), load(bytes + sizeof s_));
}

void BeltHash::update(std::span<const std::byte> bytes) {
  length_ += bytes.size();
  if (filled_ > 0) {
    const auto piece = bytes.first(std::min(bytes.size(), block_bytes - filled_));
    std::ranges::copy(piece, buffer_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += piece.size();
    bytes = bytes.subspan(piece.size());
    if (filled_ < block_bytes) return;
    take_block(buffer_.data());
    filled_ = 0;
  }
  for (; bytes.size() >= block_bytes; bytes = bytes.subspan(block_bytes)) take_block(bytes.data());
  std::ranges::copy(bytes, buffer_.begin());
  filled_ = bytes.size();
}

std::string BeltHash::finish() {
  if (filled_ > 0) {
    std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.end(), std::byte{0});
    take_block(buffer_.data());
  }
  compress<ByTables>(h0_, h1_, load(bit_count(length_).data()), s_);
  const std::string digest = join_bytes(h0_, h1_);
  start();
  return digest;
}

std::string BeltHash::chaining_value() const {
  std::string bytes;
  for (const Half* half : {&s_, &h0_, &h1_}) bytes.append(reinterpret_cast<const char*>(half->data()), sizeof *half);
  return bytes;
}

bool BeltHash::resume(std::string_view chaining_value, std::uint64_t length) {
  if (chaining_value.size() != 3 * sizeof(Half) || length % block_bytes != 0) return false;
  s_ = load(chaining_value.data());
  h0_ = load(chaining_value.data() + sizeof(Half));
  h1_ = load(chaining_value.data() + 2 * sizeof(Half));
  length_ = length;
  filled_ = 0;
  return true;
}

}  // namespace exhibit::hash
