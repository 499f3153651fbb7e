// Rows of heads, each of which could begin a file: what is read for all of them together stays in proportion to how
// long the row is.

#include <gtest/gtest.h>

#include "carve/carver.h"
#include "carve/test_source.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

using Bytes = std::vector<std::uint8_t>;

class CountingContent : public MemoryContent {
 public:
  using MemoryContent::MemoryContent;
  ByteSpan at(std::uint64_t offset, std::size_t wanted) const override {
    asked_ += wanted;
    return MemoryContent::at(offset, wanted);
  }
  std::uint64_t asked() const { return asked_; }

 private:
  mutable std::uint64_t asked_ = 0;
};

Bytes row_of(std::string_view head, std::size_t count) {
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.insert(bytes.end(), head.begin(), head.end());
  return bytes;
}

// Bytes asked for when each of the first heads of a row of `count` is judged.
std::uint64_t asked_of(const char* validator, std::string_view head, std::size_t count) {
  constexpr std::size_t judged = 64;
  const Bytes bytes = row_of(head, count);
  std::uint64_t asked = 0;
  for (std::size_t i = 0; i < judged; ++i) {
    const CountingContent content(ByteSpan(bytes).subspan(i * head.size()));
    Memory memory;
    find_validator(validator)->validate(content, memory);
    asked += content.asked();
  }
  return asked;
}

struct Head {
  const char *validator, *name;
  std::string_view bytes;
};

class Rows : public testing::TestWithParam<Head> {};

TEST_P(Rows, CostTheSameForEachHeadHoweverLongTheyAre) {
  const Head& head = GetParam();
  const std::uint64_t few = asked_of(head.validator, head.bytes, 4096);
  EXPECT_LE(asked_of(head.validator, head.bytes, 65536), few + few / 8) << head.name;
}

using std::literals::operator""sv;
constexpr Head heads[] = {
    {"mp4", "empty media", "\0\0\0\x08mdat"sv},
    {"mp4", "media behind an empty box", "\0\0\0\x08wide\0\0\0\x08mdat"sv},
    {"mp4", "a type and empty media",
     "\0\0\0\x10"
     "ftypqt  \0\0\0\0\0\0\0\x08mdat"sv},
    {"caf", "descriptions",
     "caff\0\x01\0\0desc\0\0\0\0\0\0\0 @\xe5\x88\x80\0\0\0\0lpcm\0\0\0\0\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0\x10"
     "chan\0\0\0\0\0\0\0\x08"sv},
};
INSTANTIATE_TEST_SUITE_P(All, Rows, testing::ValuesIn(heads));

// The head of a WAVE file whose samples are `length` bytes of one channel.
std::string wave_head(std::uint32_t length) {
  const auto little = [](std::uint32_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
  };
  return "RIFF" + little(length + 36, 4) + "WAVEfmt " + little(16, 4) + little(1, 2) + little(1, 2) + little(8000, 4) +
         little(8000, 4) + little(1, 2) + little(8, 2) + "data" + little(length, 4);
}

// Each claims all that follows, and what they claim agrees: validators alone can't keep this in proportion.
TEST(RowsOfObjects, ThatAllReachToTheEndAreNotLookedAtOneByOne) {
  constexpr std::uint32_t size = 4U << 20, step = 512;
  Bytes bytes(size, 0x81);
  for (std::uint32_t at = 0; at < size; at += step) {
    const std::string head = wave_head(size - at - 44);
    std::copy(head.begin(), head.end(), bytes.begin() + at);
  }
  const std::vector<Signature> all = signatures().take();
  const auto wave = std::find_if(all.begin(), all.end(), [](const Signature& each) { return each.name == "wav"; });
  BytesSource source(bytes);
  const Space space(source, {{0, bytes.size()}});
  Carver carver(all, 4096);
  std::vector<Found> found;
  for (std::uint64_t at = 0; at < size; at += step) {
    for (Found& object : carver.carve(space, {static_cast<std::uint32_t>(wave - all.begin()), at, false}))
      found.push_back(std::move(object));
  }
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().size, size);
  EXPECT_TRUE(carver.has_left_out());
  EXPECT_LE(space.work(), Carver::most_overlap_work + 4 * std::uint64_t{size});
}

}  // namespace
}  // namespace exhibit::carve
