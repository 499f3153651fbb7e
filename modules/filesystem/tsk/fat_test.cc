#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "filesystem/filesystem.h"
#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::filesystem {
namespace {

class Collector final : public base::Reporter {
 public:
  void touch(std::string_view, std::uint64_t) override {}
  void problem(const Problem& problem) override { told.push_back(problem.where + ": " + problem.detail); }
  std::vector<std::string> told;
};

std::vector<std::string> problems_of(const std::string& image) {
  test::MemorySource volume(image);
  auto opened = open_filesystem(volume, 512, "E1/p0");
  EXPECT_TRUE(opened.ok() && *opened != nullptr);
  if (!opened.ok() || *opened == nullptr) return {};
  Collector collector;
  EXPECT_TRUE((*opened)->walk({}, collector, [](const Item&) {}).ok());
  return collector.told;
}

struct Fat {
  const char* bits;
  const char* size;
  std::size_t entry_bytes;  // of two clusters for FAT12
};

class FatFolder : public testing::TestWithParam<Fat> {};

// fsck.fat, too, finds fault with each of them.
TEST_P(FatFolder, WhoseChainIsBrokenIsToldByName) {
  const test::TemporaryDirectory scratch;
  const std::string path = (scratch / "fat.img").string();
  ASSERT_EQ(test::run({"truncate", "-s", GetParam().size, path}).status, 0);
  ASSERT_EQ(test::run({"mkfs.fat", "-F", GetParam().bits, "-s", "1", path}).status, 0);
  ASSERT_EQ(test::run({"mmd", "-i", path, "::folder"}).status, 0);
  const std::string sound = test::read_file(path);
  EXPECT_TRUE(problems_of(sound).empty());

  const auto le16 = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(sound[at]) | static_cast<unsigned char>(sound[at + 1])
                                                                                << 8);
  };
  const std::size_t table = le16(14) * 512;
  const std::size_t folder = std::string(GetParam().bits) == "32" ? 3 : 2;  // the root has the first cluster of FAT32
  const auto with_entry = [&](std::uint32_t value) {
    std::string image = sound;
    if (GetParam().entry_bytes == 3) {  // cluster 2: the low 12 bits of the second pair
      image[table + 3] = static_cast<char>(value & 0xff);
      image[table + 4] = static_cast<char>((image[table + 4] & 0xf0) | (value >> 8 & 0xf));
    } else {
      for (std::size_t i = 0; i < GetParam().entry_bytes; ++i)
        image[table + folder * GetParam().entry_bytes + i] = static_cast<char>(value >> 8 * i & 0xff);
    }
    return image;
  };
  for (const auto& [value, words] : {std::pair<std::uint32_t, const char*>{0, "marked as free"},

                                     {static_cast<std::uint32_t>(folder), "comes back to itself"},
                                     {0x0ffffff0, "out of the volume"}}) {
    EXPECT_THAT(problems_of(with_entry(value)),
                testing::Contains(testing::AllOf(testing::HasSubstr("/folder/: its chain"), testing::HasSubstr(words))))
        << words;
  }
  EXPECT_TRUE(problems_of(with_entry(0x0ffffff8)).empty());
}

INSTANTIATE_TEST_SUITE_P(All, FatFolder, testing::Values(Fat{"12", "1M", 3}, Fat{"16", "4M", 2}, Fat{"32", "40M", 4}));

}  // namespace
}  // namespace exhibit::filesystem
