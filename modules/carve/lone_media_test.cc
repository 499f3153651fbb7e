// A film whose movie box, which comes last, is gone: the media are there, and are told.

#include <gtest/gtest.h>

#include "carve/signature.h"
#include "carve/test_samples.h"
#include "carve/test_source.h"

namespace exhibit::carve {
namespace {

TEST(LoneMedia, AreReportedWithTheDoubtAtTheirEnd) {
  std::vector<std::uint8_t> bytes = sample_of("mp4", "AVC (ffmpeg)");
  const std::string_view movie = "moov";
  const auto end = std::search(bytes.begin(), bytes.end(), movie.begin(), movie.end()) - 4;
  ASSERT_LT(end - bytes.begin(), static_cast<std::ptrdiff_t>(bytes.size()) - 4);
  bytes.erase(end, bytes.end());
  const std::uint64_t length = bytes.size();
  bytes.resize(64 * 1024);
  const std::vector<Signature> all = signatures().take();
  std::vector<bool> wanted;
  for (const Signature& signature : all) wanted.push_back(signature.name == "mp4");
  const auto standing = carve_everything(all, wanted, bytes);
  ASSERT_EQ(standing.size(), 1U);
  const Found& found = standing.front().found;
  EXPECT_EQ(found.tier, Tier::plausible);
  EXPECT_EQ(found.extents.front().offset, 0);
  EXPECT_EQ(found.size, length);
  ASSERT_EQ(found.doubts.size(), 1U);
  EXPECT_EQ(found.doubts.front().cause, DoubtCause::missing_segment);
  EXPECT_EQ(found.doubts.front().offset, length);
}

}  // namespace
}  // namespace exhibit::carve
