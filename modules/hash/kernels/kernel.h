#pragma once
// The compression functions of MD5 (RFC 1321 section 3.4), SHA-1 and SHA-256 (FIPS 180-4 sections 6.1.2 and 6.2.2) in
// the forms that processors run fast. A stream kernel takes one stream through any of the three at once: MD5 waits for
// its own last step most of the time, and the others run beside it. A lane kernel takes many streams side by side.
// No kernel allocates, opens anything or calls the system.
//
// sha_ni.cc, avx2.cc and avx512.cc are compiled for newer processors than the rest of the program. Whatever is
// instantiated there from a shared template could be the copy that the linker keeps for everyone, so these files use
// plain arrays, templates of kernels/ over their own types, and no function of the standard library but memcpy.

#include <cstddef>
#include <cstdint>

namespace exhibit::hash {

// Any of the three; a bit each.
using DigestSet = unsigned;
inline constexpr DigestSet with_md5 = 1, with_sha1 = 2, with_sha256 = 4;
inline constexpr DigestSet digest_sets = 8;

inline constexpr std::size_t compression_block = 64;  // bytes that each of the three compresses at a time

// One stream's chaining values; only those of the digests that are computed mean anything.
struct ChainingValues {
  std::uint32_t md5[4];
  std::uint32_t sha1[5];
  std::uint32_t sha256[8];
};

struct StreamKernel {
  const char* name;
  bool fast;  // faster than OpenSSL's digests one after another
  // By DigestSet; none for the empty set. Takes `count` blocks that stand one after another.
  void (*take_blocks[digest_sets])(ChainingValues& values, const std::byte* blocks, std::size_t count);
};

inline constexpr std::size_t lanes = 16;  // streams that a lane kernel takes

// The chaining values of several streams: word by word, one column for each.
struct LaneValues {
  alignas(64) std::uint32_t md5[4][lanes];
  alignas(64) std::uint32_t sha1[5][lanes];
  alignas(64) std::uint32_t sha256[8][lanes];
  // All ones where the stream's next block is its last and ends with its length as SHA writes it (64 bits,
  // big-endian); MD5 takes that length in its own order.
  alignas(64) std::uint32_t ends[lanes];
};

struct LaneKernel {
  const char* name;
  std::size_t few;  // so many streams are faster one by one by the stream kernel
  // By DigestSet. Takes `count` blocks of each lane; all sixteen pointers are good. Bit i of `busy` is set where lane i
  // has a stream: what the others give is of no interest.
  void (*take_blocks[digest_sets])(LaneValues& values, const std::byte* const* blocks, unsigned busy,
                                   std::size_t count);
};

// The kernels of this processor, the best first, then null. The portable stream kernel is always there, and is last.
const StreamKernel* const* stream_kernels();
const LaneKernel* const* lane_kernels();

}  // namespace exhibit::hash
