#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "filesystem/filesystem.h"
#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::filesystem {
namespace {

using testing::HasSubstr;

// An image of the corpora, whole, whose first `length` bytes are overwritten.
Error error_of_destroyed(const std::string& image, std::size_t length) {
  auto unpacked = test::run({"xz", "-dc", test::corpus(image).string()});
  EXPECT_GT(unpacked.out.size(), length);
  unpacked.out.replace(0, length, length, '\xe5');
  test::MemorySource volume(unpacked.out);
  const auto opened = open_filesystem(volume, 512, "E1/p0");
  if (!opened.ok()) return opened.error();
  return Error{ErrorCode::internal, *opened ? "it opens" : "nothing is known", {}, {}};
}

// Nothing else of the super block is damaged: without a word its files would be missing.
TEST(Recognise, TellsExtWhoseBlockSizeIsImpossible) {
  auto unpacked = test::run({"sh", "-c",
                             "f=$(mktemp); truncate -s 4M $f; "
                             "mke2fs -q -F -t ext4 $f; cat $f; rm $f"});
  ASSERT_EQ(unpacked.out.size(), std::size_t{4} << 20);
  constexpr std::size_t log_block_size = 1024 + 24;  // s_log_block_size
  unpacked.out.replace(log_block_size, 4, "\xff\xff\xff\x7f");
  test::MemorySource volume(unpacked.out);
  const auto opened = open_filesystem(volume, 512, "E1/p0");
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("signature of ext"));
  unpacked.out[1024 + 59] = '\x04';  // s_state, as no ext writes it
  test::MemorySource worse(unpacked.out);
  const auto again = open_filesystem(worse, 512, "E1/p0");
  ASSERT_FALSE(again.ok());
  EXPECT_THAT(again.error().message, HasSubstr("signature of ext"));
}

TEST(Recognise, TellsAFileSystemByWhatIsLeftOfIt) {
  EXPECT_THAT(error_of_destroyed("images/win_exfat_7.raw.xz", 512).message,
              HasSubstr("exFAT boot sector is destroyed; a backup of it is at byte 6144"));
  EXPECT_THAT(error_of_destroyed("images/hfsplus.raw.xz", 2048).message, HasSubstr("HFS+ header is destroyed"));
  EXPECT_THAT(error_of_destroyed("sampler/fs-fat32_mkdosfs_label1.img.xz", 512).message,
              HasSubstr("FAT32 boot sector is destroyed"));
}

}  // namespace
}  // namespace exhibit::filesystem
