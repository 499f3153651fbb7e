// Structures that don't hold: XFS as mkfs.xfs makes it, changed in single places. tests/cli/xfs_test.py reads what the
// kernel wrote.
#include <gmock/gmock.h>

#include <cstring>
#include <random>

#include "base/record.h"
#include "filesystem/filesystem.h"
#include "filesystem/xfs/fields.h"
#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::filesystem::xfs {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::size_t block_size = 1024, group_bytes = 17408 * block_size;  // two groups in 34 MiB

class Collector final : public base::Reporter {
 public:
  void touch(std::string_view, std::uint64_t) override {}
  void problem(const Problem& problem) override { told.push_back(problem.where + ": " + problem.detail); }
  std::vector<std::string> told;
};

struct Seen {
  explicit Seen(const std::string& image) : source(image) {
    auto opened = open_filesystem(source, 512, "E1/p0");
    if (!opened.ok()) {
      error = opened.error().message;
      return;
    }
    fs = opened.take();
    if (fs == nullptr) return;
    EXPECT_TRUE(fs->walk({}, reporter, [this](Item item) { items.push_back(std::move(item)); }).ok());
    EXPECT_TRUE(fs->block_classes(reporter).ok());
  }
  const Item* find(const std::string& path) const {
    for (const Item& item : items)
      if (item.path == path) return &item;
    return nullptr;
  }
  std::string content(const std::string& path) const {
    const Item* item = find(path);
    if (item == nullptr) return "no item";
    auto opened = fs->open_content(std::string_view(item->content).substr(std::strlen("E1/p0/")));
    if (!opened.ok()) return "no content";
    std::string bytes((*opened)->size(), '\0');
    const auto got = (*opened)->read_at(0, std::as_writable_bytes(std::span(bytes)));
    return got.ok() && (*opened)->damaged_reads() == 0 ? bytes : "damaged";
  }
  test::BorrowedSource source;
  Collector reporter;
  std::unique_ptr<FileSystem> fs;
  std::string error;
  std::vector<Item> items;
};

// Big-endian, as XFS writes.
template <typename Integer>
void put(std::string& image, std::size_t at, Integer value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    image[at + i] = static_cast<char>(value >> (8 * (sizeof value - 1 - i)) & 0xff);
}
std::uint32_t number_at(const std::string& image, std::size_t at) { return u32(std::as_bytes(std::span(image)), at); }

class Xfs : public ::testing::Test {
 protected:
  static std::string make(const std::string& version) {
    const test::TemporaryDirectory scratch;
    std::string text;
    for (int line = 0; line < 30'000; ++line) text += std::to_string(line) + "\n";
    test::write_file(scratch / "text", text);
    const std::string source = (scratch / "text").string();
    std::string tree = "/dev/null\n0 0\nd--755 0 0\nlarge ---644 0 0 " + source + "\nlink l--777 0 0 large\n";
    tree += "many d--755 0 0\n";
    for (int number = 100; number < 200; ++number)
      tree += "file-with-a-name-of-some-length-" + std::to_string(number) + " ---600 7 8 /dev/null\n";
    tree += "$\nfew d--755 0 0\nfirst ---644 0 0 " + source + "\nsecond d--755 0 0\n$\n$\n$\n";
    test::write_file(scratch / "tree", tree);
    const std::string path = (scratch / "xfs.img").string();
    EXPECT_EQ(test::run({"truncate", "-s", "34M", path}).status, 0);
    const auto made = test::run({"mkfs.xfs", "-q", "--unsupported", "-m", "crc=" + version, "-b", "size=1024", "-d",
                                 "agcount=2", "-p", (scratch / "tree").string(), path});
    EXPECT_EQ(made.status, 0) << made.err;
    return test::read_file(path);
  }
  static void SetUpTestSuite() {
    v4_ = new std::string(make("0"));
    v5_ = new std::string(make("1"));
  }
  static void TearDownTestSuite() {
    delete v4_;
    delete v5_;
  }

  static std::uint64_t number_of(const std::string& image, const std::string& path) {
    const Seen seen(image);
    const Item* item = seen.find(path);
    EXPECT_NE(item, nullptr) << path;
    return item == nullptr ? 0 : std::stoull(item->content.substr(std::strlen("E1/p0/i")));
  }
  // The byte of an inode. Groups of 17408 blocks are numbered by 15 bits, inodes in a block by 2 (version 4) or 1.
  static std::size_t inode_of(const std::string& image, const std::string& path) {
    const std::uint64_t number = number_of(image, path);
    const bool is_v4 = number_at(image, 100) >> 16 == 0xb4a4;
    const std::uint64_t in_group = std::uint64_t{1} << (is_v4 ? 17 : 16);
    return number / in_group * group_bytes + number % in_group * (is_v4 ? 256 : 512);
  }

  static std::vector<std::string> told(const std::string& image) { return Seen(image).reporter.told; }

  static const std::string* v4_;
  static const std::string* v5_;
};
const std::string* Xfs::v4_ = nullptr;
const std::string* Xfs::v5_ = nullptr;

TEST_F(Xfs, AsMadeHasNothingToTell) {
  for (const std::string* image : {v4_, v5_}) {
    const Seen seen(*image);
    EXPECT_EQ(seen.error, "");
    EXPECT_THAT(seen.reporter.told, IsEmpty());
    EXPECT_EQ(seen.items.size(), 106u);
    EXPECT_EQ(seen.content("/link"), "large");
    EXPECT_EQ(seen.content("/few/first"), seen.content("/large"));
    EXPECT_EQ(seen.content("/large").substr(0, 6), "0\n1\n2\n");
  }
}

TEST_F(Xfs, OfVersion5TellsEachStructureWhoseChecksumIsWrong) {
  const std::size_t inode = inode_of(*v5_, "/large");
  const Seen sound(*v5_);
  const std::size_t directory = static_cast<std::size_t>((*sound.find("/many")->extents)[0].offset);
  struct Damage {
    std::size_t at;
    const char* told;
  };
  const Damage damages[] = {
      {108, "superblock's checksum"},     {group_bytes + 108, "backup"},
      {512 + 52, "header of free space"}, {1024 + 28, "header of inodes"},
      {1536 + 36, "kept blocks"},         {group_bytes + 512 + 52, "group 1: its header of free space"},
      {inode + 40, "/large: its inode"},  {directory + 100, "/many/: the directory doesn't hold"}};
  for (const Damage& damage : damages) {
    std::string image = *v5_;
    image[damage.at] = static_cast<char>(image[damage.at] ^ 0x10);
    EXPECT_THAT(told(image), Contains(HasSubstr(damage.told))) << damage.at;
  }
  std::string image = *v5_;
  image[inode + 40] = static_cast<char>(image[inode + 40] ^ 0x10);
  const Seen damaged(image);
  EXPECT_EQ(damaged.content("/large"), "damaged");
  ASSERT_NE(damaged.find("/large"), nullptr);
  EXPECT_FALSE(damaged.find("/large")->doubt.empty());
  image = *v5_;
  put<std::uint32_t>(image, 84, 17407);  // sb_agblocks
  EXPECT_THAT(Seen(image).error, HasSubstr("XFS"));
}

TEST_F(Xfs, OfVersion5KnowsAnotherPlacesBlock) {
  const Seen sound(*v5_);
  const auto extents = *sound.find("/many")->extents;
  const auto first = static_cast<std::size_t>(extents[0].offset);
  const auto second = extents[0].length > 4096 ? first + 4096 : static_cast<std::size_t>(extents[1].offset);
  std::string image = *v5_;
  image.replace(first, 4096, image.substr(second, 4096));  // with its checksum
  EXPECT_THAT(told(image), Contains(HasSubstr("belongs to another place")));
}

// An extent as a fork holds it.
void put_extent(std::string& image, std::size_t at, std::uint64_t file_block, std::uint64_t block,
                std::uint64_t count) {
  put<std::uint64_t>(image, at, file_block << 9 | block >> 43);
  put<std::uint64_t>(image, at + 8, block << 21 | count);
}

TEST_F(Xfs, MapsThatDoNotHoldPutTheContentInDoubt) {
  const std::size_t inode = inode_of(*v4_, "/large"), map = inode + 100;
  const Seen sound(*v4_);
  const auto begins = static_cast<std::uint64_t>((*sound.find("/large")->extents)[0].offset) / block_size;
  const std::uint64_t blocks = (sound.find("/large")->size + block_size - 1) / block_size;
  ASSERT_EQ(sound.find("/large")->extents->size(), 1u);
  const auto is_doubted = [&](const std::string& image, const char* why) {
    const Seen seen(image);
    EXPECT_THAT(seen.reporter.told, Contains(HasSubstr(why)));
    EXPECT_EQ(seen.content("/large"), "damaged") << why;
    EXPECT_NE(seen.content("/few/first"), "damaged") << why;
  };
  std::string image = *v4_;
  put_extent(image, map, 0, std::uint64_t{1} << 40, blocks);
  is_doubted(image, "outside of the file system");
  put_extent(image, map, 0, begins, 0);
  is_doubted(image, "overlap or are out of order");
  put_extent(image, map, 0, begins, 17408);
  is_doubted(image, "outside of the file system");
  put_extent(image, map, 0, begins, blocks);
  put<std::uint32_t>(image, inode + 76, 2);  // di_nextents
  is_doubted(image, "overlap or are out of order");
  put<std::uint32_t>(image, inode + 76, 0xffffffff);
  is_doubted(image, "overlap or are out of order");
  image = *v4_;
  image[inode + 82] = 0x7f;  // di_forkoff
  is_doubted(image, "pass its end");
}

TEST_F(Xfs, TreesAreFollowedAndTheirTanglesTold) {
  const std::size_t inode = inode_of(*v4_, "/large"), root = inode + 100, pointer = root + 4 + 9 * 8;
  const Seen sound(*v4_);
  const auto begins = static_cast<std::uint64_t>((*sound.find("/large")->extents)[0].offset) / block_size;
  const std::uint64_t blocks = (sound.find("/large")->size + block_size - 1) / block_size;
  // The map moves from the inode into a leaf in the last block of the first group, which is free.
  constexpr std::size_t leaf_block = 17407, leaf = leaf_block * block_size, records = leaf + 24;
  std::string image = *v4_;
  image[inode + 5] = 3;
  put<std::uint32_t>(image, inode + 76, 2);
  put<std::uint16_t>(image, root, 1);
  put<std::uint16_t>(image, root + 2, 1);
  put<std::uint64_t>(image, pointer, leaf_block);
  image.replace(leaf, 4, "BMAP");
  put<std::uint16_t>(image, leaf + 4, 0);
  put<std::uint16_t>(image, leaf + 6, 2);
  put_extent(image, records, 0, begins, 10);
  put_extent(image, records + 16, 10, begins + 10, blocks - 10);
  {
    const Seen seen(image);
    EXPECT_THAT(seen.reporter.told, IsEmpty());
    EXPECT_EQ(seen.content("/large"), sound.content("/large"));
  }
  const auto changed = [&](std::size_t at, auto value, const char* why) {
    std::string other = image;
    put(other, at, value);
    const Seen seen(other);
    EXPECT_THAT(seen.reporter.told, Contains(HasSubstr(why)));
    EXPECT_EQ(seen.content("/large"), "damaged") << why;
  };
  changed(leaf, std::uint32_t{0x424d4151}, "isn't of this tree");
  changed(leaf + 4, std::uint16_t{1}, "isn't of its level");
  changed(leaf + 6, std::uint16_t{63}, "holds more than it has room for");
  changed(leaf + 6, std::uint16_t{1}, "has 1 extents where its inode counts 2");
  changed(pointer, UINT64_MAX, "lies outside of the file system");
  changed(root + 2, std::uint16_t{10}, "root doesn't hold");
  put<std::uint16_t>(image, root, 2);
  put<std::uint16_t>(image, leaf + 4, 1);
  put<std::uint16_t>(image, leaf + 6, 1);
  put<std::uint64_t>(image, leaf + 24 + 62 * 8, leaf_block);
  changed(leaf + 6, std::uint16_t{1}, "is met twice");
}

TEST_F(Xfs, DirectoriesThatDoNotHoldAreTold) {
  const Seen sound(*v4_);
  const auto block = static_cast<std::size_t>((*sound.find("/many")->extents)[0].offset);
  const std::size_t few = inode_of(*v4_, "/few") + 100;
  const auto is_told = [&](std::size_t at, auto value, const char* where) {
    std::string image = *v4_;
    put(image, at, value);
    EXPECT_THAT(told(image), Contains(HasSubstr(where))) << at;
  };
  is_told(block, std::uint32_t{0}, "/many/: the directory doesn't hold");
  is_told(block + 16 + 8, std::uint8_t{255}, "/many/: the directory doesn't hold");
  is_told(block + 16 + 14, std::uint16_t{9}, "/many/: the directory doesn't hold");
  is_told(few, std::uint8_t{200}, "/few/: the directory doesn't hold");
  is_told(few + 6, std::uint8_t{250}, "/few/: the directory doesn't hold");
  // Two entries of one directory, and a directory in itself.
  const std::uint64_t self = number_of(*v4_, "/few");
  const std::size_t second = few + 6 + 3 + 5 + 4 + 3 + 6 + 1;
  const std::size_t types = number_at(*v4_, 200) & 0x200 ? 1 : 0;
  is_told(second - 1 + 2 * types, static_cast<std::uint32_t>(self), "was listed under another path before");
}

TEST_F(Xfs, FreeSpaceThatDoesNotHoldIsTold) {
  const auto is_told = [&](std::size_t at, std::uint32_t value) {
    std::string image = *v4_;
    put(image, at, value);
    EXPECT_THAT(told(image), Contains(HasSubstr("which blocks are in use can't be told for all"))) << at;
  };
  is_told(512 + 16, 0x7fffffff);  // the tree's root
  is_told(512 + 28, 9);           // its levels
  is_told(512 + 40, 5000);        // the ring of kept blocks
  is_told(number_at(*v4_, 512 + 16) * block_size + 16 + 4, 0x7fffffff);
  is_told(1024 + 20, 0x7fffffff);
}

// Whatever the bytes: it ends, its records are records, and what is whole has its extents within the volume.
TEST_F(Xfs, AnyBytesAreBorne) {
  for (const std::string* sound : {v4_, v5_}) {
    std::string image = *sound;
    std::vector<ClassRun> metadata;
    {
      const Seen seen(image);
      Collector collector;
      const auto classes = seen.fs->block_classes(collector);
      for (const ClassRun& run : *classes)
        if (run.byte_class == ByteClass::metadata && run.length < (1 << 20)) metadata.push_back(run);
    }
    std::mt19937 random(17);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    for (int round = 0; round < 60; ++round) {
      std::vector<std::pair<std::size_t, char>> before;
      for (int change = 0; change < 40; ++change) {
        const ClassRun& run = metadata[random() % metadata.size()];
        const std::size_t at = run.offset + random() % run.length;
        before.emplace_back(at, image[at]);
        image[at] = static_cast<char>(random());
      }
      const Seen seen(image);
      for (const Item& item : seen.items) {
        EXPECT_TRUE(base::check_record(*base::parse_json(base::to_line(item))).ok()) << item.id;
        if (!item.extents) continue;
        for (const Extent& extent : *item.extents) {
          EXPECT_TRUE(extent.offset == sparse_run || extent.offset + extent.length <= image.size()) << item.id;
        }
      }
      for (auto change = before.rbegin(); change != before.rend(); ++change) image[change->first] = change->second;
    }
    ASSERT_TRUE(image == *sound);
  }
}

}  // namespace
}  // namespace exhibit::filesystem::xfs
