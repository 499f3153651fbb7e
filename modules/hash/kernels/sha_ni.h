#pragma once
// One stream of each digest, cut into sixteen parts a block, so that any number of streams can be interleaved: SHA-1
// and SHA-256 by the processor's SHA extensions (Intel SDM volume 2: SHA1RNDS4, SHA256RNDS2 and their like), MD5 by its
// integer instructions. Only for files compiled with -msha -msse4.1 (see kernel.h).

#include <immintrin.h>

#include <cstring>

#include "hash/kernels/kernel.h"
#include "hash/kernels/rounds.h"

namespace exhibit::hash {

class Md5Stream {
 public:
  EXHIBIT_INLINE Md5Stream(const std::uint32_t (&h)[4], const std::byte* blocks)
      : a_(h[0]), b_(h[1]), c_(h[2]), d_(h[3]), blocks_(blocks) {}

  EXHIBIT_INLINE void begin() { a0_ = a_, b0_ = b_, c0_ = c_, d0_ = d_; }
  template <int part>
  EXHIBIT_INLINE void take() {
    step<4 * part>();
    step<4 * part + 1>();
    step<4 * part + 2>();
    step<4 * part + 3>();
  }
  EXHIBIT_INLINE void end() {
    a_ += a0_, b_ += b0_, c_ += c0_, d_ += d0_;
    blocks_ += compression_block;
  }
  EXHIBIT_INLINE void store(std::uint32_t (&h)[4]) const { h[0] = a_, h[1] = b_, h[2] = c_, h[3] = d_; }

 private:
  // RFC 1321 section 3.4. The step waits for b alone: what doesn't need it is added first. In the second round the two
  // terms of G share no bit, so they may be added one by one.
  template <int i>
  EXHIBIT_INLINE void step() {
    std::uint32_t word;
    std::memcpy(&word, blocks_ + 4 * md5_word(i), sizeof word);
    std::uint32_t sum = a_ + word + md5_constants[i];
    if constexpr (i < 16) {
      sum += ((c_ ^ d_) & b_) ^ d_;
    } else if constexpr (i < 32) {
      sum += c_ & ~d_;
      sum += b_ & d_;
    } else if constexpr (i < 48) {
      sum += b_ ^ (c_ ^ d_);
    } else {
      sum += c_ ^ (b_ | ~d_);
    }
    a_ = d_;
    d_ = c_;
    c_ = b_;
    b_ += PlainWords<std::uint32_t>::rotate_left<md5_rotations[i / 16][i % 4]>(sum);
  }

  std::uint32_t a_, b_, c_, d_, a0_ = 0, b0_ = 0, c0_ = 0, d0_ = 0;
  const std::byte* blocks_;
};

EXHIBIT_INLINE __m128i load(const void* bytes) { return _mm_loadu_si128(static_cast<const __m128i*>(bytes)); }
EXHIBIT_INLINE void store(void* bytes, __m128i x) { _mm_storeu_si128(static_cast<__m128i*>(bytes), x); }

class Sha1Stream {
 public:
  EXHIBIT_INLINE Sha1Stream(const std::uint32_t (&h)[5], const std::byte* blocks)
      : abcd_(_mm_shuffle_epi32(load(h), 0x1b)), e_(_mm_set_epi32(static_cast<int>(h[4]), 0, 0, 0)), blocks_(blocks) {}

  EXHIBIT_INLINE void begin() { abcd0_ = abcd_, e0_ = e_; }
  template <int part>
  EXHIBIT_INLINE void take() {
    // Twenty groups of four rounds in sixteen parts.
    group<part * 5 / 4>();
    if constexpr (part % 4 == 3) group<part * 5 / 4 + 1>();
  }
  EXHIBIT_INLINE void end() {
    e_ = _mm_sha1nexte_epu32(before_, e0_);
    abcd_ = _mm_add_epi32(abcd_, abcd0_);
    blocks_ += compression_block;
  }
  EXHIBIT_INLINE void store(std::uint32_t (&h)[5]) const {
    hash::store(h, _mm_shuffle_epi32(abcd_, 0x1b));
    h[4] = static_cast<std::uint32_t>(_mm_extract_epi32(e_, 3));
  }

 private:
  // FIPS 180-4 section 6.1.2, t = 4 g to 4 g + 3; the first word stands highest.
  template <int g>
  EXHIBIT_INLINE void group() {
    __m128i& word = w_[g % 4];
    if constexpr (g < 4) {
      const __m128i reversed = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
      word = _mm_shuffle_epi8(load(blocks_ + 16 * g), reversed);
    } else {
      const __m128i early = _mm_xor_si128(_mm_sha1msg1_epu32(word, w_[(g + 1) % 4]), w_[(g + 2) % 4]);
      word = _mm_sha1msg2_epu32(early, w_[(g + 3) % 4]);
    }
    const __m128i e = g == 0 ? _mm_add_epi32(e_, word) : _mm_sha1nexte_epu32(before_, word);
    before_ = abcd_;
    abcd_ = _mm_sha1rnds4_epu32(abcd_, e, g / 5);
  }

  __m128i abcd_, e_, abcd0_{}, e0_{};
  __m128i before_{};  // abcd as it was four rounds ago: its a gives the next e
  __m128i w_[4]{};
  const std::byte* blocks_;
};

class Sha256Stream {
 public:
  EXHIBIT_INLINE Sha256Stream(const std::uint32_t (&h)[8], const std::byte* blocks) : blocks_(blocks) {
    const __m128i cdab = _mm_shuffle_epi32(load(h), 0xb1), efgh = _mm_shuffle_epi32(load(h + 4), 0x1b);
    abef_ = _mm_alignr_epi8(cdab, efgh, 8);
    cdgh_ = _mm_blend_epi16(efgh, cdab, 0xf0);
  }

  EXHIBIT_INLINE void begin() { abef0_ = abef_, cdgh0_ = cdgh_; }
  // FIPS 180-4 section 6.2.2, t = 4 g to 4 g + 3; the first word stands lowest.
  template <int g>
  EXHIBIT_INLINE void take() {
    __m128i& word = w_[g % 4];
    if constexpr (g < 4) {
      const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
      word = _mm_shuffle_epi8(load(blocks_ + 16 * g), big_endian);
    } else {
      const __m128i seven_ago = _mm_alignr_epi8(w_[(g + 3) % 4], w_[(g + 2) % 4], 4);
      const __m128i early = _mm_add_epi32(_mm_sha256msg1_epu32(word, w_[(g + 1) % 4]), seven_ago);
      word = _mm_sha256msg2_epu32(early, w_[(g + 3) % 4]);
    }
    const __m128i sum = _mm_add_epi32(word, load(sha256_constants.words + 4 * g));
    cdgh_ = _mm_sha256rnds2_epu32(cdgh_, abef_, sum);
    abef_ = _mm_sha256rnds2_epu32(abef_, cdgh_, _mm_shuffle_epi32(sum, 0x0e));
  }
  EXHIBIT_INLINE void end() {
    abef_ = _mm_add_epi32(abef_, abef0_);
    cdgh_ = _mm_add_epi32(cdgh_, cdgh0_);
    blocks_ += compression_block;
  }
  EXHIBIT_INLINE void store(std::uint32_t (&h)[8]) const {
    const __m128i feba = _mm_shuffle_epi32(abef_, 0x1b), dchg = _mm_shuffle_epi32(cdgh_, 0xb1);
    hash::store(h, _mm_blend_epi16(feba, dchg, 0xf0));
    hash::store(h + 4, _mm_alignr_epi8(dchg, feba, 8));
  }

 private:
  __m128i abef_, cdgh_, abef0_{}, cdgh0_{};
  __m128i w_[4]{};
  const std::byte* blocks_;
};

template <int part, typename... Streams>
EXHIBIT_INLINE void take_parts(Streams&... streams) {
  if constexpr (part < 16) {
    (streams.template take<part>(), ...);
    take_parts<part + 1>(streams...);
  }
}

// Takes each stream `count` blocks further.
template <typename... Streams>
EXHIBIT_INLINE void interleave(std::size_t count, Streams&... streams) {
  for (; count > 0; --count) {
    (streams.begin(), ...);
    take_parts<0>(streams...);
    (streams.end(), ...);
  }
}

}  // namespace exhibit::hash
