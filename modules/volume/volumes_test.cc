#include "volume/volumes.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <sstream>

#include "image/image.h"
#include "support/test_support.h"
#include "volume/tsk_image.h"

namespace exhibit::volume {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Notes final : public base::Reporter {
 public:
  void touch(std::string_view, std::uint64_t) override {}
  void problem(const Problem& problem) override {
    EXPECT_EQ(problem.where, "E1");
    EXPECT_EQ(problem.stage, "open");
    details.push_back(problem.detail);
  }
  std::vector<std::string> details;
};

class Bytes final : public ByteSource {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size() const override { return bytes_.size(); }
  std::uint64_t damaged_reads() const override { return damaged_reads_; }
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    const std::uint64_t from = std::max(offset, damage_.offset),
                        to = std::min(offset + length, damage_.offset + damage_.length);
    return from < to ? std::vector<Doubt>{{from, to - from, damage_.cause}} : std::vector<Doubt>{};
  }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(buffer.size(), bytes_.size() - static_cast<std::size_t>(offset));
    std::memcpy(buffer.data(), bytes_.data() + offset, length);
    if (!doubts(offset, length).empty()) ++damaged_reads_;
    return length;
  }
  void damage(Doubt damage) { damage_ = damage; }

 private:
  std::string bytes_;
  Doubt damage_;
  std::uint64_t damaged_reads_ = 0;
};

// Every byte of the medium is owned by exactly one volume, and partitions and gaps are where they say.
void expect_tiles(const std::vector<Volume>& volumes, std::uint64_t size) {
  std::vector<Range> owned;
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const Volume& volume : volumes) {
    order.emplace_back(volume.offset, volume.id);
    EXPECT_TRUE(volume.size == 0 || volume.offset + volume.size <= size) << volume.id;
    for (const Range& range : volume.owned) {
      EXPECT_LE(range.offset + range.length, volume.size) << volume.id;
      owned.push_back({volume.offset + range.offset, range.length});
    }
    for (const Range& range : volume.tables) EXPECT_LE(range.offset + range.length, volume.size) << volume.id;
  }
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  std::sort(owned.begin(), owned.end(), [](const Range& a, const Range& b) { return a.offset < b.offset; });
  std::uint64_t next = 0;
  for (const Range& range : owned) {
    EXPECT_EQ(range.offset, next);
    EXPECT_GT(range.length, 0U);
    next = range.offset + range.length;
  }
  EXPECT_EQ(next, size);
}

struct Listed {
  std::vector<Volume> volumes;
  std::vector<std::string> problems;
  const Volume& named(const std::string& id) const {
    for (const Volume& volume : volumes)
      if (volume.id == id) return volume;
    throw std::runtime_error("no " + id);
  }
  std::vector<Volume> of_kind(const std::string& kind) const {
    std::vector<Volume> found;
    std::copy_if(volumes.begin(), volumes.end(), std::back_inserter(found),
                 [&](const Volume& v) { return v.kind == kind; });
    return found;
  }
};

Listed list(ByteSource& media, std::uint32_t sector_size = 512) {
  Notes notes;
  auto volumes = list_volumes(media, sector_size, "E1", notes);
  EXPECT_TRUE(volumes.ok()) << volumes.error().message;
  if (!volumes.ok()) return {};
  expect_tiles(*volumes, media.size());
  return {volumes.take(), notes.details};
}

Listed list(const std::string& bytes) {
  Bytes media(bytes);
  return list(media);
}

std::unique_ptr<image::Image> open(const fs::path& path) {
  std::vector<image::SegmentFile> segments(1);
  segments[0].name = path.filename().string();
  segments[0].size = fs::file_size(path);
  segments[0].fd.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto opened = image::open_image(std::move(segments));
  if (!opened.ok()) throw std::runtime_error(opened.error().message);
  return opened.take();
}

std::string unpacked(const std::string& file) {
  const TemporaryDirectory scratch;
  return test::read_file(test::unpack(file, scratch));
}

void put(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

// ---- against mmls, as the truth files keep it

struct Case {
  const char* truth;
  const char* file;
  const char* scheme;
};
class Truth : public testing::TestWithParam<Case> {};

TEST_P(Truth, PartitionsAreThoseOfMmls) {
  const TemporaryDirectory scratch;
  const auto image = open(test::unpack(std::string("images/") + GetParam().file, scratch));
  const Listed listed = list(*image);
  using Place = std::tuple<std::uint64_t, std::uint64_t>;
  std::vector<Place> expected, found;
  std::istringstream lines(test::read_file(test::corpus(std::string("truth/") + GetParam().truth + ".jsonl")));
  for (std::string line; std::getline(lines, line);) {
    const auto record = base::Json::parse(line);
    if (record["rec"] != "volume" || record["alloc"] == false || record["desc"] == "Unused (0x00)") continue;
    expected.emplace_back(record["start"], record["length"]);
  }
  for (const Volume& volume : listed.of_kind("partition")) {
    found.emplace_back(volume.offset, volume.size);
    EXPECT_EQ(volume.scheme, GetParam().scheme);
    EXPECT_EQ(volume.parent, "E1");
  }
  EXPECT_EQ(found, expected);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(listed.of_kind("partition")[i].id, "E1/p" + std::to_string(i + 1));
}

INSTANTIATE_TEST_SUITE_P(Corpora, Truth,
                         testing::Values(Case{"dftt01-extend-part", "ext-part-test-2.dd.xz", "mbr"},
                                         Case{"dn-gpt-512-3p", "gpt-512-3p.raw.xz", "gpt"},
                                         Case{"dn-mbr-512-p1e2", "mbr-512-p1e2.bin.xz", "mbr"},
                                         Case{"mbr-dfvfs", "mbr.raw.xz", "mbr"}, Case{"bsd-dissect", "bsd.bin", "bsd"},
                                         Case{"con-apm-p", "con-p-apm.raw.xz", "apm"},
                                         Case{"con-gptfat-p", "con-p-gptfat.raw.xz", "gpt"},
                                         Case{"exfat-lin", "exfat_lin_part.raw.xz", "mbr"},
                                         Case{"deb-fs-multiple", "fs.multiple.xz", "mbr"}),
                         [](const auto& tested) {
                           std::string name = tested.param.truth;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Mbr, MarksTheTablesOfTheChainWithinItsGaps) {
  const std::string bytes = unpacked("images/mbr-512-p1e2.bin.xz");
  const Listed listed = list(bytes);
  EXPECT_THAT(listed.problems, IsEmpty());
  // Sectors 0 and 1: the MBR and the first extended table; sector 513: the second one.
  EXPECT_EQ(listed.named("E1/gap0").offset, 0U);
  EXPECT_EQ(listed.named("E1/gap0").size, 1024U);
  EXPECT_EQ(listed.named("E1/gap0").tables, (std::vector<Range>{{0, 1024}}));
  EXPECT_EQ(listed.named("E1/gap1").offset, 513U * 512);
  EXPECT_EQ(listed.named("E1/gap1").tables, (std::vector<Range>{{0, 512}}));
  EXPECT_EQ(listed.named("E1/p1").type, "0x83");
  EXPECT_EQ(listed.named("E1/p1").slot, 4U);
  EXPECT_EQ(listed.named("E1/p3").slot, 1U);
}

TEST(Mbr, TellsWhatAChainLosesByDamage) {
  const std::string bytes = unpacked("images/mbr-512-p1e2.bin.xz");
  std::string signature = bytes;
  signature[513 * 512 + 510] = 0;
  EXPECT_THAT(list(signature).problems, Contains(HasSubstr("extended partition table at byte 262656 is damaged")));
  std::string far = bytes;
  put(far, 512 + 446 + 24, 5000000, 4);
  EXPECT_THAT(list(far).problems, Contains(HasSubstr("damaged or past the end")));
  std::string loop = bytes;
  loop[513 * 512 + 446 + 20] = 5;
  put(loop, 513 * 512 + 446 + 24, 512, 4);
  put(loop, 513 * 512 + 446 + 28, 512, 4);
  EXPECT_THAT(list(loop).problems, Contains(HasSubstr("loop")));
  std::string self = bytes;
  self[513 * 512 + 446 + 20] = 5;
  put(self, 513 * 512 + 446 + 24, 0, 4);
  put(self, 513 * 512 + 446 + 28, 512, 4);
  EXPECT_THAT(list(self).problems, Contains(HasSubstr("loop")));
}

TEST(Mbr, ListsWhatReachesPastTheEnd) {
  const std::string bytes = unpacked("images/mbr-512-p1e2.bin.xz");
  const Listed cut = list(bytes.substr(0, 700 * 512));
  EXPECT_EQ(cut.of_kind("partition").size(), 3U);
  EXPECT_EQ(cut.named("E1/p2").size, (700U - 514) * 512);
  EXPECT_EQ(cut.named("E1/p3").size, 0U);
  EXPECT_EQ(cut.problems.size(), 2U);
  EXPECT_THAT(cut.problems, testing::Each(HasSubstr("past the medium's end")));
}

TEST(Mbr, TellsOverlaps) {
  std::string bytes = unpacked("images/mbr-512-p1e2.bin.xz");
  put(bytes, 446 + 16 + 8, 600, 4);
  const Listed listed = list(bytes);
  EXPECT_THAT(listed.problems, Contains(HasSubstr("partitions overlap: E1/p2 and E1/p3")));
}

TEST(Gpt, GivesGuidsNamesAndSlots) {
  const std::string bytes = unpacked("images/con-p-gptfat.raw.xz");
  const Listed listed = list(bytes);
  EXPECT_THAT(listed.problems, IsEmpty());
  const Volume& second = listed.named("E1/p2");
  EXPECT_EQ(second.label, "données ☃");
  EXPECT_EQ(second.slot, 1U);
  // sgdisk's words for the same entries, by an independent reader of the GUID.
  const TemporaryDirectory scratch;
  test::write_file(scratch / "disk.raw", bytes);
  const auto sfdisk = test::run({"sfdisk", "-d", (scratch / "disk.raw").string()});
  if (sfdisk.status == 0) {
    EXPECT_THAT(sfdisk.out, HasSubstr("type=" + *second.type));
  }
  // Header, entries and protective MBR in front; entries and header behind.
  EXPECT_EQ(listed.named("E1/gap0").tables, (std::vector<Range>{{0, 34 * 512}}));
  EXPECT_EQ(listed.named("E1/gap2").tables, (std::vector<Range>{{0, 33 * 512}}));
}

TEST(Gpt, FallsBackOnTheSecondCopyAndSaysSo) {
  const std::string bytes = unpacked("images/con-p-gptfat.raw.xz");
  const Listed good = list(bytes);
  for (const std::size_t at : {std::size_t{512}, std::size_t{512 + 50}, std::size_t{1024 + 40}}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    const Listed listed = list(damaged);
    EXPECT_THAT(listed.problems, Contains(HasSubstr("its backup at byte 50331136 was used"))) << at;
    EXPECT_EQ(listed.of_kind("partition").size(), 2U);
    EXPECT_EQ(listed.named("E1/p2").label, good.named("E1/p2").label);
  }
  // The second header in the first one's place: its checksums hold, but it isn't the header for that place.
  std::string moved = bytes;
  moved.replace(512, 512, bytes, bytes.size() - 512, 512);
  EXPECT_THAT(list(moved).problems, Contains(HasSubstr("its backup at byte 50331136 was used")));
  std::string second = bytes;
  second[second.size() - 512 + 20] ^= 1;
  EXPECT_THAT(list(second).problems, Contains(HasSubstr("backup of the GPT is missing or damaged")));
  std::string both = second;
  both[512 + 20] ^= 1;
  const Listed none_valid = list(both);
  EXPECT_THAT(none_valid.problems, Contains(HasSubstr("used as it is")));
  EXPECT_EQ(none_valid.of_kind("partition").size(), 2U);
}

TEST(Gpt, TellsWhatIsLeftOfIt) {
  std::string bytes = unpacked("images/con-p-gptfat.raw.xz");
  bytes.replace(0, 34 * 512, 34 * 512, '\xff');
  bytes[bytes.size() - 512 + 60] ^= 1;
  EXPECT_THAT(list(bytes).problems, Contains(HasSubstr("what is left of a GPT's backup")));
}

TEST(Gpt, ListsTheEntriesOfACutMedium) {
  const auto image = open(test::corpus("images/gpt.bin"));
  const Listed listed = list(*image);
  ASSERT_EQ(listed.of_kind("partition").size(), 2U);
  EXPECT_EQ(listed.named("E1/p1").type, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
  EXPECT_EQ(listed.named("E1/p1").label, "EFI System Partition");
  EXPECT_EQ(listed.named("E1/p2").size, 0U);
  EXPECT_THAT(listed.problems, Contains(HasSubstr("past the medium's end")));
}

TEST(Apm, GivesTypesAndNames) {
  const std::string bytes = unpacked("images/con-p-apm.raw.xz");
  const Listed listed = list(bytes);
  EXPECT_THAT(listed.problems, IsEmpty());
  EXPECT_EQ(listed.named("E1/p1").type, "Apple_partition_map");
  EXPECT_EQ(listed.named("E1/p3").type, "Apple_HFS");
  EXPECT_EQ(listed.named("E1/p3").offset, 1048576U);
}

TEST(Sun, ListsTheSlicesOfACutMediumWithoutTheWholeDisk) {
  const TemporaryDirectory scratch;
  const auto image = open(test::unpack("sampler/pt-sun.img.xz", scratch));
  const Listed listed = list(*image);
  EXPECT_EQ(listed.volumes.front().scheme, "sun");
  for (const Volume& volume : listed.of_kind("partition")) EXPECT_NE(volume.type, "0x05");
  EXPECT_GE(listed.of_kind("partition").size(), 1U);
}

// ---- none

TEST(None, FileSystemsWithoutATableAreOneVolume) {
  std::vector<std::string> files;
  for (const char* name : {"fs-fat32_mkdosfs_label1", "fs-fat32_xp_label1", "fs-fat32_cp850_O_tilde", "fs-exfat",
                           "fs-ext2", "fs-ext3", "fs-hfs", "fs-iso-rr-joliet", "fs-minix-LE", "fs-swap1-big",
                           "fs-udf-hdd-win7", "fs-bitlocker-win7", "fs-mdraid", "fs-vmfs"})
    files.push_back("sampler/" + std::string(name) + ".img.xz");
  for (const char* name : {"fat12.bin.xz", "fat12.img.xz", "fat16.raw.xz", "6-fat-undel.dd.xz", "exfat.bin.xz",
                           "ext4.bin.xz", "ffs.bin.xz", "hfsplus.raw.xz", "iso9660.raw.xz", "image.iso.xz",
                           "con-p-iso.raw.xz", "con-p-ntfs.raw.xz", "con-p-ext2.raw.xz", "image.dd",
                           "fat_very_small.dd", "con-p-encase6.E01", "test.ntfs.dd.E01", "daylight.dd.xz"})
    files.push_back(std::string("images/") + name);
  const TemporaryDirectory scratch;
  for (const std::string& file : files) {
    const fs::path path = test::unpack(file, scratch);
    if (fs::file_size(path) == 0) continue;
    const auto image = open(path);
    const Listed listed = list(*image);
    ASSERT_EQ(listed.volumes.size(), 1U) << file;
    EXPECT_EQ(listed.volumes[0].id, "E1/p0") << file;
    EXPECT_EQ(listed.volumes[0].kind, "unpartitioned") << file;
    EXPECT_EQ(listed.volumes[0].scheme, "none") << file;
    EXPECT_EQ(listed.volumes[0].size, image->size()) << file;
    EXPECT_THAT(listed.problems, IsEmpty()) << file;
    fs::remove(path);
  }
}

TEST(None, AHybridIsoIsOneVolumeAndSaysSo) {
  std::string bytes = unpacked("images/con-p-iso.raw.xz");
  bytes[446 + 4] = 0x17;
  put(bytes, 446 + 8, 0, 4);
  put(bytes, 446 + 8, 64, 4);
  put(bytes, 446 + 12, 100, 4);
  put(bytes, 510, 0xaa55, 2);
  const Listed listed = list(bytes);
  ASSERT_EQ(listed.volumes.size(), 1U);
  EXPECT_EQ(listed.volumes[0].kind, "unpartitioned");
  EXPECT_THAT(listed.problems, Contains(HasSubstr("hybrid")));
}

TEST(None, AnEmptyMediumHasOneEmptyVolume) { EXPECT_EQ(list(std::string()).volumes.size(), 1U); }

TEST(Two, AStaleGptBehindARealMbrIsToldAndNotUsed) {
  std::string bytes = unpacked("images/con-p-gptfat.raw.xz");
  bytes[446 + 4] = 0x07;
  const Listed listed = list(bytes);
  EXPECT_EQ(listed.volumes.front().scheme, "mbr");
  EXPECT_THAT(listed.problems, Contains(HasSubstr("two partition tables")));
}

// bsd.bin holds the first 9 of the 100 sectors that its label's entry for the whole disk tells.
TEST(Bsd, TellsADiskThatTheMediumCutsShort) {
  std::string bytes = test::read_file(test::corpus("images/bsd.bin"));
  EXPECT_THAT(list(bytes).problems, ElementsAre(HasSubstr("ends at byte 51200; the medium ends at 4608")));
  bytes.resize(51200);
  EXPECT_THAT(list(bytes).problems, IsEmpty());
}

// ---- whatever the tables say

TEST(Mutated, VolumesTileTheMedium) {
  std::mt19937 engine(3);
  for (const char* file : {"images/mbr-512-p1e2.bin.xz", "images/gpt-512-3p.raw.xz", "images/bsd.bin",
                           "images/con-p-apm.raw.xz", "sampler/pt-sun.img.xz"}) {
    std::string bytes = unpacked(file);
    if (bytes.size() > (std::size_t{2} << 20)) bytes.resize(std::size_t{2} << 20);
    for (int round = 0; round < 150; ++round) {
      std::string mutated = bytes;
      for (std::uint64_t i = 0, changes = 1 + engine() % 6; i < changes; ++i) {
        // Within the structures rather than the zeros around them.
        std::size_t at = engine() % std::min<std::size_t>(mutated.size(), 4096);
        for (int look = 0; look < 200 && mutated[at] == 0; ++look)
          at = (at + 1) % std::min<std::size_t>(mutated.size(), 4096);
        mutated[at] = static_cast<char>(engine());
      }
      list(mutated);  // expect_tiles
    }
  }
}

// ---- the pieces others use

TEST(Slice, IsAPartOfItsParentWithItsDamage) {
  Bytes media("0123456789");
  media.damage({4, 3, DoubtCause::crc_error});
  const auto part = slice(media, 2, 6);
  EXPECT_EQ(part->size(), 6U);
  std::string buffer(20, 'x');
  const auto got = part->read_at(1, std::as_writable_bytes(std::span(buffer)));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(buffer.substr(0, *got), "34567");
  EXPECT_EQ(part->doubts(0, 100), (std::vector<Doubt>{{2, 3, DoubtCause::crc_error}}));
  EXPECT_EQ(part->doubts(3, 1), (std::vector<Doubt>{{3, 1, DoubtCause::crc_error}}));
  EXPECT_EQ(part->damaged_reads(), 1U);
  EXPECT_EQ(slice(media, 8, 100)->size(), 2U);
  EXPECT_EQ(*part->read_at(6, std::as_writable_bytes(std::span(buffer))), 0U);
}

TEST(TskImage, CountsDamageThatItsCacheWouldHide) {
  Bytes media(std::string(100000, 'a'));
  media.damage({1000, 512, DoubtCause::crc_error});
  auto tsk = TskImage::create(media, 512);
  ASSERT_TRUE(tsk.ok());
  char buffer[512];
  ASSERT_EQ(tsk_img_read((*tsk)->get(), 1024, buffer, sizeof buffer), 512);
  ASSERT_EQ(tsk_img_read((*tsk)->get(), 1024, buffer, sizeof buffer), 512);
  EXPECT_EQ(media.damaged_reads(), 1U);
  (*tsk)->forget_damage();
  ASSERT_EQ(tsk_img_read((*tsk)->get(), 1024, buffer, sizeof buffer), 512);
  EXPECT_EQ(media.damaged_reads(), 2U);
  EXPECT_FALSE(TskImage::create(media, 500).ok());
}

// libtsk brings libbfio.so.1 into the process, and libewf has a copy of its own: each name must mean one of them only.
TEST(TskImage, LeavesLibewfItsOwnLibbfio) {
  const void* tsk = dlsym(RTLD_DEFAULT, "tsk_img_open_external");
  ASSERT_NE(tsk, nullptr);
  for (const char* name : {"libbfio_handle_initialize", "libbfio_pool_initialize", "libbfio_pool_append_handle"}) {
    Dl_info where{};
    ASSERT_NE(dladdr(dlsym(RTLD_DEFAULT, name), &where), 0);
    EXPECT_THAT(where.dli_fname, HasSubstr("libewf.so")) << name;
  }
}

TEST(Record, HoldsWhatFindingsSay) {
  Volume volume;
  volume.id = "E1/p1";
  volume.parent = "E1";
  volume.kind = "partition";
  volume.scheme = "mbr";
  volume.slot = 0;
  volume.offset = 512;
  volume.size = 1024;
  volume.type = "0x07";
  EXPECT_EQ(
      base::canonical(to_record(volume)),
      R"({"id":"E1/p1","kind":"partition","offset":512,"parent":"E1","record":"volume","scheme":"mbr","size":1024,"slot":0,"type":"0x07"})");
}

}  // namespace
}  // namespace exhibit::volume
