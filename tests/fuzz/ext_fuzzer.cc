// The consistency checker of ext2, ext3 and ext4.

#include "filesystem/consistency/ext.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t volume_size = std::uint64_t{8} << 20;
  fuzz::MemorySource volume(fuzz::text_of(data, std::min<std::size_t>(size, volume_size)), volume_size);
  fuzz::Listener listener("E1/p0");
  filesystem::check_ext(volume, "E1/p0", listener);
  return 0;
}
