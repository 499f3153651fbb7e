#include "hash/kernels/kernel.h"
#ifdef __x86_64__
#include <cpuid.h>
#endif

namespace exhibit::hash {

extern const StreamKernel portable_kernel;

#ifdef __x86_64__
extern const StreamKernel sha_ni_kernel;
extern const LaneKernel avx2_kernel, avx512_kernel;

namespace {

// Intel SDM volume 2, CPUID: leaf 7, EBX bit 29. The compiler has no name for it that all its versions know.
bool has_sha() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b >> 29 & 1) != 0 && __builtin_cpu_supports("sse4.1") != 0;
}
bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }
bool has_avx512() { return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0; }

}  // namespace

const StreamKernel* const* stream_kernels() {
  static constexpr const StreamKernel* table[] = {&sha_ni_kernel, &portable_kernel, nullptr};
  static const bool sha = has_sha();
  return table + (sha ? 0 : 1);
}

const LaneKernel* const* lane_kernels() {
  static constexpr const LaneKernel* table[] = {&avx512_kernel, &avx2_kernel, nullptr};
  // Without SHA extensions the streams that are left over at the end would cost what the lanes gain.
  static const std::size_t start = !has_sha() || !has_avx2() ? 2 : has_avx512() ? 0 : 1;
  return table + start;
}

#else

const StreamKernel* const* stream_kernels() {
  static constexpr const StreamKernel* table[] = {&portable_kernel, nullptr};
  return table;
}

const LaneKernel* const* lane_kernels() {
  static constexpr const LaneKernel* table[] = {nullptr};
  return table;
}

#endif

}  // namespace exhibit::hash
