// Two recordings one right behind the other, of formats that nothing tells the length of: two objects, not one.

#include <gtest/gtest.h>

#include "carve/signature.h"
#include "carve/test_samples.h"
#include "carve/test_source.h"

namespace exhibit::carve {
namespace {

struct Sample {
  const char *signature, *name;
};

class Neighbours : public testing::TestWithParam<Sample> {
 protected:
  static std::vector<std::uint8_t> twice() {
    const std::vector<std::uint8_t> one = sample_of(GetParam().signature, GetParam().name);
    std::vector<std::uint8_t> bytes = one;
    bytes.insert(bytes.end(), one.begin(), one.end());
    return bytes;
  }
};

TEST_P(Neighbours, AreTwo) {
  std::vector<std::uint8_t> bytes = twice();
  ASSERT_FALSE(bytes.empty());
  const std::uint64_t length = bytes.size() / 2;
  bytes.resize(bytes.size() + 5000);
  const std::vector<Signature> all = signatures().take();
  std::vector<bool> wanted;
  for (const Signature& signature : all) wanted.push_back(signature.name == GetParam().signature);
  std::vector<std::vector<Extent>> found;
  for (const Standing& standing : carve_everything(all, wanted, bytes)) found.push_back(standing.found.extents);
  const std::vector<std::vector<Extent>> expected = {{{0, length}}, {{static_cast<std::int64_t>(length), length}}};
  EXPECT_EQ(found, expected);
}

constexpr Sample samples[] = {{"ts", "packets of 192 bytes (ffmpeg)"}, {"mpg", "DVD-Video (ffmpeg -f dvd)"}};
INSTANTIATE_TEST_SUITE_P(All, Neighbours, testing::ValuesIn(samples));

}  // namespace
}  // namespace exhibit::carve
