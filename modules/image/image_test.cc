// Longer than 500 lines because it holds a test for each way that a container can be broken.
#include "image/image.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <random>

#include "base/json.h"
#include "image/damage_map.h"
#include "image/test_images.h"
#include "support/test_support.h"

namespace exhibit::image {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

struct Corpus {
  const char* truth;
  std::vector<std::string> files;
  const char* format;
};

class WholeMedia : public testing::TestWithParam<Corpus> {};

TEST_P(WholeMedia, DigestsEqualTheTruth) {
  const TemporaryDirectory scratch;
  std::vector<fs::path> paths;
  for (const auto& file : GetParam().files) paths.push_back(test::unpack("images/" + file, scratch));
  auto image = open_paths(paths);
  ASSERT_TRUE(image.ok()) << image.error().message;
  const auto expected = truth(GetParam().truth);
  const std::string bytes = bytes_of(**image);
  EXPECT_EQ((*image)->description().format, GetParam().format);
  EXPECT_EQ((*image)->size(), expected["size"]);
  EXPECT_EQ(digest("MD5", bytes), expected["md5"]);
  EXPECT_EQ(digest("SHA256", bytes), expected["sha256"]);
  EXPECT_TRUE((*image)->doubts(0, UINT64_MAX).empty());
  EXPECT_EQ((*image)->damaged_reads(), 0U);
  EXPECT_TRUE((*image)->description().notices.empty()) << (*image)->description().notices.front();
  // What the container says of itself is what its bytes give.
  const auto& said = (*image)->description();
  if (said.stored_digests.contains("md5")) {
    EXPECT_EQ(digest("MD5", bytes + *(*image)->tail()), said.stored_digests.at("md5"));
  }
  if (said.stored_digests.contains("sha1")) {
    EXPECT_EQ(digest("SHA1", bytes + *(*image)->tail()), said.stored_digests.at("sha1"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Corpora, WholeMedia,
    testing::Values(
        Corpus{"e01-dfvfs-ext2", {"ext2.E01"}, "ewf-e01"}, Corpus{"e01-german-utf8", {"german_utf8.E01"}, "ewf-e01"},
        Corpus{"e01-sk-image", {"image.E01"}, "ewf-e01"}, Corpus{"e01-veloci-ntfs", {"test.ntfs.dd.E01"}, "ewf-e01"},
        Corpus{"con-encase6-p", {"con-p-encase6.E01"}, "ewf-e01"},
        Corpus{"con-smart-p", {"con-p-smart.s01"}, "ewf-s01"},
        Corpus{"e01split-email", {"email_test.E01", "email_test.E02", "email_test.E03", "email_test.E04"}, "ewf-e01"},
        Corpus{"split-ext2", {"ext2.splitraw.000.xz", "ext2.splitraw.001.xz"}, "split-raw"},
        Corpus{"raw-sk-image", {"image.dd"}, "raw"}, Corpus{"qcow1-sk-image", {"image.qcow"}, "qcow"},
        Corpus{"qcow2-dfvfs-ext2", {"ext2.qcow2.xz"}, "qcow2"},
        Corpus{"qcow2-dissect-basic", {"basic.qcow2.xz"}, "qcow2"}, Corpus{"lvm-dfvfs", {"lvm.qcow2.xz"}, "qcow2"},
        Corpus{"vhd-dissect-dynamic", {"dynamic.vhd.xz"}, "vhd"}, Corpus{"vhd-sk-image", {"image.vhd.xz"}, "vhd"},
        Corpus{"vhdx-dissect-dynamic", {"dynamic.vhdx.xz"}, "vhdx"}, Corpus{"vmdk-sk-image", {"image.vmdk"}, "vmdk"},
        Corpus{"con-vdi-p", {"con-p-vdi.vdi"}, "vdi"}),
    [](const auto& tested) {
      std::string name = tested.param.truth;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(Ewf, TellsHowItWasAcquired) {
  auto image = open_paths({test::corpus("images/con-p-encase6.E01")});
  ASSERT_TRUE(image.ok());
  const auto& said = (*image)->description();
  EXPECT_EQ(said.sector_size, 512U);
  EXPECT_EQ(said.acquisition.at("case_number"), "CASE-7");
  EXPECT_EQ(said.acquisition.at("description"), "Beweis № 3");
  EXPECT_EQ(said.acquisition.at("examiner_name"), "A. Examiner");
  EXPECT_EQ(said.acquisition.at("evidence_number"), "EV-3");
  EXPECT_EQ(said.acquisition.at("notes"), "note");
  EXPECT_EQ(said.acquisition.at("acquiry_operating_system"), "Linux");
  EXPECT_EQ(said.acquisition.at("acquiry_software_version"), "20140813");
  EXPECT_EQ(said.acquisition.at("acquiry_date").find_first_not_of("0123456789"), std::string::npos);
  EXPECT_THAT(said.stored_digests, UnorderedElementsAre(Pair("md5", "4aeb06ecd361777242ab78735d51ace6"),
                                                        Pair("sha1", "bb7d22f68c3c3f03a17d0772854be4d58c7702ee")));
}

TEST(Ewf, DeliversTheBytesPastTheLastWholeSector) {
  std::vector<fs::path> paths;
  for (const char* n : {"1", "2", "3", "4"}) paths.push_back(test::corpus(std::string("images/email_test.E0") + n));
  auto image = open_paths(paths);
  ASSERT_TRUE(image.ok()) << image.error().message;
  const auto expected = truth("e01split-email", "ewf_tail");
  const std::string tail = *(*image)->tail();
  EXPECT_EQ((*image)->size() + tail.size(), expected["data_bytes"]);
  EXPECT_EQ((*image)->description().stored_digests_size, expected["data_bytes"].get<std::uint64_t>());
  EXPECT_EQ(digest("MD5", bytes_of(**image) + tail), (*image)->description().stored_digests.at("md5"));
}

TEST(Ewf, TakesSegmentsInAnyOrder) {
  std::vector<fs::path> paths;
  for (const char* n : {"3", "1", "4", "2"}) paths.push_back(test::corpus(std::string("images/email_test.E0") + n));
  auto image = open_paths(paths);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(digest("SHA256", bytes_of(**image)), truth("e01split-email")["sha256"]);
}

TEST(Ewf, NamesTheSegmentThatIsMissing) {
  const auto open_some = [](const std::vector<std::string>& numbers) {
    std::vector<fs::path> paths;
    for (const auto& n : numbers) paths.push_back(test::corpus("images/email_test.E0" + n));
    return open_paths(paths);
  };
  const auto second = open_some({"1", "3", "4"});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::not_found);
  EXPECT_THAT(second.error().message, HasSubstr("segment 2 is missing"));
  const auto rest = open_some({"1"});
  ASSERT_FALSE(rest.ok());
  EXPECT_EQ(rest.error().code, ErrorCode::not_found);
  EXPECT_THAT(rest.error().message, HasSubstr("segment 2 is missing, and perhaps more"));
  const auto first = open_some({"2", "3", "4"});
  ASSERT_FALSE(first.ok());
  EXPECT_THAT(first.error().message, HasSubstr("segment 1 is missing"));
  const auto twice = open_some({"1", "2", "2", "3", "4"});
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, ErrorCode::corrupt);
}

TEST(Ewf, GivesABadChunkAsZerosAndSaysWhere) {
  auto image = open_paths({test::corpus("images/con-p-badchunk.E01")});
  ASSERT_TRUE(image.ok()) << image.error().message;
  auto good = open_paths({test::corpus("images/con-p-encase6.E01")});
  std::string expected = bytes_of(**good);
  const std::uint64_t from = 64 * 512, length = 64 * 512;
  std::fill_n(expected.begin() + from, length, '\0');
  for (const std::size_t step : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{1000}})
    EXPECT_EQ(bytes_of(**image, step), expected);
  EXPECT_EQ((*image)->doubts(0, UINT64_MAX), (std::vector<Doubt>{{from, length, DoubtCause::crc_error}}));
  EXPECT_EQ((*image)->doubts(from + 10, 20), (std::vector<Doubt>{{from + 10, 20, DoubtCause::crc_error}}));
  EXPECT_TRUE((*image)->doubts(0, from).empty());
  EXPECT_GT((*image)->damaged_reads(), 0U);
}

TEST(Ewf, RefusesAnImageWhoseOnlyTableIsCutOff) {
  const auto image = open_paths({test::corpus("images/con-p-cut.E01")});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::corrupt);
  EXPECT_THAT(image.error().message, HasSubstr("con-p-cut.E01: the section `sectors` at offset 1913 reaches to 26698, "
                                               "the file ends at 19921; the file is truncated"));
}

TEST(Ewf, RefusesVersionTwoAndLogicalEvidenceInPlainWords) {
  const auto ex01 = open_paths({test::corpus("images/con-p-ex01.Ex01")});
  ASSERT_FALSE(ex01.ok());
  EXPECT_EQ(ex01.error().code, ErrorCode::unsupported);
  EXPECT_THAT(ex01.error().message, HasSubstr("Ex01"));
  const TemporaryDirectory scratch;
  test::write_file(scratch / "files.L01",
                   std::string("LVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00", 13) + std::string(500, 'x'));
  const auto l01 = open_paths({scratch / "files.L01"});
  ASSERT_FALSE(l01.ok());
  EXPECT_EQ(l01.error().code, ErrorCode::unsupported);
  EXPECT_THAT(l01.error().message, HasSubstr("logical"));
}

TEST(Ewf, IsNeverTakenForRaw) {
  const TemporaryDirectory scratch;
  const std::string whole = test::read_file(test::corpus("images/con-p-encase6.E01"));
  const auto refused = [&](const std::string& name, const std::string& bytes) {
    test::write_file(scratch / name, bytes);
    const auto image = open_paths({scratch / name});
    ASSERT_FALSE(image.ok()) << name;
    EXPECT_EQ(image.error().code, ErrorCode::corrupt) << image.error().message;
    EXPECT_THAT(image.error().message, HasSubstr(name));
    const auto asked = open_image(segments_of({scratch / name}), "raw");
    EXPECT_FALSE(asked.ok()) << name;
  };
  std::string broken = whole;
  broken[3] = 'X';
  refused("signature.E01", broken);
  refused("renamed.dd", broken);  // a section follows, whatever the name
  refused("short.E01", whole.substr(0, 12));
  refused("empty.E01", "");
  refused("header.E01", whole.substr(0, 13));
  refused("text.E01", std::string(4096, 'a'));
  refused("empty.dd", "");
}

// Whatever is done to the file: an Error, or bytes that differ from the medium's only where doubts say so.
void expect_honest(const std::vector<fs::path>& paths, const std::string& medium, const std::string& what) {
  auto image = open_paths(paths);
  if (!image.ok()) {
    EXPECT_NE(image.error().code, ErrorCode::internal) << what;
    EXPECT_FALSE(image.error().message.empty()) << what;
    return;
  }
  EXPECT_THAT((*image)->description().format, testing::StartsWith("ewf")) << what;
  const std::string bytes = bytes_of(**image, 300000);
  if (bytes.size() != medium.size()) {
    ADD_FAILURE() << what << ": " << bytes.size() << " bytes";
    return;
  }
  const auto doubts = (*image)->doubts(0, UINT64_MAX);
  std::size_t at = 0;
  const auto same_until = [&](std::uint64_t end) {
    const auto differs =
        std::mismatch(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + static_cast<std::ptrdiff_t>(end),
                      medium.begin() + static_cast<std::ptrdiff_t>(at));
    const auto place = static_cast<std::uint64_t>(differs.first - bytes.begin());
    EXPECT_EQ(place, end) << what << ": differs at " << place << " without a doubt";
  };
  for (const Doubt& doubt : doubts) {
    same_until(doubt.offset);
    at = doubt.offset + doubt.length;
    EXPECT_EQ(bytes.find_first_not_of('\0', doubt.offset) >= at, true) << what << ": doubtful bytes aren't zeros";
  }
  same_until(bytes.size());
}

class Ewfacquire : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(Ewfacquire, GivesTheMediumBack) {
  const auto [format, compression] = GetParam();
  Made made;
  made.medium = medium_of(900 * 1024, 700 * 1024, 1100 * 1024 + 512);
  acquire(made, format, compression, "1048576");
  auto image = open_paths(made.paths);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(bytes_of(**image) == made.medium, true);
  EXPECT_TRUE((*image)->doubts(0, UINT64_MAX).empty());
  const auto& said = (*image)->description();
  EXPECT_TRUE(said.notices.empty()) << said.notices.front();
  EXPECT_EQ(said.format, std::string(format) == "smart" ? "ewf-s01" : "ewf-e01");
  EXPECT_EQ(said.stored_digests.at("md5"), digest("MD5", made.medium));
  EXPECT_EQ(said.acquisition.at("case_number"), "case 1");
  EXPECT_EQ(said.acquisition.at("examiner_name"), "somebody");
  EXPECT_EQ(*(*image)->tail(), "");
}

INSTANTIATE_TEST_SUITE_P(Formats, Ewfacquire,
                         testing::Combine(testing::Values("encase1", "encase2", "encase3", "encase4", "encase5",
                                                          "encase6", "linen5", "linen6", "ftk", "smart", "ewfx"),
                                          testing::Values("none", "empty-block", "fast", "best")),
                         [](const auto& tested) {
                           std::string name = std::string(std::get<0>(tested.param)) + "_" + std::get<1>(tested.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class Damage : public testing::TestWithParam<const char*> {};

TEST_P(Damage, NeverPassesInSilence) {
  Made made;
  made.medium = medium_of(1400 * 1024, 200 * 1024, 300 * 1024);
  acquire(made, GetParam(), "fast", "1048576");
  ASSERT_GE(made.paths.size(), 2U);
  std::mt19937 engine(11);
  for (std::size_t file = 0; file < made.paths.size(); ++file) {
    const std::string whole = test::read_file(made.paths[file]);
    const auto with = [&](const std::string& bytes, const std::string& what) {
      test::write_file(made.paths[file], bytes);
      expect_honest(made.paths, made.medium, std::string(GetParam()) + " file " + std::to_string(file) + " " + what);
    };
    for (const std::size_t length : {std::size_t{0}, std::size_t{12}, std::size_t{13}, std::size_t{89},
                                     whole.size() / 3, whole.size() - 100, whole.size() - 1})
      with(whole.substr(0, length), "cut to " + std::to_string(length));
    // Around both ends, where the sections lie, and anywhere in the chunks.
    for (int i = 0; i < 60; ++i) {
      const std::size_t near = engine() % std::min<std::size_t>(whole.size(), 3000);
      const std::size_t at = i % 3 == 0 ? near : i % 3 == 1 ? whole.size() - 1 - near : engine() % whole.size();
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (engine() % 8)));
      with(flipped, "bit flipped at " + std::to_string(at));
    }
    test::write_file(made.paths[file], whole);
    if (made.paths.size() < 2) continue;
    auto others = made.paths;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(file));
    EXPECT_FALSE(open_paths(others).ok());
  }
  expect_honest(made.paths, made.medium, "whole again");
}

INSTANTIATE_TEST_SUITE_P(Formats, Damage, testing::Values("encase1", "encase6", "smart", "ewfx"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(Ewf, RefusesSegmentsOfDifferentImages) {
  Made one, other;
  one.medium = medium_of(1400 * 1024, 0, 0);
  other.medium = medium_of(1400 * 1024, 0, 64 * 1024);
  acquire(one, "encase6", "none", "1048576");
  acquire(other, "encase6", "none", "1048576");
  const auto image = open_paths({one.paths.at(0), other.paths.at(1)});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::corrupt);
  EXPECT_THAT(image.error().message, HasSubstr("belongs to another image"));
}

TEST(Ewf, KeepsTheStartOfASetWhoseLastSegmentIsCut) {
  const TemporaryDirectory scratch;
  std::vector<fs::path> paths;
  for (const char* n : {"1", "2", "3", "4"})
    paths.push_back(test::unpack(std::string("images/email_test.E0") + n, scratch));
  const std::string medium = bytes_of(**open_paths(paths));
  test::write_file(paths.back(), test::read_file(paths.back()).substr(0, 100000));
  auto image = open_paths(paths);
  ASSERT_TRUE(image.ok()) << image.error().message;
  const std::uint64_t chunks = 3 * 31, start = chunks * 32768;
  EXPECT_EQ((*image)->doubts(0, UINT64_MAX),
            (std::vector<Doubt>{{start, medium.size() - start, DoubtCause::missing_segment}}));
  EXPECT_THAT((*image)->description().notices, testing::Contains(HasSubstr("email_test.E04")));
  EXPECT_EQ(bytes_of(**image).substr(0, start), medium.substr(0, start));
}

// A sound descriptor where another belongs: the chain goes on behind what lay between.
TEST(Ewf, TellsASectionThatLeadsPastOthers) {
  Made made;
  made.medium = medium_of(100000, 50000, 100000);
  acquire(made, "encase6", "fast", "8GiB");
  std::string bytes = test::read_file(made.paths.front());
  const std::size_t copy = bytes.find(std::string("table2\0\0\0\0\0\0\0\0\0\0", 16));
  const std::size_t data = bytes.find(std::string("data\0\0\0\0\0\0\0\0\0\0\0\0", 16));
  ASSERT_NE(copy, std::string::npos);
  ASSERT_NE(data, std::string::npos);
  constexpr std::size_t descriptor = 76;
  bytes.replace(copy, descriptor, bytes.substr(data, descriptor));
  const auto path = made.scratch / "changed.E01";
  test::write_file(path, bytes);
  const auto image = open_paths({path});
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_THAT((*image)->description().notices, testing::Contains(testing::HasSubstr("sections may be missing")));
}

TEST(SplitRaw, NamesThePieceThatIsMissing) {
  const TemporaryDirectory scratch;
  for (const char* n : {"001", "002", "003"})
    test::write_file(scratch / (std::string("disk.") + n), std::string(1000, n[2]));
  auto whole = open_paths({scratch / "disk.001", scratch / "disk.002", scratch / "disk.003"});
  ASSERT_TRUE(whole.ok()) << whole.error().message;
  EXPECT_EQ((*whole)->description().format, "split-raw");
  EXPECT_EQ(bytes_of(**whole, 700), std::string(1000, '1') + std::string(1000, '2') + std::string(1000, '3'));
  const auto gap = open_paths({scratch / "disk.001", scratch / "disk.003"});
  ASSERT_FALSE(gap.ok());
  EXPECT_EQ(gap.error().code, ErrorCode::not_found);
  EXPECT_THAT(gap.error().message, HasSubstr("piece 2 is missing"));
  EXPECT_FALSE(open_paths({scratch / "disk.002", scratch / "disk.003"}).ok());
}

TEST(Raw, TellsWhatCouldNotBeRead) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "disk.dd", std::string(5000, 'x'));
  auto segments = segments_of({scratch / "disk.dd"});
  fs::resize_file(scratch / "disk.dd", 2000);  // a file that shrinks beneath us
  auto image = open_image(std::move(segments));
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(bytes_of(**image), std::string(2000, 'x') + std::string(3000, '\0'));
  EXPECT_EQ((*image)->doubts(0, UINT64_MAX), (std::vector<Doubt>{{2000, 3000, DoubtCause::read_error}}));
}

TEST(OpenImage, KnowsTheFormatsThatWereNamed) {
  const auto unknown = open_image(segments_of({test::corpus("images/image.dd")}), "zip");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(unknown.error().message, HasSubstr("ewf, foreign-container, qcow, raw, split-raw, vdi, vhd, vhdx, vmdk"));
  EXPECT_TRUE(open_image(segments_of({test::corpus("images/image.dd")}), "raw").ok());
  EXPECT_FALSE(open_image(segments_of({test::corpus("images/image.dd")}), "ewf").ok());
}

struct Foreign {
  const char* file;
  const char* told;
};

class ForeignContainer : public testing::TestWithParam<Foreign> {};

// A container that isn't read is told by name, and taken as plain bytes only by a person's word.
TEST_P(ForeignContainer, IsNotTakenForAMedium) {
  const TemporaryDirectory scratch;
  const fs::path path = test::unpack(std::string("images/") + GetParam().file, scratch);
  const auto image = open_paths({path});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::unsupported);
  EXPECT_EQ(image.error().message, path.filename().string() + ": is " + GetParam().told +
                                       ", which this version doesn't read; --as raw takes its bytes as they are");
  auto raw = open_image(segments_of({path}), "raw");
  ASSERT_TRUE(raw.ok()) << raw.error().message;
  EXPECT_EQ((*raw)->description().format, "raw");
  EXPECT_EQ((*raw)->size(), fs::file_size(path));
}

INSTANTIATE_TEST_SUITE_P(Corpora, ForeignContainer,
                         testing::Values(Foreign{"con-p-aff.aff", "an AFF image"},
                                         Foreign{"hfsplus_zlib.dmg", "an Apple disk image (UDIF, DMG)"},
                                         Foreign{"spotlight.12.dmg", "an Apple disk image (UDIF, DMG)"},
                                         Foreign{"dream.aff4", "an AFF4 image"},
                                         Foreign{"Base-Linear.aff4", "an AFF4 image"},
                                         Foreign{"ad1_test.ad1", "an AD1 logical image"}),
                         [](const auto& tested) {
                           std::string name = tested.param.file;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
                           return name;
                         });

// A medium whose last file is a container ends as the container does.
TEST(ForeignContainer, IsNotSeenInAMediumThatEndsInOne) {
  const TemporaryDirectory scratch;
  const std::string medium = test::read_file(test::corpus("images/image.dd"));
  for (const char* file : {"image.vhd", "hfsplus_zlib.dmg", "spotlight.12.dmg", "dream.aff4", "image.qcow"}) {
    test::write_file(scratch / "disk.img", medium + test::read_file(test::corpus(std::string("images/") + file)));
    EXPECT_TRUE(open_paths({scratch / "disk.img"}).ok()) << file;
  }
  for (const char* tail : {"koly", "conectix"}) {
    test::write_file(scratch / "disk.img", medium + tail + std::string(512 - std::string(tail).size(), '\0'));
    EXPECT_TRUE(open_paths({scratch / "disk.img"}).ok()) << tail;
  }
}

TEST(ForeignContainer, IsKnownInPieces) {
  const TemporaryDirectory scratch;
  const std::string bytes = test::read_file(test::corpus("images/hfsplus_zlib.dmg"));
  test::write_file(scratch / "image.dmg.001", bytes.substr(0, 19800));
  test::write_file(scratch / "image.dmg.002", bytes.substr(19800));
  const std::vector<fs::path> paths = {scratch / "image.dmg.001", scratch / "image.dmg.002"};
  const auto image = open_paths(paths);
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::ambiguous);
  EXPECT_TRUE(open_image(segments_of(paths), "split-raw").ok());
  const auto named = open_image(segments_of(paths), "foreign-container");
  ASSERT_FALSE(named.ok());
  EXPECT_THAT(named.error().message, HasSubstr("is an Apple disk image"));
}

// Two copies of libbfio in one process would be fatal where handles of one met functions of the other.
TEST(Ewf, UsesTheLibbfioWithinLibewf) {
  for (const char* name : {"libbfio_handle_initialize", "libbfio_pool_initialize", "libbfio_pool_append_handle",
                           "libewf_handle_open_file_io_pool"}) {
    Dl_info where{};
    ASSERT_NE(::dladdr(::dlsym(RTLD_DEFAULT, name), &where), 0);
    EXPECT_THAT(where.dli_fname, HasSubstr("libewf.so")) << name;
  }
}

// A process that may open nothing: what a worker is after it has sealed itself.
TEST(Ewf, OpensAndReadsWhereNothingMayBeOpened) {
  std::vector<fs::path> paths;
  for (const char* n : {"1", "2", "3", "4"}) paths.push_back(test::corpus(std::string("images/email_test.E0") + n));
  auto segments = segments_of(paths);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TZ", "UTC0", 1);  // libewf turns dates into local time, and glibc would look for the zone's file
    ::tzset();
    const scmp_filter_ctx filter = ::seccomp_init(SCMP_ACT_ALLOW);
    for (const int call : {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(socket), SCMP_SYS(stat), SCMP_SYS(newfstatat),
                           SCMP_SYS(access), SCMP_SYS(readlink), SCMP_SYS(read), SCMP_SYS(lseek), SCMP_SYS(execve)})
      ::seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0);
    if (::seccomp_load(filter) != 0) ::_exit(3);
    auto image = open_image(std::move(segments));
    if (!image.ok()) ::_exit(4);
    std::string bytes((*image)->size(), 'x');
    const auto got = (*image)->read_at(0, std::as_writable_bytes(std::span(bytes)));
    ::_exit(got.ok() && *got == bytes.size() ? 0 : 5);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(DamageMap, KeepsStretchesSortedAndApart) {
  DamageMap map;
  map.add(100, 50, DoubtCause::crc_error);
  map.add(200, 50, DoubtCause::crc_error);
  map.add(90, 200, DoubtCause::read_error);
  EXPECT_EQ(map.within(0, 1000), (std::vector<Doubt>{{90, 10, DoubtCause::read_error},
                                                     {100, 50, DoubtCause::crc_error},
                                                     {150, 50, DoubtCause::read_error},
                                                     {200, 50, DoubtCause::crc_error},
                                                     {250, 40, DoubtCause::read_error}}));
  EXPECT_EQ(map.within(140, 20),
            (std::vector<Doubt>{{140, 10, DoubtCause::crc_error}, {150, 10, DoubtCause::read_error}}));
  EXPECT_FALSE(map.touches(0, 90));
  EXPECT_TRUE(map.touches(289, 1));
}

}  // namespace
}  // namespace exhibit::image
