#include "filesystem/consistency/ext.h"

#include <gmock/gmock.h>

#include <cstring>
#include <fstream>

#include "base/crc.h"
#include "support/test_support.h"

namespace exhibit::filesystem {
namespace {

using test::TemporaryDirectory;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A file's bytes, from `begin` on.
class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::filesystem::path& path, std::uint64_t begin = 0)
      : begin_(begin), size_(std::filesystem::file_size(path) - begin), file_(path, std::ios::binary) {}
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(begin_ + offset));
    file_.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
    return static_cast<std::size_t>(file_.gcount());
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  std::uint64_t begin_, size_;
  std::ifstream file_;
};

class Collector final : public base::Reporter {
 public:
  std::vector<Problem> problems;
  void touch(std::string_view, std::uint64_t) override {}
  void problem(const Problem& problem) override { problems.push_back(problem); }
};

// The details, with the places as in the records; checks what each problem must have.
std::vector<std::string> check(const std::filesystem::path& image, std::uint64_t begin = 0) {
  FileSource source(image, begin);
  Collector collector;
  check_ext(source, "E1/p1", collector);
  std::vector<std::string> details;
  for (const Problem& problem : collector.problems) {
    EXPECT_EQ(problem.where, "E1/p1");
    EXPECT_EQ(problem.stage, "walk");
    EXPECT_TRUE(problem.cause == "corrupt" || problem.cause == "size-limit") << problem.cause;
    EXPECT_TRUE(!problem.extent || (*problem.extent)[1] > 0) << problem.detail;
    details.push_back((problem.extent ? std::to_string((*problem.extent)[0]) + " " : std::string()) + problem.detail);
  }
  return details;
}

// e2fsck loops on some images (f_misstable): then it has found something.
int e2fsck(const std::filesystem::path& image) {
  return test::run({"timeout", "2", "e2fsck", "-fn", image.string()}).status;
}

std::vector<std::string> corrupt_images() {
  std::vector<std::string> images;
  for (const auto& entry : std::filesystem::directory_iterator(test::corpus("corrupt/ext")))
    if (!entry.path().filename().string().ends_with(".tar.bz2")) images.push_back(entry.path().filename());
  std::sort(images.begin(), images.end());
  return images;
}

// e2fsck exits with 0, yet says on the way what it would repair; or it leaves the journal alone (needs_recovery).
bool told_in_passing(const std::string& image) {
  for (const char* name :
       {"f_extent_too_deep", "f_extra_journal", "f_first_meta_bg_too_big", "f_jnl_32bit", "f_jnl_errno",
        "f_sb_extra_isize", "f_uninit_disable", "f_uninit_enable", "f_zero_inode_size", "j_corrupt_descr_csum",
        "j_corrupt_descr_tid", "j_corrupt_journal_block", "j_corrupt_revoke_rcount", "j_recover_csum2_64bit",
        "j_recover_csum3_64bit"})
    if (image == "ext-" + std::string(name) + "-image.gz" || image == "ext-" + std::string(name) + "-image.bz2")
      return true;
  return false;
}

class CorruptExt : public ::testing::TestWithParam<std::string> {};
TEST_P(CorruptExt, IsToldWhereE2fsckFindsSomethingAndNowhereElse) {
  // A target shorter than 60 bytes lies in the inode. e2fsck 1.47.0 goes by the count of blocks instead, in which an
  // attribute's value in an inode of its own counts too, and so takes the target for block numbers.
  if (GetParam() == "ext-f_ea_inode_fast_symlink-image.gz") GTEST_SKIP() << "sound; e2fsck 1.47.0 errs";
  const TemporaryDirectory directory;
  const auto image = test::unpack("corrupt/ext/" + GetParam(), directory);
  const auto details = check(image);
  if (e2fsck(image) != 0 || told_in_passing(GetParam()))
    EXPECT_THAT(details, Not(IsEmpty()));
  else
    EXPECT_THAT(details, IsEmpty());
}
INSTANTIATE_TEST_SUITE_P(All, CorruptExt, ::testing::ValuesIn(corrupt_images()), [](const auto& each) {
  std::string name = each.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

// That the place is right, for one image of each structure.
struct Known {
  const char* image;
  const char* detail;
};
class KnownDamage : public ::testing::TestWithParam<Known> {};
TEST_P(KnownDamage, IsNamedWithItsPlace) {
  const TemporaryDirectory directory;
  const auto details = check(test::unpack(std::string("corrupt/ext/ext-") + GetParam().image, directory));
  EXPECT_THAT(details, ::testing::Contains(GetParam().detail));
}
INSTANTIATE_TEST_SUITE_P(
    All, KnownDamage,
    ::testing::ValuesIn(std::vector<Known>{
        {"f_bad_bmap_csum-image.gz", "8192 group 0's block bitmap: its checksum doesn't hold"},
        {"f_bad_bmap_csum-image.gz", "4096 group 0: its descriptor's checksum doesn't hold"},
        {"f_baddotdir-image.gz", "22528 directory inode 12: '.' isn't itself"},
        {"f_dup-image.gz", "25600 inode 13: its block 25 is already in use by an inode"},
        {"f_reconnect-image.gz", "6528 inode 12: it is in use, but no directory names it"},
        {"f_extent_bad_node-image.gz", "22528 inode 12: a node of its extent tree has a header that doesn't hold"},
        {"f_htree_leaf_csum-image.gz", "274432 directory inode 12: its checksum doesn't hold"},
        {"f_illibitmap-image.gz", "2048 group 0's inode bitmap at block 4000 is outside of the file system"},
        {"f_ea_bad_csum-image.gz", "1100800 inode 13: the checksum of its block of extended attributes doesn't hold"},
        {"f_bitmaps-image.gz",
         "4096 group 0's inode bitmap differs from what is in use in 2 places, first at inode 11 (in use, marked "
         "free)"},
        {"i_bad_csum-image.gz", "142080 inode 12: its checksum doesn't hold"},
        {"m_mmp_bad_csum-image.gz", "32768 multiple mount protection: its checksum doesn't hold"},
        {"j_corrupt_sb_csum-image.gz", "32768 journal: its superblock's checksum doesn't hold"},
        {"f_zero_inode_size-image.gz", "1024 superblock: its size of an inode, 0, is impossible"},
    }));

TEST(CleanExt, GivesNoProblem) {
  for (const char* name : {"con-p-ext2.raw.xz", "con-p-ext3.raw.xz", "con-p-ext4.raw.xz", "ext4.bin.xz",
                           "ext4_symlink_test.bin.xz", "image.dd"}) {
    const TemporaryDirectory directory;
    const auto image = test::unpack(std::string("images/") + name, directory);
    ASSERT_EQ(e2fsck(image), 0) << name;
    EXPECT_THAT(check(image), IsEmpty()) << name;
  }
}

// A tree with a large directory, a sparse file, hard and symbolic links, and a pipe.
void fill(const std::filesystem::path& tree) {
  std::filesystem::create_directories(tree / "many");
  std::filesystem::create_directories(tree / "folder/below");
  for (int i = 0; i < 300; ++i)
    test::write_file(tree / "many" / ("a name of some length " + std::to_string(i)), std::to_string(i));
  test::write_file(tree / "large", std::string(700000, 'x'));
  test::write_file(tree / "sparse", "begin");
  std::filesystem::resize_file(tree / "sparse", 3000000);
  std::ofstream(tree / "sparse", std::ios::app) << "end";
  std::filesystem::create_hard_link(tree / "large", tree / "folder/again");
  std::filesystem::create_symlink("large", tree / "short");
  std::filesystem::create_symlink(std::string(200, 'y'), tree / "long");
  ASSERT_EQ(test::run({"mkfifo", (tree / "pipe").string()}).status, 0);
}

class FreshExt : public ::testing::TestWithParam<std::vector<std::string>> {};
TEST_P(FreshExt, GivesNoProblemBeforeAndAfterChanges) {
  const TemporaryDirectory directory;
  const auto tree = directory / "tree", image = directory / "image";
  fill(tree);
  test::write_file(image, "");
  std::filesystem::resize_file(image, 24 << 20);
  std::vector<std::string> command = GetParam();
  for (const std::string& word :
       {std::string("-q"), std::string("-F"), std::string("-d"), tree.string(), image.string()})
    command.push_back(word);
  const auto made = test::run(command);
  ASSERT_EQ(made.status, 0) << made.err;
  ASSERT_EQ(e2fsck(image), 0);
  EXPECT_THAT(check(image), IsEmpty());

  const std::string changes =
      "rm large\nrm folder/again\nea_set short user.a value\nmkdir new\ncd new\nmkdir deeper\nsymlink link /nowhere\n"
      "mknod device b 3 4\n";
  test::write_file(directory / "changes", changes);
  test::run({"debugfs", "-w", "-f", (directory / "changes").string(), image.string()});
  test::run({"e2fsck", "-fyD", image.string()});  // builds hash trees
  ASSERT_EQ(e2fsck(image), 0);
  EXPECT_THAT(check(image), IsEmpty());
}
using Words = std::vector<std::string>;
INSTANTIATE_TEST_SUITE_P(
    All, FreshExt,
    ::testing::Values(Words{"mkfs.ext2", "-b", "1024"}, Words{"mkfs.ext2", "-b", "4096"},
                      Words{"mkfs.ext2", "-b", "1024", "-O", "^sparse_super,^resize_inode,^filetype", "-I", "128"},
                      Words{"mkfs.ext3", "-b", "1024"}, Words{"mkfs.ext3", "-b", "4096"},
                      Words{"mkfs.ext4", "-b", "1024"}, Words{"mkfs.ext4", "-b", "4096"},
                      Words{"mkfs.ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg"},
                      Words{"mkfs.ext4", "-b", "1024", "-O", "^metadata_csum,^64bit"},
                      Words{"mkfs.ext4", "-b", "4096", "-O", "inline_data"},
                      Words{"mkfs.ext4", "-b", "1024", "-O", "bigalloc", "-C", "4096"},
                      Words{"mkfs.ext4", "-b", "1024", "-O", "^flex_bg,^resize_inode,meta_bg"},
                      Words{"mkfs.ext4", "-b", "1024", "-O", "sparse_super2,^resize_inode", "-g", "1024"},
                      Words{"mkfs.ext4", "-b", "1024", "-O", "mmp,orphan_file,metadata_csum_seed,ea_inode"}));

// One changed byte in a file system with checksums doesn't pass, wherever in the metadata it lies.
TEST(DamagedExt, OneByteIsTold) {
  const TemporaryDirectory directory;
  const auto image = test::unpack("images/ext4.bin.xz", directory);
  const std::string sound = test::read_file(image);
  std::size_t told = 0;
  for (const std::size_t at : {std::size_t{1024 + 0x10}, std::size_t{1024 + 0x38}, std::size_t{2048 + 4}}) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    test::write_file(image, damaged);
    if (!check(image).empty()) ++told;
  }
  EXPECT_EQ(told, 3U);
}

// Of one kind no more than some are told, and then how many more there are.
TEST(DamagedExt, ManyOfAKindAreCounted) {
  const TemporaryDirectory directory;
  const auto tree = directory / "tree", image = directory / "image";
  fill(tree);
  test::write_file(image, "");
  std::filesystem::resize_file(image, 24 << 20);
  ASSERT_EQ(test::run({"mkfs.ext2", "-q", "-F", "-b", "1024", "-d", tree.string(), image.string()}).status, 0);
  ASSERT_EQ(test::run({"debugfs", "-w", "-R", "clri many", image.string()}).status, 0);
  const auto details = check(image);
  EXPECT_THAT(details, ::testing::Contains("280 more: inodes out of reach"));
  EXPECT_LT(details.size(), 80U);
}

// A hostile image can't make the checker read outside, hang or use much memory.
TEST(DamagedExt, NoiseEndsInProblems) {
  const TemporaryDirectory directory;
  const auto image = test::unpack("images/image.dd", directory);
  const std::string sound = test::read_file(image);
  std::uint32_t state = 1;
  for (int round = 0; round < 200; ++round) {
    std::string damaged = sound;
    for (int i = 0; i < 200; ++i) {
      state = state * 1664525 + 1013904223;
      damaged[1024 + 56 + 2 + (state >> 8) % 30000] = static_cast<char>(state);
    }
    test::write_file(image, damaged);
    EXPECT_THAT(check(image), Not(IsEmpty())) << round;
  }
}

// The check values of both polynomials in the "catalogue of parametrised CRC algorithms" (CRC-32/ISCSI, CRC-16/MODBUS).
TEST(Checksums, KnownAnswers) {
  constexpr std::string_view digits = "123456789";
  const auto bytes = std::as_bytes(std::span(digits));
  EXPECT_EQ(~base::crc32c(~0U, bytes), 0xE3069283U);
  EXPECT_EQ(base::crc16(0xFFFF, bytes), 0x4B37U);
}

}  // namespace
}  // namespace exhibit::filesystem
