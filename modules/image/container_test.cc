// Containers against qemu-img, which makes them and reads them back, and against the corpora's truth.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/crc.h"
#include "image/container_file.h"
#include "image/test_images.h"

namespace exhibit::image {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;
using testing::HasSubstr;

void qemu(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "qemu-img");
  const auto done = test::run(arguments);
  ASSERT_EQ(done.status, 0) << done.out << done.err;
}

// Random bytes, zeros and text, over several blocks of each format, and no whole number of clusters.
std::string medium() { return medium_of(3 << 20, 5 << 20, (4 << 20) + 512); }

// All files of the folder but the sources, the named one first.
std::vector<fs::path> image_files(const TemporaryDirectory& scratch, const std::string& first) {
  std::vector<fs::path> others;
  for (const auto& entry : fs::directory_iterator(scratch.path())) {
    const std::string name = entry.path().filename().string();
    if (name != first && entry.path().extension() != ".raw") others.push_back(entry.path());
  }
  std::sort(others.begin(), others.end());
  others.insert(others.begin(), scratch / first);
  return others;
}

// What qemu-img reads from it.
std::string read_by_qemu(const TemporaryDirectory& scratch, const std::string& name, const std::string& format) {
  qemu({"convert", "-f", format, "-O", "raw", (scratch / name).string(), (scratch / "back.raw").string()});
  return test::read_file(scratch / "back.raw");
}

void expect_same(const TemporaryDirectory& scratch, const std::string& name, const std::string& format) {
  const std::string expected = read_by_qemu(scratch, name, format);
  auto image = open_paths(image_files(scratch, name));
  ASSERT_TRUE(image.ok()) << image.error().message;
  for (const std::size_t step : {std::size_t{1} << 20, std::size_t{70001}}) {
    const std::string bytes = bytes_of(**image, step);
    EXPECT_EQ(bytes.size(), expected.size());
    EXPECT_TRUE(bytes == expected) << "by reads of " << step << ": " << digest("SHA256", bytes);
  }
  EXPECT_TRUE((*image)->doubts(0, UINT64_MAX).empty());
}

struct Kind {
  const char* name;
  const char* format;  // as qemu-img calls it
  const char* extension;
  const char* options;
  bool compressed = false;
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }  // else its pointers stand in the test's name

// Gives the name of the image that qemu-img made.
std::string make(const TemporaryDirectory& scratch, const Kind& kind, std::string bytes) {
  // QEMU can't compress the last part of a cluster into its first format, and ends in 1 when all was written.
  const bool first_format = kind.format == std::string("qcow") && kind.compressed;
  if (first_format) bytes.resize(bytes.size() / 65536 * 65536);
  test::write_file(scratch / "source.raw", bytes);
  const std::string name = std::string("disk.") + kind.extension;
  std::vector<std::string> arguments = {"qemu-img", "convert", "-f", "raw", "-O", kind.format};
  if (kind.compressed) arguments.push_back("-c");
  std::string options = kind.options;
  if (options.ends_with("data_file=")) options += (scratch / "disk.data").string();
  if (!options.empty()) arguments.insert(arguments.end(), {"-o", options});
  arguments.insert(arguments.end(), {(scratch / "source.raw").string(), (scratch / name).string()});
  const auto done = test::run(arguments);
  EXPECT_TRUE(done.status == 0 || (first_format && done.status == 1)) << done.out << done.err;
  return name;
}

class QemuImage : public testing::TestWithParam<Kind> {};

TEST_P(QemuImage, GivesTheSameBytes) {
  const TemporaryDirectory scratch;
  const std::string name = make(scratch, GetParam(), medium());
  ASSERT_FALSE(HasFatalFailure());
  expect_same(scratch, name, GetParam().format);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, QemuImage,
    testing::Values(
        Kind{"qcow", "qcow", "qcow", ""}, Kind{"qcow_packed", "qcow", "qcow", "", true},
        Kind{"qcow2_v2", "qcow2", "qcow2", "compat=0.10"}, Kind{"qcow2_v3", "qcow2", "qcow2", "compat=1.1"},
        Kind{"qcow2_512", "qcow2", "qcow2", "cluster_size=512"}, Kind{"qcow2_2M", "qcow2", "qcow2", "cluster_size=2M"},
        Kind{"qcow2_packed", "qcow2", "qcow2", "", true},
        Kind{"qcow2_2M_packed", "qcow2", "qcow2", "cluster_size=2M", true},
        Kind{"qcow2_zstd", "qcow2", "qcow2", "compression_type=zstd", true},
        Kind{"qcow2_subclusters", "qcow2", "qcow2", "extended_l2=on,cluster_size=128k"},
        Kind{"qcow2_data_file", "qcow2", "qcow2", "data_file="},
        Kind{"vmdk_sparse", "vmdk", "vmdk", "subformat=monolithicSparse"},
        Kind{"vmdk_flat", "vmdk", "vmdk", "subformat=monolithicFlat"},
        Kind{"vmdk_split_sparse", "vmdk", "vmdk", "subformat=twoGbMaxExtentSparse"},
        Kind{"vmdk_split_flat", "vmdk", "vmdk", "subformat=twoGbMaxExtentFlat"},
        Kind{"vmdk_stream", "vmdk", "vmdk", "subformat=streamOptimized"},
        Kind{"vhd_dynamic", "vpc", "vhd", "subformat=dynamic"}, Kind{"vhd_fixed", "vpc", "vhd", "subformat=fixed"},
        Kind{"vhd_exact", "vpc", "vhd", "subformat=fixed,force_size=on"},
        Kind{"vhdx_1M", "vhdx", "vhdx", "block_size=1M"}, Kind{"vhdx_8M", "vhdx", "vhdx", "block_size=8M"},
        Kind{"vhdx_256M", "vhdx", "vhdx", "block_size=256M"}, Kind{"vhdx_fixed", "vhdx", "vhdx", "subformat=fixed"},
        Kind{"vdi", "vdi", "vdi", ""}, Kind{"vdi_fixed", "vdi", "vdi", "static=on"}),
    [](const auto& tested) { return std::string(tested.param.name); });

// A child with bytes of its own in the middle of a cluster, over a parent.
void add_child(const TemporaryDirectory& scratch, const std::string& format, const std::string& parent_format,
               const std::string& parent, const std::string& child, const std::string& command) {
  qemu({"create", "-q", "-f", format, "-F", parent_format, "-b", parent, (scratch / child).string()});
  const auto done = test::run({"qemu-io", "-f", format, "-c", command, (scratch / child).string()});
  ASSERT_EQ(done.status, 0) << done.out << done.err;
}

TEST(Chain, OfQcow2OverQcow2OverRaw) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "base.img", medium());
  add_child(scratch, "qcow2", "raw", "base.img", "middle.qcow2", "write -P 65 1000000 3000");
  add_child(scratch, "qcow2", "qcow2", "middle.qcow2", "top.qcow2", "write -P 66 1002000 100000");
  expect_same(scratch, "top.qcow2", "qcow2");
}

TEST(Chain, OfVmdkSnapshots) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "source.raw", medium());
  qemu({"convert", "-f", "raw", "-O", "vmdk", (scratch / "source.raw").string(), (scratch / "disk.vmdk").string()});
  add_child(scratch, "vmdk", "vmdk", "disk.vmdk", "disk-000001.vmdk", "write -P 67 131072 262144");
  add_child(scratch, "vmdk", "vmdk", "disk-000001.vmdk", "disk-000002.vmdk", "write -P 68 262144 65536");
  expect_same(scratch, "disk-000002.vmdk", "vmdk");
}

TEST(Chain, NamesTheParentThatIsMissing) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "base.img", medium());
  add_child(scratch, "qcow2", "raw", "base.img", "top.qcow2", "write -P 65 0 512");
  const auto image = open_paths({scratch / "top.qcow2"});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::not_found);
  EXPECT_THAT(image.error().message, HasSubstr("top.qcow2: is a difference to base.img, which is missing"));
  EXPECT_THAT(image.error().message, HasSubstr("--segments base.img"));
}

TEST(Chain, RefusesFilesThatAreNoPartOfIt) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "base.img", medium());
  test::write_file(scratch / "other.img", medium());
  add_child(scratch, "qcow2", "raw", "base.img", "top.qcow2", "write -P 65 0 512");
  for (const char* named : {"top.qcow2", "base.img"}) {
    const auto image = open_paths({scratch / "top.qcow2", scratch / "base.img", scratch / "other.img"});
    ASSERT_FALSE(image.ok()) << named;
    EXPECT_THAT(image.error().message, HasSubstr("other.img"));
  }
}

// An image that says that it is a difference to itself.
TEST(Chain, HasNoLoop) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "base.img", medium());
  add_child(scratch, "qcow2", "raw", "base.img", "a.qcow2", "write -P 65 0 512");
  std::string bytes = test::read_file(scratch / "a.qcow2");
  const std::size_t name = bytes.find("base.img");
  ASSERT_NE(name, std::string::npos);
  bytes.replace(name, 8, "loop.img");
  test::write_file(scratch / "loop.img", bytes);
  const auto image = open_paths({scratch / "loop.img"});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::not_found);
}

// libvhdi's vhdimount 20210425 gives a medium of this digest. The image's checksums are wrong, which both pass over.
TEST(Chain, OfVhds) {
  const TemporaryDirectory scratch;
  const fs::path child = test::unpack("images/image-differential.vhd.xz", scratch);
  auto image = open_paths({child, test::corpus("images/image.vhd")});
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(digest("SHA256", bytes_of(**image)), "c6db12a7db548e193c29420c1b4533e4708b20c5033db5cc29ef075d48316d25");
  EXPECT_THAT((*image)->description().notices, testing::ElementsAre(HasSubstr("doesn't match its checksum")));
  const auto alone = open_paths({child});
  ASSERT_FALSE(alone.ok());
  EXPECT_EQ(alone.error().code, ErrorCode::not_found);
  EXPECT_THAT(alone.error().message, HasSubstr("image.vhd"));
}

// A changed parent makes a child's bytes something that no machine ever saw.
TEST(Chain, RefusesAParentThatIsAnotherOne) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "source.raw", medium());
  qemu({"convert", "-f", "raw", "-O", "vmdk", (scratch / "source.raw").string(), (scratch / "disk.vmdk").string()});
  add_child(scratch, "vmdk", "vmdk", "disk.vmdk", "child.vmdk", "write -P 67 131072 262144");
  const auto done = test::run({"qemu-io", "-f", "vmdk", "-c", "write -P 1 0 512", (scratch / "disk.vmdk").string()});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto image = open_paths({scratch / "child.vmdk", scratch / "disk.vmdk"});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().code, ErrorCode::corrupt);
  const TemporaryDirectory vhd;
  const fs::path differential = test::unpack("images/image-differential.vhd.xz", vhd);
  std::string parent = test::read_file(test::unpack("images/dynamic.vhd.xz", vhd));
  test::write_file(vhd / "image.vhd", parent);
  const auto other = open_paths({differential, vhd / "image.vhd"});
  ASSERT_FALSE(other.ok());
  EXPECT_THAT(other.error().message, HasSubstr("isn't the parent"));
}

TEST(Vmdk, IsReadAcrossSeveralExtents) {
  const TemporaryDirectory scratch;
  const std::string bytes = medium();
  test::write_file(scratch / "source.raw", bytes.substr(0, 4 << 20));
  qemu({"convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", (scratch / "source.raw").string(),
        (scratch / "part.vmdk").string()});
  test::write_file(scratch / "flat.bin", std::string(1024, 'x') + bytes.substr(4 << 20));
  fs::remove(scratch / "part.vmdk");
  test::write_file(scratch / "disk.vmdk",
                   "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
                   "createType=\"twoGbMaxExtentSparse\"\nRW 8192 SPARSE \"part-s001.vmdk\"\nRW 2048 ZERO\nRW " +
                       std::to_string((bytes.size() - (4 << 20)) / 512) + " FLAT \"flat.bin\" 2\n");
  auto image = open_paths(image_files(scratch, "disk.vmdk"));
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_TRUE(bytes_of(**image) == bytes.substr(0, 4 << 20) + std::string(1 << 20, '\0') + bytes.substr(4 << 20));
  const auto missing = open_paths({scratch / "disk.vmdk", scratch / "part-s001.vmdk"});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_THAT(missing.error().message, HasSubstr("extent flat.bin is missing"));
  const auto extent = open_paths({scratch / "part-s001.vmdk"});
  ASSERT_FALSE(extent.ok());
  EXPECT_THAT(extent.error().message, HasSubstr("name the descriptor"));
}

void put_little(std::string& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<char>(value >> (8 * i));
}

// CRC-32C with its own place taken as zeros ([MS-VHDX] 2.2.2, 2.3.1.1).
void seal_vhdx(std::string& file, std::size_t at, std::size_t length) {
  put_little(file, at + 4, 0, 4);
  const auto bytes = std::as_bytes(std::span(file)).subspan(at, length);
  put_little(file, at + 4, ~base::crc32c(UINT32_MAX, bytes), 4);
}

// The table of blocks was to be written when the machine stopped: it stands in the log and not in its place. qemu-img,
// once allowed to write, puts it there.
TEST(Vhdx, PlaysItsLogBackInMemory) {
  constexpr std::size_t sector = 4096, header = 0x10000, regions = 0x30000;
  const TemporaryDirectory scratch;
  const std::string name = make(scratch, {"", "vhdx", "vhdx", "block_size=1M"}, medium());
  const std::string sound = read_by_qemu(scratch, name, "vhdx");
  std::string file = test::read_file(scratch / name);
  const auto log = static_cast<std::size_t>(little(file, header + 72, 8));
  // The regions are the block table and the metadata; the table is the one that doesn't begin as metadata.
  auto table = static_cast<std::size_t>(little(file, regions + 32, 8));
  if (file.compare(table, 8, "metadata") == 0) table = static_cast<std::size_t>(little(file, regions + 64, 8));
  const std::string written = file.substr(table, sector);
  file.replace(table, sector, sector, '\0');
  const std::string identity = "0123456789abcdef";
  std::string entry(2 * sector, '\0');
  entry.replace(0, 4, "loge");
  put_little(entry, 8, entry.size(), 4);
  put_little(entry, 16, 1, 8);
  put_little(entry, 24, 1, 4);
  entry.replace(32, 16, identity);
  put_little(entry, 48, file.size(), 8);
  put_little(entry, 56, file.size(), 8);
  entry.replace(64, 4, "desc");
  entry.replace(68, 4, written, sector - 4, 4);
  entry.replace(72, 8, written, 0, 8);
  put_little(entry, 80, table, 8);
  put_little(entry, 88, 1, 8);
  entry.replace(sector, 4, "data");
  entry.replace(sector + 8, sector - 12, written, 8, sector - 12);
  put_little(entry, 2 * sector - 4, 1, 4);
  seal_vhdx(entry, 0, entry.size());
  file.replace(log, entry.size(), entry);
  for (const std::size_t at : {header, 2 * header}) {
    file.replace(at + 48, 16, identity);
    seal_vhdx(file, at, sector);
  }
  test::write_file(scratch / name, file);
  const auto read = [&] {
    auto image = open_paths({scratch / name});
    return image.ok() ? bytes_of(**image) : image.error().message;
  };
  EXPECT_TRUE(read() == sound);
  EXPECT_TRUE(test::read_file(scratch / name) == file) << "the evidence was written to";
  qemu({"check", "-q", "-r", "all", "-f", "vhdx", (scratch / name).string()});
  EXPECT_TRUE(read_by_qemu(scratch, name, "vhdx") == sound);
  EXPECT_TRUE(read() == sound);
  // A log whose entry doesn't check is no reason to read the table as if nothing had been written.
  file[log + sector + 100] ^= 1;
  test::write_file(scratch / name, file);
  EXPECT_THAT(read(), HasSubstr("log holds no sound entry"));
}

// Its checksum: the one's complement of the sum of all other bytes.
void set_checksum(std::string& footer) {
  std::fill_n(footer.begin() + 64, 4, '\0');
  std::uint32_t sum = 0;
  for (const char c : footer) sum += static_cast<unsigned char>(c);
  for (std::size_t i = 0; i < 4; ++i) footer[64 + i] = static_cast<char>(~sum >> (24 - 8 * i));
}

// The 512 bytes at a VHD's end, with the fields that the specification gives a fixed disk.
std::string fixed_vhd_footer(std::uint64_t size) {
  std::string footer = test::read_file(test::corpus("images/image.vhd"));
  footer = footer.substr(footer.size() - 512);
  for (std::size_t i = 0; i < 8; ++i) {
    footer[16 + i] = '\xff';
    footer[40 + i] = footer[48 + i] = static_cast<char>(size >> (56 - 8 * i));
  }
  footer[63] = 2;
  set_checksum(footer);
  return footer;
}

TEST(Vhd, IsKnownByItsEndAlone) {
  const TemporaryDirectory scratch;
  const std::string medium = test::read_file(test::corpus("images/image.dd"));
  const auto read = [&](const std::string& bytes) {
    test::write_file(scratch / "disk.img", bytes);
    auto image = open_paths({scratch / "disk.img"});
    return image.ok() ? (*image)->description().format + ":" + digest("MD5", bytes_of(**image)) : "refused";
  };
  const std::string footer = fixed_vhd_footer(medium.size());
  EXPECT_EQ(read(medium + footer), "vhd:" + digest("MD5", medium));
  EXPECT_EQ(read(medium + footer.substr(0, 511)), "vhd:" + digest("MD5", medium));
  EXPECT_EQ(read(medium), "raw:" + digest("MD5", medium));
  // A medium whose last file is such a disk ends as that does.
  const std::string twice = medium + medium + footer;
  EXPECT_EQ(read(twice), "raw:" + digest("MD5", twice));
}

// Cut: an Error or doubts, never other bytes without a word where the container can tell.
TEST_P(QemuImage, NeverPassesInSilenceWhenItIsCut) {
  const TemporaryDirectory scratch;
  const std::string options = GetParam().options;
  if (options.ends_with("data_file=") || options.find("lat") != std::string::npos) GTEST_SKIP() << "not one file";
  const std::string name = make(scratch, GetParam(), medium_of(1 << 20, 1 << 20, 1 << 20));
  const auto files = image_files(scratch, name);
  const fs::path longest = files.back();
  const std::string whole = test::read_file(longest);
  const std::string sound = bytes_of(**open_paths(files));
  for (const std::size_t part : {1, 3, 5, 7, 9}) {
    test::write_file(longest, whole.substr(0, whole.size() / 10 * part));
    auto image = open_paths(files);
    if (!image.ok()) {
      EXPECT_THAT(image.error().message, HasSubstr(longest.filename().string()));
      continue;
    }
    const std::string bytes = bytes_of(**image);
    const bool told = !(*image)->doubts(0, UINT64_MAX).empty();
    EXPECT_TRUE(told || bytes == sound) << name << " cut to " << part << " tenths";
  }
}

}  // namespace
}  // namespace exhibit::image
