#pragma once
// bash-256, bash-384 and bash-512 (STB 34.101.77). Words of 64 bits, the least significant byte first.

#include "sha2.h"

namespace exhibit_verify {

using State = std::array<std::uint64_t, 24>;

// bash-s (6.1) on one column of the state; the rotations of column j are those of column 0, times 7^j modulo 64.
inline void bash_column(State& state, std::size_t j, const std::array<int, 4>& by) {
  std::uint64_t &a = state[j], &b = state[8 + j], &c = state[16 + j];
  const std::uint64_t before = a;
  a ^= b ^ c;
  const std::uint64_t mixed = b ^ std::rotl(a, by[1]);
  b = mixed ^ std::rotl(before, by[0]);
  c ^= std::rotl(c, by[2]) ^ std::rotl(mixed, by[3]);
  const std::uint64_t for_a = ~c | b, for_b = a | c, for_c = a & b;
  a ^= for_a, b ^= for_b, c ^= for_c;
}

// bash-f (6.2).
inline void bash_f(State& state) {
  constexpr std::size_t from[] = {15, 10, 9, 12, 11, 14, 13, 8, 17, 16, 19, 18, 21, 20, 23, 22, 6, 3, 0, 5, 2, 7, 4, 1};
  std::uint64_t constant = 0x3bf5080ac8ba94b1;
  for (int round = 0; round < 24; ++round) {
    std::array<int, 4> by = {8, 53, 14, 1};
    for (std::size_t j = 0; j < 8; ++j) {
      bash_column(state, j, by);
      for (int& turn : by) turn = turn * 7 % 64;
    }
    const State old = state;
    for (std::size_t i = 0; i < 24; ++i) state[i] = old[from[i]];
    state[23] ^= constant;
    constant = constant >> 1 ^ (constant & 1) * 0xdc2be1997fe0d8ae;
  }
}

// The hash (7) of `size` bytes: blocks take the place of the state's first bytes.
template <std::size_t size>
class Bash : public BlockDigest<192 - 2 * size> {
 public:
  Bash() { state_[23] = size; }

  Bytes finish() override {
    Bytes last = this->held() + '\x40';
    last.resize(192 - 2 * size, '\0');
    take(last);
    return bytes_of(state_).substr(0, size);
  }

 private:
  void take(View block) override {
    state_ = words_of<State>(Bytes(block) + bytes_of(state_).substr(block.size()));
    bash_f(state_);
  }

  State state_{};
};

}  // namespace exhibit_verify
