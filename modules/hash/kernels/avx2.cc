#ifdef __x86_64__
#include "hash/kernels/sha_ni.h"

namespace exhibit::hash {
namespace {

using Vector = std::uint32_t __attribute__((vector_size(32)));
using Words = PlainWords<Vector>;
constexpr std::size_t half = 8;  // lanes that a vector has

EXHIBIT_INLINE __m256i as_bits(Vector x) { return reinterpret_cast<__m256i>(x); }
EXHIBIT_INLINE Vector as_words(__m256i x) { return reinterpret_cast<Vector>(x); }

// Rows of eight words (half a block of each stream) become columns: words[i] has word i of every stream.
EXHIBIT_INLINE void transpose(const std::byte* const* rows, std::size_t at, Vector* words) {
  __m256i m[half], pairs[half], fours[half];
  for (std::size_t i = 0; i < half; ++i) m[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(rows[i] + at));
  for (std::size_t i = 0; i < half; i += 2) {
    pairs[i] = _mm256_unpacklo_epi32(m[i], m[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_epi32(m[i], m[i + 1]);
  }
  for (std::size_t i = 0; i < half; i += 4) {
    for (std::size_t odd = 0; odd < 2; ++odd) {
      fours[i + 2 * odd] = _mm256_unpacklo_epi64(pairs[i + odd], pairs[i + odd + 2]);
      fours[i + 2 * odd + 1] = _mm256_unpackhi_epi64(pairs[i + odd], pairs[i + odd + 2]);
    }
  }
  // fours[4 r + c] has, in its part q, word 4 q + c of rows 4 r to 4 r + 3.
  for (std::size_t c = 0; c < 4; ++c) {
    words[c] = as_words(_mm256_permute2x128_si256(fours[c], fours[4 + c], 0x20));
    words[4 + c] = as_words(_mm256_permute2x128_si256(fours[c], fours[4 + c], 0x31));
  }
}

EXHIBIT_INLINE Vector byte_swapped(Vector x) {
  const __m256i order = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
  return as_words(_mm256_shuffle_epi8(as_bits(x), order));
}

// Eight streams' MD5.
struct Md5Half {
  Vector h[4], ends, message[16];

  EXHIBIT_INLINE Md5Half(const LaneValues& values, std::size_t lane) {
    const auto load = [lane](const std::uint32_t* row) {
      return as_words(_mm256_load_si256(reinterpret_cast<const __m256i*>(row + lane)));
    };
    for (std::size_t i = 0; i < 4; ++i) h[i] = load(values.md5[i]);
    ends = load(values.ends);
  }
  EXHIBIT_INLINE void read(const std::byte* const* rows, std::size_t at) {
    transpose(rows, at, message);
    transpose(rows, at + compression_block / 2, message + 8);
    const Vector low = byte_swapped(message[15]), high = byte_swapped(message[14]);
    message[14] = Words::choose(ends, low, message[14]);
    message[15] = Words::choose(ends, high, message[15]);
  }
  EXHIBIT_INLINE void store(LaneValues& values, std::size_t lane) const {
    for (std::size_t i = 0; i < 4; ++i) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(values.md5[i] + lane), as_bits(h[i]));
    }
  }
};

// Two vectors, since one waits for its own last step.
void take_md5(LaneValues& values, const std::byte* const* blocks, std::size_t count) {
  Md5Half left(values, 0), right(values, half);
  for (std::size_t at = 0; at < count * compression_block; at += compression_block) {
    left.read(blocks, at);
    right.read(blocks + half, at);
    Md5Steps<Words> left_steps(left.h, left.message), right_steps(right.h, right.message);
    take_all(left_steps, right_steps);
    left_steps.add_to(left.h);
    right_steps.add_to(right.h);
  }
  left.store(values, 0);
  right.store(values, half);
}

// One lane's column as the stream that goes on with it, and back.
template <typename Stream, std::size_t words>
struct Column {
  std::uint32_t (&values)[words][lanes];
  std::size_t lane;

  EXHIBIT_INLINE Stream stream(const std::byte* blocks) const {
    std::uint32_t h[words];
    for (std::size_t i = 0; i < words; ++i) h[i] = values[i][lane];
    return Stream(h, blocks);
  }
  EXHIBIT_INLINE void store(const Stream& stream) const {
    std::uint32_t h[words];
    stream.store(h);
    for (std::size_t i = 0; i < words; ++i) values[i][lane] = h[i];
  }
};

// A digest of all lanes: two at once, or the one of them that is busy.
template <typename Stream, std::size_t words>
EXHIBIT_INLINE void take_pairs(std::uint32_t (&values)[words][lanes], const std::byte* const* blocks, unsigned busy,
                               std::size_t count) {
  for (std::size_t i = 0; i < lanes; i += 2) {
    const unsigned which = busy >> i & 3;
    if (which == 0) continue;
    const Column<Stream, words> left{values, which == 2 ? i + 1 : i}, right{values, i + 1};
    Stream left_stream = left.stream(blocks[left.lane]);
    if (which == 3) {
      Stream right_stream = right.stream(blocks[right.lane]);
      interleave(count, left_stream, right_stream);
      right.store(right_stream);
    } else {
      interleave(count, left_stream);
    }
    left.store(left_stream);
  }
}

template <DigestSet set>
void take_blocks(LaneValues& values, const std::byte* const* blocks, unsigned busy, std::size_t count) {
  if constexpr ((set & with_md5) != 0) take_md5(values, blocks, count);
  if constexpr ((set & with_sha1) != 0) take_pairs<Sha1Stream>(values.sha1, blocks, busy, count);
  if constexpr ((set & with_sha256) != 0) take_pairs<Sha256Stream>(values.sha256, blocks, busy, count);
}

}  // namespace

extern constinit const LaneKernel avx2_kernel = {
    .name = "avx2",
    .few = 6,
    .take_blocks = {nullptr, take_blocks<1>, take_blocks<2>, take_blocks<3>, take_blocks<4>, take_blocks<5>,
                    take_blocks<6>, take_blocks<7>}};

}  // namespace exhibit::hash
#endif
