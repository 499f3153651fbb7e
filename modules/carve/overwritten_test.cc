// Films and sound of which a stretch was overwritten: they aren't whole, and mustn't be said to be.

#include <gtest/gtest.h>

#include <random>

#include "carve/signature.h"
#include "carve/test_samples.h"
#include "carve/test_source.h"

namespace exhibit::carve {
namespace {

// A stretch of a sample that is overwritten: with random bytes, or with zeros.
struct Stretch {
  const char *signature, *sample;
  std::size_t offset, length;
  bool with_zeros = false;
};

class Overwritten : public testing::TestWithParam<Stretch> {
 protected:
  // The tier of what begins where the sample does; none: nothing does.
  static Tier tier_of(const std::vector<std::uint8_t>& bytes) {
    const std::vector<Signature> all = signatures().take();
    std::vector<bool> wanted;
    for (const Signature& signature : all) wanted.push_back(signature.name == GetParam().signature);
    for (const Standing& standing : carve_everything(all, wanted, bytes)) {
      if (standing.found.extents.front().offset == 0) return standing.found.tier;
    }
    return Tier::none;
  }
};

TEST_P(Overwritten, IsNotValidated) {
  std::vector<std::uint8_t> bytes = sample_of(GetParam().signature, GetParam().sample);
  const Stretch& stretch = GetParam();
  ASSERT_LT(stretch.offset + stretch.length, bytes.size());
  EXPECT_EQ(tier_of(bytes), Tier::validated);
  std::mt19937 random(1);
  for (std::size_t i = 0; i < stretch.length; ++i)
    bytes[stretch.offset + i] = stretch.with_zeros ? 0 : static_cast<std::uint8_t>(random() & 0xff);
  EXPECT_EQ(tier_of(bytes), Tier::plausible);
}

constexpr Stretch stretches[] = {
    {"mp4", "Apple Lossless (ffmpeg)", 3600, 1024},
    {"mp4", "fragments (ffmpeg -movflags frag_keyframe+empty_moov)", 4100, 128},
    {"caf", "Apple Lossless (ffmpeg)", 3600, 1024},
    {"avi", "MJPEG (ffmpeg)", 9200, 1024},
    {"avi", "MJPEG (ffmpeg)", 9200, 1024, true},
    {"flv", "Sorenson, noise (ffmpeg)", 400, 1200, true},
    {"aiff", "12000 samples and a tag (ffmpeg)", 12288, 4096},
    {"aiff", "12000 samples and a tag (ffmpeg)", 12288, 4096, true},
};
INSTANTIATE_TEST_SUITE_P(All, Overwritten, testing::ValuesIn(stretches));

}  // namespace
}  // namespace exhibit::carve
