#pragma once
// MD5, SHA-1 and SHA-256 of one stream, any of them together, by a kernel that computes them side by side.

#include <exhibit/item.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "hash/kernels/kernel.h"

namespace exhibit::hash {

// Those of the three that a kernel computes, by the names of the algorithm table.
inline constexpr std::array<std::string_view, 3> kernel_digests = {"md5", "sha1", "sha256"};

// The set with this one digest; empty where the kernels don't have it.
DigestSet kernel_set(std::string_view algorithm);

// FIPS 180-4 section 5.3, RFC 1321 section 3.3.
ChainingValues initial_values();

// One digest's chaining value as the digest's own bytes; `set` has one member.
std::string chaining_value(const ChainingValues& values, DigestSet set);
// The reverse. False, and nothing is changed, where the bytes are too few or too many.
bool set_chaining_value(ChainingValues& values, DigestSet set, std::string_view bytes);

// The end of a message: `count` blocks in which the last bytes, the padding and the length stand (FIPS 180-4 section
// 5.1.1). MD5 pads the same, but writes the length in the other order (RFC 1321 section 3.2).
struct LastBlocks {
  alignas(64) std::array<std::byte, 2 * compression_block> blocks;
  std::size_t count = 0;

  // `tail`: what no whole block holds, shorter than a block. `length`: of the whole message, in bytes.
  LastBlocks(std::span<const std::byte> tail, std::uint64_t length);
};

// Takes a message's last block, which ends with its length as SHA writes it, into all digests of the set.
void take_last_block(const StreamKernel& kernel, DigestSet set, ChainingValues& values, const std::byte* block);

// Adds the digests of the set to `digests`, in lower-case hex.
void add_digests(const ChainingValues& values, DigestSet set, Digests& digests);

class InterleavedDigest {
 public:
  // `set` isn't empty.
  explicit InterleavedDigest(DigestSet set, const StreamKernel& kernel = **stream_kernels())
      : kernel_(&kernel), set_(set), values_(initial_values()) {}
  // Goes on where a stream of `length` bytes, a multiple of a block, has been left.
  InterleavedDigest(DigestSet set, const ChainingValues& values, std::uint64_t length,
                    const StreamKernel& kernel = **stream_kernels())
      : kernel_(&kernel), set_(set), values_(values), length_(length) {}

  DigestSet set() const { return set_; }
  // After whole blocks only.
  const ChainingValues& values() const { return values_; }
  void update(std::span<const std::byte> bytes);
  // Adds to `digests` in lower-case hex, and starts anew.
  void finish(Digests& digests);

 private:
  void take_blocks(const std::byte* blocks, std::size_t count) { kernel_->take_blocks[set_](values_, blocks, count); }

  const StreamKernel* kernel_;
  DigestSet set_;
  ChainingValues values_;
  std::uint64_t length_ = 0;                         // of the message, bytes
  std::array<std::byte, compression_block> buffer_;  // the first length_ % compression_block bytes wait for the rest
};

}  // namespace exhibit::hash
