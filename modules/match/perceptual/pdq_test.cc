// PDQ against what others published of the same files (interop.md, ThreatExchange's own tests), exactly where the same
// decoder was used.

#include "match/perceptual/pdq.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>

#include "base/json.h"
#include "base/text.h"
#include "match/perceptual/picture.h"
#include "support/test_support.h"

namespace exhibit::match {
namespace {

constexpr int same_picture = 10;   // ThreatExchange's own rule for two implementations, from quality 80 on
constexpr int other_decoder = 16;  // corpora/pdq/expected.jsonl

std::string hex(const PdqBits& bits) { return base::to_hex({reinterpret_cast<const char*>(bits.data()), bits.size()}); }

int distance(const std::string& a, const std::string& b) {
  int bits = 0;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
    bits += std::popcount(digit(a[i]) ^ digit(b[i]));
  }
  return a.size() == b.size() ? bits : 256;
}

PictureHash hash_file(const std::string& name, Scaling scaling) {
  const std::string bytes = test::read_file(test::corpus("pdq/" + name));
  const PictureDecoder* decoder = decoder_of(name.ends_with(".png") ? "image/png" : "image/jpeg");
  EXPECT_NE(decoder, nullptr);
  auto hash = hash_picture(*decoder, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, scaling);
  EXPECT_TRUE(hash.ok()) << name;
  return hash.ok() ? hash.take() : PictureHash();
}

struct Vector {
  const char* file;
  Scaling scaling;
  const char* hash;
};

class PdqVector : public testing::TestWithParam<Vector> {};

TEST_P(PdqVector, IsWhatTheReferenceMakesWithTheSameDecoder) {
  const PictureHash hash = hash_file(GetParam().file, GetParam().scaling);
  EXPECT_EQ(hex(hash.pdq.variants[0]), GetParam().hash);
  EXPECT_TRUE(hash.is_whole);
}

INSTANTIATE_TEST_SUITE_P(
    Interop, PdqVector,
    testing::Values(
        Vector{"bridge-1-original.jpg", Scaling::none,
               "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"},
        Vector{"bridge-2-rotate-90.jpg", Scaling::none,
               "30a10efd71cc3d429013d48d0ffffc52e34e0e17ada952a9d29685211ea9e5af"},
        Vector{"bridge-1-original.jpg", Scaling::nearest_512,
               "d8f8f0cee0f4a84f0637022a078f67f0b36e2ed596621e1d33e6339c4e9c9b22"},
        Vector{"q0004.jpg", Scaling::none, "992d44af36d69e6ca6b812585928bac11def254ef5398c6d07466c9abcc65b92"},
        Vector{"q0122.jpg", Scaling::none, "cfb2009ddd21c6dab0046a7745b5984757a8a4535b3377aea2591d32b33ff940"},
        Vector{"q0291.jpg", Scaling::none, "a0fe94f1e5cc1cc8dd855948498dc9243f7ca27336f036d7f212b74bc103c9a7"},
        Vector{"q0746.jpg", Scaling::none, "1049d96239e24d4dca2c55512b8bdb77425f4dbcf575a0a95555aaab5554aaaa"},
        Vector{"q0004.jpg", Scaling::nearest_512, "992d44af36d69e6ca6b812585928bac11def254ef5398c6d07466c9abcc65b92"}));

TEST(Pdq, IsNearWhatOtherDecodersMadeOfEachFileOfTheCorpus) {
  const std::string expected = test::read_file(test::corpus("pdq/expected.jsonl"));
  std::size_t compared = 0;
  for (std::size_t start = 0; start < expected.size();) {
    const std::size_t end = expected.find('\n', start);
    const auto line = base::parse_json(std::string_view(expected).substr(start, end - start));
    start = end + 1;
    ASSERT_TRUE(line.ok());
    const std::string file = line->at("file").get<std::string>().substr(4);
    const auto reference = line->at("pdq").at("reference").get<std::string>();
    for (const Scaling scaling : {Scaling::none, Scaling::nearest_512}) {
      const PictureHash hash = hash_file(file, scaling);
      // So little is in it that it differs with each decoder; no match rests on such.
      if (file == "q0003.jpg") {
        EXPECT_EQ(hash.pdq.quality, 3);
        continue;
      }
      EXPECT_LE(distance(hex(hash.pdq.variants[0]), reference), other_decoder) << file << " " << name_of(scaling);
      ++compared;
    }
  }
  EXPECT_EQ(compared, 2 * 13);
}

// ThreatExchange's own turned and mirrored copies, each a JPEG of its own.
TEST(Pdq, EachVariantIsNearTheHashOfTheTurnedPicture) {
  constexpr std::array files = {"bridge-1-original.jpg",    "bridge-2-rotate-90.jpg",   "bridge-3-rotate-180.jpg",
                                "bridge-4-rotate-270.jpg",  "bridge-5-flipx.jpg",       "bridge-6-flipy.jpg",
                                "bridge-7-flip-plus-1.jpg", "bridge-8-flip-minus-1.jpg"};
  const Pdq original = hash_file(files[0], Scaling::none).pdq;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string turned = hex(hash_file(files[i], Scaling::none).pdq.variants[0]);
    EXPECT_LE(distance(hex(original.variants[i]), turned), same_picture) << pdq_variant_names[i];
    for (std::size_t other = 0; other < files.size(); ++other) {
      if (other == i) continue;
      EXPECT_GT(distance(hex(original.variants[other]), turned), 31) << i << " " << other;
    }
  }
}

TEST(Pdq, ASmallPictureHasTheHashZeroAndAnEmptyOneNoQuality) {
  const Pdq small = pdq_of({4, 400, std::vector<float>(1600, 7)});
  EXPECT_EQ(hex(small.variants[0]), std::string(64, '0'));
  EXPECT_EQ(small.quality, 0);
  EXPECT_EQ(pdq_of({100, 100, std::vector<float>(10000, 200)}).quality, 0);
}

TEST(Pdq, ScalingTakesThePointThatLiesThere) {
  Canvas canvas(Scaling::nearest_512);
  ASSERT_TRUE(canvas.begin(3, 1000).ok());
  std::vector<std::uint8_t> row(3);
  for (std::size_t y = 0; y < 1000; ++y) {
    row = {0, 100, static_cast<std::uint8_t>(y % 256)};
    canvas.row(y, row, 1);
  }
  const Luma luma = canvas.take();
  ASSERT_EQ(luma.width, 512);
  ASSERT_EQ(luma.height, 512);
  for (std::size_t y = 0; y < 512; ++y) {
    EXPECT_EQ(luma.values[y * 512], 0);
    EXPECT_EQ(luma.values[y * 512 + 256], 100);  // 256 * 3 / 512
    EXPECT_EQ(luma.values[y * 512 + 511], static_cast<float>(y * 1000 / 512 % 256));
  }
}

TEST(Picture, ASizeFromTheHeaderIsRefusedBeforeAnythingIsAllocated) {
  Canvas canvas(Scaling::none);
  const auto refused = canvas.begin(std::uint64_t{1} << 31, std::uint64_t{1} << 31);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::size_limit);
  EXPECT_FALSE(canvas.has_begun());
}

// Whatever is missing, a decoder says so, and never more than its header is claimed.
TEST(Picture, CutAndDamagedFilesAreToldAsSuch) {
  for (const char* name : {"q0004.jpg", "pen-and-coaster.png"}) {
    const std::string file = test::read_file(test::corpus(std::string("pdq/") + name));
    const PictureDecoder* decoder = decoder_of(std::string(name).ends_with(".png") ? "image/png" : "image/jpeg");
    for (const std::size_t size : {std::size_t{0}, std::size_t{10}, file.size() / 2, file.size() - 100}) {
      const auto hash =
          hash_picture(*decoder, {reinterpret_cast<const std::uint8_t*>(file.data()), size}, Scaling::nearest_512);
      EXPECT_TRUE(!hash.ok() || !hash->is_whole) << name << " " << size;
    }
  }
}

}  // namespace
}  // namespace exhibit::match
