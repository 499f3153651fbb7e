#pragma once
// The compression functions written once, over a type of word: a number for one stream, a vector for several side by
// side. `Words` gives the type (Word) and what processors do in different ways (rotate_left, choose, majority, all_of).

#include <cstdint>

#include "hash/kernels/constants.h"

#define EXHIBIT_INLINE __attribute__((always_inline)) inline

namespace exhibit::hash {

// Works for numbers and for the compiler's vectors.
template <typename W>
struct PlainWords {
  using Word = W;
  template <int bits>
  static EXHIBIT_INLINE Word rotate_left(Word x) {
    return (x << bits) | (x >> (32 - bits));
  }
  // FIPS 180-4 section 4.1.1: Ch, Maj and Parity.
  static EXHIBIT_INLINE Word choose(Word x, Word y, Word z) { return ((y ^ z) & x) ^ z; }
  static EXHIBIT_INLINE Word majority(Word x, Word y, Word z) { return (x & y) | ((x | y) & z); }
  static EXHIBIT_INLINE Word parity(Word x, Word y, Word z) { return x ^ y ^ z; }
  // RFC 1321 section 3.4: I.
  static EXHIBIT_INLINE Word md5_i(Word x, Word y, Word z) { return y ^ (x | ~z); }
};

// The three below are one compression each: made from the chaining value h and the message's block, taken through its
// steps in order, and added to the chaining value.

// RFC 1321 section 3.4. The message's words are little-endian numbers.
template <typename Words>
struct Md5Steps {
  using Word = typename Words::Word;
  static constexpr int count = 64;
  Word a, b, c, d;
  const Word* message;

  EXHIBIT_INLINE Md5Steps(const Word (&h)[4], const Word (&words)[16])
      : a(h[0]), b(h[1]), c(h[2]), d(h[3]), message(words) {}

  template <int i>
  EXHIBIT_INLINE void step() {
    Word sum = a + message[md5_word(i)] + md5_constants[i];
    if constexpr (i < 16) {
      sum += Words::choose(b, c, d);
    } else if constexpr (i < 32) {
      sum += Words::choose(d, b, c);
    } else if constexpr (i < 48) {
      sum += Words::parity(b, c, d);
    } else {
      sum += Words::md5_i(b, c, d);
    }
    a = d;
    d = c;
    c = b;
    b += Words::template rotate_left<md5_rotations[i / 16][i % 4]>(sum);
  }

  EXHIBIT_INLINE void add_to(Word (&h)[4]) const { h[0] += a, h[1] += b, h[2] += c, h[3] += d; }
};

// FIPS 180-4 section 6.1.2. The message's words are big-endian numbers.
template <typename Words>
struct Sha1Steps {
  using Word = typename Words::Word;
  static constexpr int count = 80;
  Word a, b, c, d, e;
  Word w[16];  // the schedule's last sixteen words

  EXHIBIT_INLINE Sha1Steps(const Word (&h)[5], const Word (&words)[16]) : a(h[0]), b(h[1]), c(h[2]), d(h[3]), e(h[4]) {
    for (int i = 0; i < 16; ++i) w[i] = words[i];
  }

  template <int t>
  EXHIBIT_INLINE void step() {
    Word& word = w[t % 16];
    if constexpr (t >= 16) {
      word = Words::template rotate_left<1>(Words::parity(w[(t - 3) % 16], w[(t - 8) % 16], w[(t - 14) % 16]) ^ word);
    }
    Word sum = e + word + sha1_constants[t / 20];
    if constexpr (t < 20) {
      sum += Words::choose(b, c, d);
    } else if constexpr (t >= 40 && t < 60) {
      sum += Words::majority(b, c, d);
    } else {
      sum += Words::parity(b, c, d);
    }
    e = d;
    d = c;
    c = Words::template rotate_left<30>(b);
    b = a;
    a = sum + Words::template rotate_left<5>(a);
  }

  EXHIBIT_INLINE void add_to(Word (&h)[5]) const { h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e; }
};

// FIPS 180-4 section 6.2.2. The message's words are big-endian numbers.
template <typename Words>
struct Sha256Steps {
  using Word = typename Words::Word;
  static constexpr int count = 64;
  Word letters[8];  // a to h of the standard; step t has its a in letters[-t mod 8], so that nothing moves
  Word w[16];       // the schedule's last sixteen words

  EXHIBIT_INLINE Sha256Steps(const Word (&h)[8], const Word (&words)[16]) {
    for (int i = 0; i < 8; ++i) letters[i] = h[i];
    for (int i = 0; i < 16; ++i) w[i] = words[i];
  }

  // FIPS 180-4 section 4.1.2: Σ (three rotations) and σ (two and a shift).
  template <int r1, int r2, int r3>
  static EXHIBIT_INLINE Word big_sigma(Word x) {
    return Words::parity(Words::template rotate_left<32 - r1>(x), Words::template rotate_left<32 - r2>(x),
                         Words::template rotate_left<32 - r3>(x));
  }
  template <int r1, int r2, int shift>
  static EXHIBIT_INLINE Word small_sigma(Word x) {
    return Words::parity(Words::template rotate_left<32 - r1>(x), Words::template rotate_left<32 - r2>(x), x >> shift);
  }

  template <int t>
  EXHIBIT_INLINE void step() {
    Word& word = w[t % 16];
    if constexpr (t >= 16) {
      word += small_sigma<17, 19, 10>(w[(t - 2) % 16]) + w[(t - 7) % 16] + small_sigma<7, 18, 3>(w[(t - 15) % 16]);
    }
    constexpr int start = 8 - t % 8;
    Word &a = letters[start % 8], &b = letters[(start + 1) % 8], &c = letters[(start + 2) % 8];
    Word &d = letters[(start + 3) % 8], &e = letters[(start + 4) % 8], &f = letters[(start + 5) % 8];
    Word &g = letters[(start + 6) % 8], &h = letters[(start + 7) % 8];
    h += big_sigma<6, 11, 25>(e) + Words::choose(e, f, g) + (word + sha256_constants.words[t]);
    d += h;
    h += big_sigma<2, 13, 22>(a) + Words::majority(a, b, c);
  }

  EXHIBIT_INLINE void add_to(Word (&h)[8]) const {
    for (int i = 0; i < 8; ++i) h[i] += letters[i];
  }
};

template <int first, int end, typename Steps>
EXHIBIT_INLINE void take_steps(Steps& steps) {
  if constexpr (first < end) {
    steps.template step<first>();
    take_steps<first + 1, end>(steps);
  }
}

// Takes several compressions through their steps, each at an even pace.
template <int slice = 0, typename... Steps>
EXHIBIT_INLINE void take_all(Steps&... steps) {
  constexpr int slices = 16;  // a digest's steps are a multiple of this
  if constexpr (slice < slices) {
    (take_steps<slice * Steps::count / slices, (slice + 1) * Steps::count / slices>(steps), ...);
    take_all<slice + 1>(steps...);
  }
}

}  // namespace exhibit::hash
