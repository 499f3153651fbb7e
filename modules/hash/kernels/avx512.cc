#ifdef __x86_64__
#include <immintrin.h>

#include "hash/kernels/kernel.h"
#include "hash/kernels/rounds.h"

namespace exhibit::hash {
namespace {

using Vector = std::uint32_t __attribute__((vector_size(64)));
static_assert(sizeof(Vector) == lanes * sizeof(std::uint32_t));

EXHIBIT_INLINE __m512i as_bits(Vector x) { return reinterpret_cast<__m512i>(x); }
EXHIBIT_INLINE Vector as_words(__m512i x) { return reinterpret_cast<Vector>(x); }

// AVX-512 rotates, and has any function of three bits: the number is its table, z lowest.
struct Words : PlainWords<Vector> {
  template <int bits>
  static EXHIBIT_INLINE Vector rotate_left(Vector x) {
    return as_words(_mm512_rol_epi32(as_bits(x), bits));
  }
  template <int table>
  static EXHIBIT_INLINE Vector logic(Vector x, Vector y, Vector z) {
    return as_words(_mm512_ternarylogic_epi32(as_bits(x), as_bits(y), as_bits(z), table));
  }
  static EXHIBIT_INLINE Vector choose(Vector x, Vector y, Vector z) { return logic<0xca>(x, y, z); }
  static EXHIBIT_INLINE Vector majority(Vector x, Vector y, Vector z) { return logic<0xe8>(x, y, z); }
  static EXHIBIT_INLINE Vector parity(Vector x, Vector y, Vector z) { return logic<0x96>(x, y, z); }
  static EXHIBIT_INLINE Vector md5_i(Vector x, Vector y, Vector z) { return logic<0x39>(x, y, z); }
};

// Rows of sixteen words (one stream's block each) become columns: m[i] has word i of every stream. Words, then pairs of
// words within each quarter; then quarters.
EXHIBIT_INLINE void transpose(__m512i (&m)[lanes]) {
  __m512i pairs[lanes], fours[lanes];
  for (std::size_t i = 0; i < lanes; i += 2) {
    pairs[i] = _mm512_unpacklo_epi32(m[i], m[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_epi32(m[i], m[i + 1]);
  }
  for (std::size_t i = 0; i < lanes; i += 4) {
    for (std::size_t half = 0; half < 2; ++half) {
      fours[i + 2 * half] = _mm512_unpacklo_epi64(pairs[i + half], pairs[i + half + 2]);
      fours[i + 2 * half + 1] = _mm512_unpackhi_epi64(pairs[i + half], pairs[i + half + 2]);
    }
  }
  // fours[4 r + c] has, in its quarter q, word 4 q + c of rows 4 r to 4 r + 3.
  for (std::size_t c = 0; c < 4; ++c) {
    const __m512i even_low = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(fours[c], fours[4 + c], 0xdd);
    const __m512i even_high = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0x88);
    const __m512i odd_high = _mm512_shuffle_i32x4(fours[8 + c], fours[12 + c], 0xdd);
    m[c] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
    m[4 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
    m[8 + c] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
    m[12 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
  }
}

template <std::size_t words>
EXHIBIT_INLINE void load(Vector (&h)[words], const std::uint32_t (&values)[words][lanes]) {
  for (std::size_t i = 0; i < words; ++i) h[i] = as_words(_mm512_load_si512(values[i]));
}
template <std::size_t words>
EXHIBIT_INLINE void store(std::uint32_t (&values)[words][lanes], const Vector (&h)[words]) {
  for (std::size_t i = 0; i < words; ++i) _mm512_store_si512(values[i], as_bits(h[i]));
}

EXHIBIT_INLINE Vector byte_swapped(Vector x) {
  const __m512i order = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  return as_words(_mm512_shuffle_epi8(as_bits(x), order));
}

// What the next block of each stream holds, word by word, in both orders of bytes.
struct Message {
  Vector little_endian[lanes], big_endian[lanes];

  EXHIBIT_INLINE Message(const std::byte* const* rows, std::size_t at, Vector ends) {
    __m512i words[lanes];
    for (std::size_t i = 0; i < lanes; ++i) words[i] = _mm512_loadu_si512(rows[i] + at);
    transpose(words);
    for (std::size_t i = 0; i < lanes; ++i) little_endian[i] = as_words(words[i]);
    for (std::size_t i = 0; i < lanes; ++i) big_endian[i] = byte_swapped(little_endian[i]);
    little_endian[14] = Words::choose(ends, big_endian[15], little_endian[14]);
    little_endian[15] = Words::choose(ends, big_endian[14], little_endian[15]);
  }
};

template <DigestSet set>
EXHIBIT_INLINE void take_block(Vector (&md5)[4], Vector (&sha1)[5], Vector (&sha256)[8], const Message& message) {
  Md5Steps<Words> md5_steps(md5, message.little_endian);
  Sha1Steps<Words> sha1_steps(sha1, message.big_endian);
  Sha256Steps<Words> sha256_steps(sha256, message.big_endian);
  if constexpr (set == 1) take_all(md5_steps);
  if constexpr (set == 2) take_all(sha1_steps);
  if constexpr (set == 3) take_all(md5_steps, sha1_steps);
  if constexpr (set == 4) take_all(sha256_steps);
  if constexpr (set == 5) take_all(md5_steps, sha256_steps);
  if constexpr (set == 6) take_all(sha1_steps, sha256_steps);
  if constexpr (set == 7) take_all(md5_steps, sha1_steps, sha256_steps);
  if constexpr ((set & with_md5) != 0) md5_steps.add_to(md5);
  if constexpr ((set & with_sha1) != 0) sha1_steps.add_to(sha1);
  if constexpr ((set & with_sha256) != 0) sha256_steps.add_to(sha256);
}

template <DigestSet set>
void take_blocks(LaneValues& values, const std::byte* const* blocks, unsigned /*busy*/, std::size_t count) {
  Vector md5[4], sha1[5], sha256[8];
  load(md5, values.md5);
  load(sha1, values.sha1);
  load(sha256, values.sha256);
  const Vector ends = as_words(_mm512_load_si512(values.ends));
  for (std::size_t at = 0; at < count * compression_block; at += compression_block) {
    take_block<set>(md5, sha1, sha256, Message(blocks, at, ends));
  }
  store(values.md5, md5);
  store(values.sha1, sha1);
  store(values.sha256, sha256);
}

}  // namespace

extern constinit const LaneKernel avx512_kernel = {
    .name = "avx-512",
    .few = 4,
    .take_blocks = {nullptr, take_blocks<1>, take_blocks<2>, take_blocks<3>, take_blocks<4>, take_blocks<5>,
                    take_blocks<6>, take_blocks<7>}};

}  // namespace exhibit::hash
#endif
