// The consistency checker of ext2, ext3 and ext4, and the reader of their extended attributes.

#include "filesystem/consistency/ext.h"
#include "filesystem/tsk/ext_attributes.h"
#include "fuzz/fuzz.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t volume_size = std::uint64_t{8} << 20;
  fuzz::MemorySource volume(fuzz::text_of(data, std::min<std::size_t>(size, volume_size)), volume_size);
  fuzz::Listener listener("E1/p0");
  filesystem::check_ext(volume, "E1/p0", listener);
  // Wherever an inode could be, of any size.
  constexpr std::uint64_t block_size = 1024;
  for (std::uint64_t inode = 0; inode < std::min<std::uint64_t>(size, std::uint64_t{1} << 16); inode += 256) {
    for (const std::size_t inode_size : {128U, 256U, 1024U}) {
      const auto bytes = filesystem::tsk::Raw::read(volume, inode, inode_size);
      (void)filesystem::tsk::ext_attributes(bytes, volume, block_size);
    }
  }
  return 0;
}
