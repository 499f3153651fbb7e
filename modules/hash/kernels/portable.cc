#include <cstring>

#include "hash/kernels/kernel.h"
#include "hash/kernels/rounds.h"

namespace exhibit::hash {
namespace {

using Words = PlainWords<std::uint32_t>;

template <typename Steps, typename Values>
EXHIBIT_INLINE void compress(Values& values, const std::uint32_t (&message)[16]) {
  Steps steps(values, message);
  take_all(steps);
  steps.add_to(values);
}

// One digest after another: a processor has too few registers to interleave them in general.
template <DigestSet set>
void take_blocks(ChainingValues& values, const std::byte* blocks, std::size_t count) {
  for (; count > 0; --count, blocks += compression_block) {
    std::uint32_t message[16];
    std::memcpy(message, blocks, sizeof message);
    if constexpr ((set & with_md5) != 0) compress<Md5Steps<Words>>(values.md5, message);
    for (std::uint32_t& word : message) word = __builtin_bswap32(word);
    if constexpr ((set & with_sha1) != 0) compress<Sha1Steps<Words>>(values.sha1, message);
    if constexpr ((set & with_sha256) != 0) compress<Sha256Steps<Words>>(values.sha256, message);
  }
}

}  // namespace

extern constinit const StreamKernel portable_kernel = {
    .name = "portable",
    .fast = false,
    .take_blocks = {nullptr, take_blocks<1>, take_blocks<2>, take_blocks<3>, take_blocks<4>, take_blocks<5>,
                    take_blocks<6>, take_blocks<7>}};

}  // namespace exhibit::hash
