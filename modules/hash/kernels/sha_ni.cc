#ifdef __x86_64__
#include "hash/kernels/sha_ni.h"

namespace exhibit::hash {
namespace {

template <DigestSet set>
void take_blocks(ChainingValues& values, const std::byte* blocks, std::size_t count) {
  Md5Stream md5(values.md5, blocks);
  Sha1Stream sha1(values.sha1, blocks);
  Sha256Stream sha256(values.sha256, blocks);
  if constexpr (set == with_md5) interleave(count, md5);
  if constexpr (set == with_sha1) interleave(count, sha1);
  if constexpr (set == with_sha256) interleave(count, sha256);
  if constexpr (set == (with_md5 | with_sha1)) interleave(count, md5, sha1);
  if constexpr (set == (with_md5 | with_sha256)) interleave(count, md5, sha256);
  if constexpr (set == (with_sha1 | with_sha256)) interleave(count, sha1, sha256);
  if constexpr (set == (with_md5 | with_sha1 | with_sha256)) interleave(count, md5, sha1, sha256);
  if constexpr ((set & with_md5) != 0) md5.store(values.md5);
  if constexpr ((set & with_sha1) != 0) sha1.store(values.sha1);
  if constexpr ((set & with_sha256) != 0) sha256.store(values.sha256);
}

}  // namespace

extern constinit const StreamKernel sha_ni_kernel = {
    .name = "sha-ni",
    .fast = true,
    .take_blocks = {nullptr, take_blocks<1>, take_blocks<2>, take_blocks<3>, take_blocks<4>, take_blocks<5>,
                    take_blocks<6>, take_blocks<7>}};

}  // namespace exhibit::hash
#endif
