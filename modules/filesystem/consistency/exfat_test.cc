#include "filesystem/consistency/exfat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <random>

#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::filesystem {
namespace {

using test::TemporaryDirectory;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Collector final : public base::Reporter {
 public:
  void touch(std::string_view, std::uint64_t) override {}
  void problem(const Problem& problem) override { problems.push_back(problem); }
  std::vector<Problem> problems;
};

std::vector<std::string> check(std::string_view bytes) {
  test::MemorySource volume{std::string(bytes)};
  Collector told;
  check_exfat(volume, "E1/p1", told);
  std::vector<std::string> details;
  for (const Problem& problem : told.problems) {
    EXPECT_EQ(problem.where, "E1/p1");
    EXPECT_EQ(problem.stage, "walk");
    EXPECT_EQ(problem.cause, "corrupt");
    if (problem.extent) {
      EXPECT_GT((*problem.extent)[1], 0U) << problem.detail;
    }
    details.push_back(problem.detail);
  }
  return details;
}

bool fsck_is_content(const std::filesystem::path& image) {
  const auto done = test::run({"fsck.exfat", "-n", image.string()});
  EXPECT_NE(done.status, 127) << "fsck.exfat (exfatprogs) is missing";
  return done.status == 0 && (done.out + done.err).find("ERROR") == std::string::npos;
}

std::uint32_t number(const std::string& bytes, std::size_t offset) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
void put(std::string& bytes, std::size_t offset, std::uint32_t value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

struct Damaged {
  const char* name;
  const char* told;
};
class CorruptCorpus : public testing::TestWithParam<Damaged> {};

TEST_P(CorruptCorpus, IsTold) {
  const TemporaryDirectory scratch;
  const auto packed = test::corpus(std::string("corrupt/exfat/exfat-") + GetParam().name + ".img.tar.xz");
  ASSERT_EQ(test::run({"tar", "xJf", packed.string(), "-C", scratch.path().string()}).status, 0);
  EXPECT_FALSE(fsck_is_content(scratch / "exfat.img"));
  EXPECT_THAT(check(test::read_file(scratch / "exfat.img")), Contains(HasSubstr(GetParam().told)));
}

INSTANTIATE_TEST_SUITE_P(
    Exfat, CorruptCorpus,
    testing::Values(Damaged{"bad_bitmap", "`bad_child_01`: 1 of its clusters are free by the allocation bitmap"},
                    Damaged{"bad_bitmap_size", "the allocation bitmap is of 142 bytes, not the 158 of 1262 clusters"},
                    Damaged{"bad_dentries", "`fil\"_02_bad`: its name holds what no name may"},
                    Damaged{"bad_root", "the root directory: its chain is broken at cluster 30"},
                    Damaged{"bs_bad_csum", "main boot region: the checksum is 3452816845"},
                    Damaged{"duplicate_clu", "`bad_child_02`: it uses what something before it uses: cluster 19"},
                    Damaged{"file_invalid_clus", "`zero_file_bad_start`: its first cluster is 61423, its size 0"}),
    [](const auto& tested) { return std::string(tested.param.name); });

class Clean : public testing::TestWithParam<const char*> {};

TEST_P(Clean, GivesNoProblem) {
  const TemporaryDirectory scratch;
  const auto image = test::unpack(GetParam(), scratch);
  EXPECT_TRUE(fsck_is_content(image));
  EXPECT_THAT(check(test::read_file(image)), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Exfat, Clean, testing::Values("images/exfat.bin.xz", "sampler/fs-exfat.img.xz"),
                         [](const auto& tested) { return std::to_string(tested.index); });

TEST(Exfat, FreshVolumesGiveNoProblem) {
  const TemporaryDirectory scratch;
  const std::string image = (scratch / "fresh.img").string();
  for (const char* cluster : {"512", "4K", "128K"}) {
    test::write_file(image, "");
    std::filesystem::resize_file(image, std::uintmax_t{12} << 20);
    ASSERT_EQ(test::run({"mkfs.exfat", "-c", cluster, "-L", "eleven char", image}).status, 0);
    EXPECT_TRUE(fsck_is_content(image));
    EXPECT_THAT(check(test::read_file(image)), IsEmpty()) << cluster;
  }
}

TEST(Exfat, DebiansSampleGivesNoProblem) {
  const auto done = test::run({"xz", "-dc", "/usr/share/forensics-samples/fs.exfat.xz"});
  ASSERT_EQ(done.status, 0) << "package forensics-samples-exfat is missing";
  EXPECT_THAT(check(std::string_view(done.out).substr(std::size_t{2048} * 512)), IsEmpty());
}

// A volume with directories and files, of which a test spoils one thing.
struct Sound {
  explicit Sound(const char* image = "images/exfat.bin.xz") {
    const TemporaryDirectory scratch;
    bytes = test::read_file(test::unpack(image, scratch));
    const auto sector = std::size_t{1} << static_cast<unsigned char>(bytes[108]);
    fat = number(bytes, 80) * sector;
    cluster = sector << static_cast<unsigned char>(bytes[109]);
    heap = number(bytes, 88) * sector;
    root = number(bytes, 96);
    root_offset = heap + (root - 2) * cluster;
  }
  // The first entry of this type in the root directory.
  std::size_t entry(unsigned char type) const {
    for (std::size_t at = root_offset; at < root_offset + cluster; at += 32)
      if (static_cast<unsigned char>(bytes[at]) == type) return at;
    ADD_FAILURE() << "no entry of type " << unsigned{type};
    return root_offset;
  }
  std::string bytes;
  std::size_t fat = 0, cluster = 0, heap = 0, root_offset = 0;
  std::uint32_t root = 0;
};

TEST(Exfat, TellsALoopOfTheRootDirectory) {
  Sound sound;
  put(sound.bytes, sound.fat + 4 * sound.root, sound.root);
  EXPECT_THAT(check(sound.bytes), Contains(HasSubstr("the root directory: its chain loops at cluster")));
}

TEST(Exfat, TellsMissingSystemEntries) {
  Sound sound;
  sound.bytes[sound.entry(0x81)] = 0x01;
  sound.bytes[sound.entry(0x82)] = 0x02;
  EXPECT_THAT(check(sound.bytes),
              ElementsAre(HasSubstr("no entry of the allocation bitmap"), HasSubstr("no entry of the up-case table")));
}

TEST(Exfat, TellsAWrongUpCaseTable) {
  Sound sound;
  const std::size_t entry = sound.entry(0x82);
  sound.bytes[sound.heap + (number(sound.bytes, entry + 20) - 2) * sound.cluster + 10] ^= 1;
  EXPECT_THAT(check(sound.bytes), ElementsAre(HasSubstr("the up-case table's checksum is")));
}

TEST(Exfat, TellsValidDataBehindTheFilesEnd) {
  Sound sound;
  const std::size_t stream = sound.entry(0xC0);
  put(sound.bytes, stream + 8, number(sound.bytes, stream + 24) + 1);
  EXPECT_THAT(check(sound.bytes), Contains(HasSubstr("its valid data are of")));
}

TEST(Exfat, UsesTheBackupOfADestroyedBootSector) {
  Sound sound;
  sound.bytes.replace(0, 512, std::string(512, '\0'));
  EXPECT_THAT(check(sound.bytes), ElementsAre(HasSubstr("beyond use; the backup was used"),
                                              HasSubstr("main boot region: the checksum is")));
  for (const std::size_t size : {512U, 1024U, 2048U, 4096U})
    sound.bytes.replace(12 * size, 512, std::string(512, '\0'));
  EXPECT_THAT(check(sound.bytes), ElementsAre(HasSubstr("the backup is, too: nothing else was checked")));
}

TEST(Exfat, TellsAVolumeThatIsCut) {
  const Sound sound;
  EXPECT_THAT(check(std::string_view(sound.bytes).substr(0, sound.bytes.size() / 2)),
              Contains(HasSubstr("the file system is of")));
}

TEST(Exfat, CountsDamageOfOneKindBeyondTwenty) {
  Sound sound("sampler/fs-exfat.img.xz");  // 100 files, and leftovers of its directory
  int files = 0;
  for (std::size_t at = sound.heap; at + 32 < sound.bytes.size(); at += 32) {
    if (sound.bytes[at] != '\x85' || sound.bytes[at + 1] != 2) continue;
    sound.bytes[at + 2] ^= 1;
    ++files;
  }
  ASSERT_GE(files, 100);
  const auto told = check(sound.bytes);
  EXPECT_THAT(told, SizeIs(21));
  EXPECT_EQ(told.back(), "80 more: wrong checksums of directory entries");
}

// Whatever the bytes: the same answer twice, in a moment; and where fsck.exfat complains, a problem.
TEST(Exfat, TellsWhatFsckTellsOfBitsFlipped) {
  const Sound sound;
  const TemporaryDirectory scratch;
  std::mt19937 engine(5);
  const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(engine()) % bound; };
  int complaints = 0;
  for (int round = 0; round < 120; ++round) {
    std::string bytes = sound.bytes;
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
      const std::size_t at = round % 3 == 0   ? below(24 * 512)
                             : round % 3 == 1 ? sound.fat + below(4 * 64)
                                              : sound.root_offset + below(32 * 20);
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
    }
    const auto told = check(bytes);
    EXPECT_EQ(told, check(bytes));
    test::write_file(scratch / "flipped.img", bytes);
    if (fsck_is_content(scratch / "flipped.img")) continue;
    ++complaints;
    EXPECT_THAT(told, Not(IsEmpty())) << "round " << round;
  }
  EXPECT_GT(complaints, 50);
}

}  // namespace
}  // namespace exhibit::filesystem
