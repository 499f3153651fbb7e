// Films and sound of which a stretch was overwritten: they aren't whole, and mustn't be said to be.

#include <gtest/gtest.h>

#include <random>

#include "carve/signature.h"
#include "carve/test_samples.h"
#include "carve/test_source.h"

namespace exhibit::carve {
namespace {

// A stretch of a sample within one frame: nothing but the frame's own codes can tell.
struct Stretch {
  const char *signature, *sample;
  std::size_t offset, length;
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
  static std::vector<std::uint8_t> sample() {
    for (const SignatureFile& file : signature_files()) {
      if (file.name != GetParam().signature) continue;
      const auto json = base::parse_json(file.text).take();
      for (const auto& one : json.at("samples")) {
        if (one.value("name", "") == GetParam().sample) return bytes_of(one);
      }
    }
    return {};
  }
};

TEST_P(Overwritten, IsNotValidated) {
  std::vector<std::uint8_t> bytes = sample();
  const Stretch& stretch = GetParam();
  ASSERT_LT(stretch.offset + stretch.length, bytes.size());
  EXPECT_EQ(tier_of(bytes), Tier::validated);
  std::mt19937 random(1);
  for (std::size_t i = 0; i < stretch.length; ++i)
    bytes[stretch.offset + i] = static_cast<std::uint8_t>(random() & 0xff);
  EXPECT_EQ(tier_of(bytes), Tier::plausible);
}

INSTANTIATE_TEST_SUITE_P(All, Overwritten,
                         testing::Values(Stretch{"mp4", "Apple Lossless (ffmpeg)", 3600, 1024},
                                         Stretch{"mp4", "fragments (ffmpeg -movflags frag_keyframe+empty_moov)", 4100,
                                                 128}));

}  // namespace
}  // namespace exhibit::carve
