#include "hash/bash.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace exhibit::hash {
namespace {

using Word = std::uint64_t;
using State = std::array<Word, 24>;

static_assert(std::endian::native == std::endian::little, "the state's bytes are its words, little-endian");

// bash-s: the substitution of three words, whose rotations depend on their column.
inline void substitute(Word& a, Word& b, Word& c, int m1, int n1, int m2, int n2) {
  const Word turned = std::rotl(a, m1);
  a ^= b ^ c;
  const Word mixed = b ^ std::rotl(a, n1);
  b = turned ^ mixed;
  c ^= std::rotl(c, m2) ^ std::rotl(mixed, n2);
  const Word for_a = ~c | b, for_b = a | c, for_c = a & b;
  a ^= for_a;
  b ^= for_b;
  c ^= for_c;
}

// The rotations of column 0; those of each next column are seven times these, modulo 64.
struct Turns {
  int m1 = 8, n1 = 53, m2 = 14, n2 = 1;
};
constexpr auto turns = [] {
  std::array<Turns, 8> all{};
  for (std::size_t j = 1; j < all.size(); ++j) {
    const Turns& before = all[j - 1];
    all[j] = {before.m1 * 7 % 64, before.n1 * 7 % 64, before.m2 * 7 % 64, before.n2 * 7 % 64};
  }
  return all;
}();

// Word i comes from place order[i].
constexpr std::array<std::size_t, 24> order = {15, 10, 9,  12, 11, 14, 13, 8, 17, 16, 19, 18,
                                               21, 20, 23, 22, 6,  3,  0,  5, 2,  7,  4,  1};

// bash-f, of 24 rounds.
void permute(State& state) {
  constexpr Word first_constant = 0x3bf5080ac8ba94b1;  // B194BAC80A08F53B, the first bytes of belt's H
  constexpr Word feedback = 0xdc2be1997fe0d8ae;        // AED8E07F99E12BDC
  Word constant = first_constant;
  for (int round = 0; round < 24; ++round) {
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 8; ++j)
      substitute(state[j], state[8 + j], state[16 + j], turns[j].m1, turns[j].n1, turns[j].m2, turns[j].n2);
    State moved;
#pragma GCC unroll 24
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] = state[order[i]];
    state = moved;
    state[23] ^= constant;
    constant = constant >> 1 ^ ((constant & 1) != 0 ? feedback : 0);
  }
}

}  // namespace

BashHash::BashHash(std::size_t digest_bytes)
    : digest_bytes_(digest_bytes), block_bytes_(sizeof(State) - 2 * digest_bytes) {
  EXHIBIT_CHECK(digest_bytes == 32 || digest_bytes == 48 || digest_bytes == 64);
  start();
}

void BashHash::start() {
  state_ = {};
  state_.back() = digest_bytes_;  // the level divided by four
  filled_ = 0;
}

void BashHash::update(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), block_bytes_ - filled_));
    std::memcpy(reinterpret_cast<char*>(state_.data()) + filled_, piece.data(), piece.size());
    filled_ += piece.size();
    bytes = bytes.subspan(piece.size());
    if (filled_ < block_bytes_) return;
    permute(state_);
    filled_ = 0;
  }
}

// The message is followed by the bits 01 and then zeros, up to a whole block; there is always such an end.
std::string BashHash::finish() {
  char* bytes = reinterpret_cast<char*>(state_.data());
  bytes[filled_] = 0x40;
  std::fill(bytes + filled_ + 1, bytes + block_bytes_, '\0');
  permute(state_);
  const std::string digest(bytes, digest_bytes_);
  start();
  return digest;
}

}  // namespace exhibit::hash
