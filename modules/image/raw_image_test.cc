#include <fstream>

#include "image/image.h"
#include "image/test_images.h"
#include "support/test_support.h"

namespace exhibit::image {
namespace {

namespace fs = std::filesystem;
using test::TemporaryDirectory;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// A file of `size` bytes in which only these places were written; the same as its bytes.
std::string write_sparse(const fs::path& path, std::size_t size, const std::vector<std::size_t>& places) {
  std::string bytes(size, '\0');
  test::write_file(path, "");
  fs::resize_file(path, size);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  for (const std::size_t place : places) {
    const std::string some = "here are bytes, " + std::to_string(place);
    bytes.replace(place, some.size(), some);
    file.seekp(static_cast<std::streamoff>(place));
    file << some;
  }
  return bytes;
}

TEST(SparseRaw, GivesWhatWasWrittenBetweenTheHoles) {
  const TemporaryDirectory scratch;
  const fs::path path = scratch / "disk.dd";
  for (const std::vector<std::size_t>& places : {std::vector<std::size_t>{},
                                                 {0},
                                                 {5 * mebibyte},
                                                 {3 * mebibyte + 77, 3 * mebibyte + 9000},
                                                 {12 * mebibyte - 40},
                                                 {0, 4 * mebibyte, 4 * mebibyte + 70000, 11 * mebibyte}}) {
    const std::string bytes = write_sparse(path, 12 * mebibyte + 5, places);
    const auto image = open_paths({path});
    ASSERT_TRUE(image.ok());
    for (const std::size_t step : {bytes.size() + 1, 5 * mebibyte + 333, mebibyte, std::size_t{70001}})
      EXPECT_TRUE(bytes_of(**image, step) == bytes) << places.size() << " places by " << step;
    EXPECT_TRUE((*image)->doubts(0, UINT64_MAX).empty());
  }
}

// Behind its end a file has no data either: that is no hole.
TEST(SparseRaw, TellsAHoleThatWasCutOff) {
  const TemporaryDirectory scratch;
  const fs::path path = scratch / "disk.dd";
  for (const std::size_t left : {std::size_t{0}, 2 * mebibyte + 512, 8 * mebibyte - 1}) {
    write_sparse(path, 8 * mebibyte, {});
    auto segments = segments_of({path});
    fs::resize_file(path, left);
    const auto image = open_image(std::move(segments));
    ASSERT_TRUE(image.ok());
    EXPECT_TRUE(bytes_of(**image, 8 * mebibyte) == std::string(8 * mebibyte, '\0'));
    EXPECT_EQ((*image)->doubts(0, UINT64_MAX),
              (std::vector<Doubt>{{left, 8 * mebibyte - left, DoubtCause::read_error}}));
  }
}

}  // namespace
}  // namespace exhibit::image
