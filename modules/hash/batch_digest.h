#pragma once
// Digests of many contents at once. On processors with wide vectors several contents are hashed side by side, which is
// several times faster than one by one; the results are the same everywhere.

#include <exhibit/item.h>
#include <exhibit/result.h>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "hash/kernels/kernel.h"

namespace exhibit::hash {

// A content that is wholly in memory: its pieces one after the other, of any length. The bytes belong to the caller.
struct BatchContent {
  std::vector<std::span<const std::byte>> pieces;
};

// What MultiDigest gives for each content, in their order. Errors as MultiDigest::create.
Result<std::vector<Digests>> digest_batch(std::span<const std::string> algorithms,
                                          std::span<const BatchContent> contents);

// The SHA-256 (32 raw bytes) of each block of BlockRoot::block_bytes; the last block may be short.
std::vector<std::string> block_digests(std::span<const std::byte> media);

// The same by these kernels (`lane_kernel` may be null): each content's last chaining values. `set` isn't empty.
std::vector<ChainingValues> compress_batch(DigestSet set, std::span<const BatchContent> contents,
                                           const StreamKernel& stream, const LaneKernel* lane_kernel);

}  // namespace exhibit::hash
