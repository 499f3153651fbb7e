// Our own reading of chunks, held against the raw bytes and against libewf.
#include <gtest/gtest.h>
#include <libdeflate.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "image/damage_map.h"
#include "image/formats/ewf/ewf_handle.h"
#include "image/formats/ewf/layout.h"
#include "image/test_images.h"

namespace exhibit::image::ewf {
namespace {

// What the image gave while libewf alone decoded its chunks: the layout is ours, every byte and every bad chunk is
// libewf's.
class ByLibewf {
 public:
  static std::optional<ByLibewf> open(std::vector<SegmentFile> segments) {
    ByLibewf image;
    image.segments_ = std::make_unique<std::vector<SegmentFile>>(std::move(segments));
    auto layout = read_layout(*image.segments_);
    if (!layout.ok()) return std::nullopt;
    image.layout_ = layout.take();
    auto handle = EwfHandle::open(*image.segments_);
    if (!handle.ok()) return std::nullopt;
    image.handle_ = handle.take();
    if (*image.handle_->media_size() != image.size()) return std::nullopt;
    const std::uint64_t located = std::min(image.size(), image.layout_.located_chunks * image.chunk_size());
    if (located < image.size()) image.zeroed_.add(located, image.size() - located, DoubtCause::missing_segment);
    return image;
  }

  std::uint64_t size() const { return layout_.media.size(); }
  std::vector<Doubt> doubts() const { return zeroed_.within(0, size()); }

  std::string bytes(std::size_t step) {
    std::string all(size(), '\x55');
    for (std::size_t at = 0; at < all.size(); at += step) {
      read_sound_parts(at, std::as_writable_bytes(std::span(all)).subspan(at, std::min(step, all.size() - at)));
      for (const SectorRange& range : handle_->bad_sectors())
        zeroed_.add(range.first * sector(), std::min(range.count * sector(), size() - range.first * sector()),
                    DoubtCause::crc_error);
    }
    for (const Doubt& doubt : doubts()) std::memset(all.data() + doubt.offset, 0, doubt.length);
    return all;
  }

 private:
  std::uint64_t sector() const { return layout_.media.bytes_per_sector; }
  std::uint64_t chunk_size() const { return layout_.media.chunk_size(); }

  void read_sound_parts(std::uint64_t offset, std::span<std::byte> buffer) {
    std::size_t done = 0;
    for (const Doubt& doubt : zeroed_.within(offset, buffer.size())) {
      const std::size_t start = doubt.offset - offset;
      if (start > done) read_chunks(offset + done, buffer.subspan(done, start - done));
      done = start + doubt.length;
    }
    if (buffer.size() > done) read_chunks(offset + done, buffer.subspan(done));
  }

  void read_chunks(std::uint64_t offset, std::span<std::byte> buffer) {
    if (handle_->read(offset, buffer).ok()) return;
    for (std::size_t done = 0; done < buffer.size();) {
      const std::uint64_t at = offset + done;
      const auto part =
          buffer.subspan(done, std::min<std::uint64_t>(buffer.size() - done, chunk_size() - at % chunk_size()));
      if (!handle_->read(at, part).ok()) zeroed_.add(at, part.size(), DoubtCause::read_error);
      done += part.size();
    }
  }

  std::unique_ptr<std::vector<SegmentFile>> segments_;
  Layout layout_;
  std::unique_ptr<EwfHandle> handle_;
  DamageMap zeroed_;
};

std::string told(const std::vector<Doubt>& doubts) {
  std::string text;
  for (const Doubt& doubt : doubts)
    text += std::to_string(doubt.offset) + "+" + std::to_string(doubt.length) + " " + name_of(doubt.cause) + "; ";
  return text;
}

std::string with_zeros(std::string bytes, const std::vector<Doubt>& doubts) {
  for (const Doubt& doubt : doubts) std::memset(bytes.data() + doubt.offset, 0, doubt.length);
  return bytes;
}

bool noticed(const Image& image, const std::string& what) {
  const auto& notices = image.description().notices;
  return std::any_of(notices.begin(), notices.end(), [&](const auto& n) { return n.find(what) != std::string::npos; });
}

bool all_within(const std::vector<Doubt>& doubts, const std::vector<Doubt>& others) {
  DamageMap map;
  for (const Doubt& doubt : others) map.add(doubt.offset, doubt.length, DoubtCause::crc_error);
  return std::all_of(doubts.begin(), doubts.end(), [&](const Doubt& doubt) {
    const auto within = map.within(doubt.offset, doubt.length);
    return within.size() == 1 && within.front().length == doubt.length;
  });
}

// Whatever was done to the files, the same bytes and the same doubts as by libewf, with two exceptions where libewf
// loses what is there: it refuses a whole image whose sections are damaged beside the chunks, and where a table's copy
// has to be used it misjudges the length of the table's last chunk.
void expect_as_by_libewf(const std::vector<std::filesystem::path>& paths, const std::string& medium,
                         const std::string& what) {
  constexpr std::size_t step = 200000;  // ends within chunks
  auto image = open_paths(paths);
  auto other = ByLibewf::open(segments_of(paths));
  if (!image.ok()) {
    EXPECT_FALSE(other) << what << image.error().message;
    return;
  }
  const std::string bytes = bytes_of(**image, step);
  const auto doubts = (*image)->doubts(0, UINT64_MAX);
  const std::string others = other ? other->bytes(step) : std::string();
  if (other && bytes == others && doubts == other->doubts()) return;
  EXPECT_TRUE(bytes == with_zeros(medium, doubts)) << what << told(doubts);
  if (!other) {
    EXPECT_FALSE((*image)->description().notices.empty()) << what;
  } else {
    EXPECT_TRUE(noticed(**image, "its copy was used"))
        << what << told(doubts) << " by libewf " << told(other->doubts());
    EXPECT_TRUE(all_within(doubts, other->doubts())) << what << told(doubts) << " by libewf " << told(other->doubts());
  }
}

// A few bytes of one file changed: half of them where tables and small sections lie, half anywhere.
void flip(std::string& bytes, std::mt19937& engine) {
  const std::size_t flips = 1 + engine() % 3;
  for (std::size_t i = 0; i < flips; ++i) {
    const std::size_t near = engine() % std::min<std::size_t>(bytes.size(), 3000);
    const std::array<std::size_t, 4> places = {near, bytes.size() - 1 - near, engine() % bytes.size(),
                                               engine() % bytes.size()};
    char& byte = bytes[places[engine() % places.size()]];
    byte = static_cast<char>(engine() % 2 == 0 ? engine() : static_cast<unsigned char>(byte) ^ (1U << engine() % 8));
  }
}

void flip_and_compare(const std::vector<std::filesystem::path>& paths, int times) {
  auto sound = ByLibewf::open(segments_of(paths));
  ASSERT_TRUE(sound);
  const std::string medium = sound->bytes(std::size_t{1} << 20);
  std::mt19937 engine(5);
  for (int i = 0; i < times; ++i) {
    const auto& path = paths[engine() % paths.size()];
    const std::string whole = test::read_file(path);
    std::string broken = whole;
    flip(broken, engine);
    test::write_file(path, broken);
    expect_as_by_libewf(paths, medium, path.filename().string() + " change " + std::to_string(i) + ": ");
    test::write_file(path, whole);
  }
}

class Damaged : public testing::TestWithParam<std::vector<std::string>> {};

TEST_P(Damaged, GivesWhatLibewfGives) {
  const test::TemporaryDirectory scratch;
  std::vector<std::filesystem::path> paths;
  for (const auto& file : GetParam()) paths.push_back(test::unpack("images/" + file, scratch));
  flip_and_compare(paths, 80);
}

INSTANTIATE_TEST_SUITE_P(Corpora, Damaged,
                         testing::Values(std::vector<std::string>{"con-p-encase6.E01"},
                                         std::vector<std::string>{"con-p-smart.s01"},
                                         std::vector<std::string>{"con-p-badchunk.E01"},
                                         std::vector<std::string>{"image.E01"}));

// Plain chunks, in two segments.
TEST(Damaged, GivesWhatLibewfGivesOfSegments) {
  Made made;
  made.medium = medium_of(1100 * 1024, 0, 100 * 1024);
  acquire(made, "encase5", "none", "1048576");
  flip_and_compare(made.paths, 100);
}

TEST(Damaged, GivesWhatLibewfGivesOfEnCase1) {
  Made made;
  made.medium = medium_of(200 * 1024, 100 * 1024, 100 * 1024 + 512);
  acquire(made, "encase1", "fast", "1048576");
  flip_and_compare(made.paths, 100);
}

struct Acquired {
  const char* format;
  const char* compression;
  const char* sectors_per_chunk;
  std::size_t source_tail;  // bytes past the last whole sector
};

class Chunks : public testing::TestWithParam<Acquired> {};

TEST_P(Chunks, AreTheMediumInAnyOrder) {
  Made made;
  made.medium = medium_of(900 * 1024, 300 * 1024, 500 * 1024 + 512 * 3 + GetParam().source_tail);
  acquire(made, GetParam().format, GetParam().compression, "1048576", GetParam().sectors_per_chunk);
  auto image = open_paths(made.paths);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(*(*image)->tail(), made.medium.substr((*image)->size()));
  std::mt19937 engine(3);
  std::string buffer;
  for (int i = 0; i < 2000; ++i) {
    buffer.assign(engine() % 2 == 0 ? engine() % 5000 : engine() % 200000, '\x55');
    const std::uint64_t offset = engine() % ((*image)->size() + 1000);
    const auto got = (*image)->read_at(offset, std::as_writable_bytes(std::span(buffer)));
    ASSERT_TRUE(got.ok());
    const std::uint64_t there = offset < (*image)->size() ? (*image)->size() - offset : 0;
    ASSERT_EQ(*got, std::min<std::uint64_t>(buffer.size(), there));
    ASSERT_EQ(std::memcmp(buffer.data(), made.medium.data() + offset, *got), 0) << offset << "+" << *got;
  }
  EXPECT_TRUE((*image)->doubts(0, UINT64_MAX).empty());
}

INSTANTIATE_TEST_SUITE_P(Ewfacquire, Chunks,
                         testing::Values(Acquired{"encase1", "fast", "64", 0}, Acquired{"encase5", "none", "16", 0},
                                         Acquired{"encase5", "fast", "64", 0}, Acquired{"encase6", "best", "1024", 0},
                                         Acquired{"encase6", "fast", "32768", 0}, Acquired{"encase6", "none", "64", 0},
                                         Acquired{"ftk", "fast", "128", 0}, Acquired{"linen5", "best", "64", 0},
                                         Acquired{"linen6", "none", "256", 0}, Acquired{"smart", "fast", "64", 0},
                                         Acquired{"smart", "none", "64", 0}, Acquired{"ewfx", "fast", "64", 0}),
                         [](const auto& tested) {
                           return std::string(tested.param.format) + "_" + tested.param.compression + "_" +
                                  tested.param.sectors_per_chunk;
                         });

std::string little(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::string summed(std::string bytes) { return bytes + little(libdeflate_adler32(1, bytes.data(), bytes.size()), 4); }

std::string descriptor(const std::string& type, std::uint64_t offset, std::uint64_t data_size) {
  std::string bytes = type + std::string(16 - type.size(), '\0');
  const std::uint64_t size = type == "done" ? 0 : descriptor_size + data_size;
  return summed(bytes + little(offset + size, 8) + little(size, 8) + std::string(40, '\0'));
}

// What the one who made the image couldn't read stands in `error2`.
TEST(Ewf, TellsAcquisitionErrors) {
  const test::TemporaryDirectory scratch;
  const auto path = test::unpack("images/con-p-encase6.E01", scratch);
  std::string bytes = test::read_file(path);
  bytes.resize(bytes.size() - descriptor_size);  // `done`
  const std::string header = summed(little(2, 4) + std::string(512, '\0'));
  const std::string ranges = summed(little(70, 4) + little(2, 4) + little(100, 4) + little(1, 4));
  bytes += descriptor("error2", bytes.size(), header.size() + ranges.size()) + header + ranges;
  bytes += descriptor("done", bytes.size(), 0);
  test::write_file(path, bytes);
  auto image = open_paths({path});
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ((*image)->doubts(0, UINT64_MAX), (std::vector<Doubt>{{70 * 512, 2 * 512, DoubtCause::read_error},
                                                                 {100 * 512, 512, DoubtCause::read_error}}));
  const auto segments = segments_of({path});
  const auto by_libewf = (*EwfHandle::open(segments))->acquisition_errors();
  ASSERT_EQ(by_libewf.size(), 2U);
  EXPECT_EQ(by_libewf[0].first, 70U);
  EXPECT_EQ(by_libewf[1].count, 1U);
}

// A segment of more than 2 GiB, as EnCase 6.7 and later write: entries beyond have no bit left for `compressed`. The
// file is sparse; its chunks are as long as they may be, and hold their number and zeros.
TEST(Ewf, ReadsChunksBeyondTwoGibibytesOfASegment) {
  constexpr std::uint64_t sectors = 131072, chunk_size = sectors * 512, count = 35, volume_size = 1052;
  constexpr std::uint64_t data = file_header_size + 2 * descriptor_size + volume_size;
  const test::TemporaryDirectory scratch;
  const auto path = scratch / "large.E01";
  test::write_file(path, "");
  const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const auto put = [&](std::uint64_t offset, const std::string& bytes) {
    ASSERT_EQ(::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)),
              static_cast<ssize_t>(bytes.size()));
  };
  std::string chunk(chunk_size, '\0'), entries;
  std::string compressed(chunk_size, '\0');
  const auto numbered = [&](std::uint64_t n) { chunk.replace(0, 8, little(n + 1, 8)); };
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(1);
  numbered(0);
  compressed.resize(libdeflate_zlib_compress(compressor, chunk.data(), chunk.size(), compressed.data(), chunk_size));
  libdeflate_free_compressor(compressor);
  put(data, compressed);
  entries = little(data | 0x80000000U, 4);
  std::uint64_t end = data + compressed.size();
  for (std::uint64_t n = 1; n < count; ++n) {
    numbered(n);
    entries += little(end, 4);
    put(end, chunk.substr(0, 8));
    put(end + chunk_size, little(libdeflate_adler32(1, chunk.data(), chunk.size()), 4));
    end += chunk_size + 4;
  }
  ASSERT_GT(end, std::uint64_t{1} << 31);
  std::string volume(volume_size - 4, '\0');
  volume.replace(4, 20, little(count, 4) + little(sectors, 4) + little(512, 4) + little(count * sectors, 8));
  put(0, std::string("EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00", 13) +
             descriptor("volume", file_header_size, volume_size) + summed(volume) +
             descriptor("sectors", data - descriptor_size, end - data));
  const std::string table = summed(little(count, 4) + std::string(16, '\0')) + summed(entries);
  std::string rest = descriptor("table", end, table.size()) + table;
  rest += descriptor("done", end + rest.size(), 0);
  put(end, rest);

  auto image = open_paths({path});
  ASSERT_TRUE(image.ok()) << image.error().message;
  const auto segments = segments_of({path});
  const auto by_libewf = EwfHandle::open(segments);
  ASSERT_TRUE(by_libewf.ok()) << by_libewf.error().message;
  std::string first(8, 'x'), other(8, 'x');
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{1}, count - 3, count - 2, count - 1}) {
    ASSERT_TRUE((*image)->read_at(n * chunk_size, std::as_writable_bytes(std::span(first))).ok());
    EXPECT_EQ(first, little(n + 1, 8));
    ASSERT_TRUE((*by_libewf)->read(n * chunk_size, std::as_writable_bytes(std::span(other))).ok());
    EXPECT_EQ(first, other);
  }
  EXPECT_TRUE((*image)->doubts(0, UINT64_MAX).empty());
}

}  // namespace
}  // namespace exhibit::image::ewf
