#include "carve/resolve.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace exhibit::carve {
namespace {

// Signatures by hand: 0 is strong and may be a part, 1 is weak and never one.
std::vector<Signature> two_signatures() {
  std::vector<Signature> all(2);
  all[0].strength = Strength::checksum;
  all[0].minimum = all[1].minimum = 16;
  all[1].strength = Strength::weak;
  all[1].is_nested = false;
  return all;
}

Found object(std::uint32_t signature, Tier tier, std::vector<Extent> extents, std::uint64_t sound = 0) {
  Found found;
  found.signature = signature;
  found.tier = tier;
  for (const Extent& extent : extents) found.size += extent.length;
  found.extents = std::move(extents);
  found.sound = tier == Tier::validated ? found.size : sound;
  if (tier == Tier::plausible) found.doubts = {{found.sound, 0, DoubtCause::missing_segment}};
  return found;
}

std::vector<Standing> resolve(std::vector<Found> objects) {
  std::sort(objects.begin(), objects.end(),
            [](const Found& a, const Found& b) { return Resolver::place(a) < Resolver::place(b); });
  static const std::vector<Signature> all = two_signatures();
  std::vector<Standing> standing;
  const auto gather = [&](const std::vector<Standing>& group) {
    const std::size_t before = standing.size();
    for (Standing one : group) {
      if (one.parent) *one.parent += before;
      standing.push_back(std::move(one));
    }
  };
  Resolver resolver(all, Tier::plausible);
  for (Found& found : objects) resolver.take(std::move(found), gather);
  resolver.finish(gather);
  return standing;
}

TEST(Resolver, AValidatedObjectWithinAnotherIsItsPart) {
  const auto standing = resolve({object(0, Tier::validated, {{1000, 5000}}), object(0, Tier::validated, {{2000, 100}}),
                                 object(0, Tier::validated, {{9000, 100}})});
  ASSERT_EQ(standing.size(), 3U);
  EXPECT_FALSE(standing[0].parent);
  EXPECT_EQ(standing[1].parent, 0U);
  EXPECT_FALSE(standing[2].parent);
}

TEST(Resolver, WhatLiesInAGapIsNoPart) {
  const auto standing =
      resolve({object(0, Tier::validated, {{1000, 500}, {3000, 500}}), object(0, Tier::validated, {{2000, 100}})});
  ASSERT_EQ(standing.size(), 2U);
  EXPECT_FALSE(standing[1].parent);
}

TEST(Resolver, AWeakOrBrokenObjectWithinAnotherIsDropped) {
  const auto standing = resolve({object(0, Tier::validated, {{1000, 5000}}), object(1, Tier::validated, {{2000, 100}}),
                                 object(0, Tier::plausible, {{3000, 100}})});
  EXPECT_EQ(standing.size(), 1U);
}

TEST(Resolver, ABrokenObjectEndsWhereAWholeOneBegins) {
  const auto standing =
      resolve({object(0, Tier::plausible, {{1000, 5000}}, 500), object(0, Tier::validated, {{3000, 9000}})});
  ASSERT_EQ(standing.size(), 2U);
  EXPECT_EQ(standing[0].found.extents, (std::vector<Extent>{{1000, 2000}}));
  EXPECT_EQ(standing[0].found.size, 2000U);
  EXPECT_FALSE(standing[0].found.doubts.empty());
}

TEST(Resolver, BehindItsDamageABrokenObjectHasPartsAgain) {
  Found outer = object(0, Tier::plausible, {{1000, 5000}}, 500);
  outer.doubts = {{500, 1000, DoubtCause::crc_error}};
  const auto standing = resolve({outer, object(0, Tier::validated, {{4000, 100}})});
  ASSERT_EQ(standing.size(), 2U);
  EXPECT_EQ(standing[0].found.size, 5000U);
  EXPECT_EQ(standing[1].parent, 0U);
}

TEST(Resolver, AJoinThatTakesAWholeObjectsBytesIsDropped) {
  Found joined = object(0, Tier::plausible, {{1000, 500}, {3200, 500}});
  joined.is_joined = true;
  joined.doubts.clear();
  const auto standing =
      resolve({joined, object(0, Tier::plausible, {{1000, 600}}, 300), object(0, Tier::validated, {{3000, 1000}})});
  ASSERT_EQ(standing.size(), 2U);
  EXPECT_EQ(standing[0].found.extents, (std::vector<Extent>{{1000, 600}}));
}

// A frame of music in the midst of a piece that was found from its beginning.
TEST(Resolver, ATailOfAnObjectWithoutPartsIsTheObjects) {
  Found whole = object(1, Tier::plausible, {{1000, 5000}}, 100);
  Found tail = object(1, Tier::plausible, {{2000, 4000}}, 4000);
  tail.doubts.clear();
  const auto standing = resolve({whole, tail});
  ASSERT_EQ(standing.size(), 1U);
  EXPECT_EQ(standing[0].found.size, 5000U);
}

TEST(Resolver, AContainerOfVeryManyPartsIsResolved) {
  std::vector<Found> objects = {object(0, Tier::validated, {{0, 100'000 * 64}})};
  for (int i = 0; i < 100'000; ++i) objects.push_back(object(0, Tier::validated, {{i * 64 + 8, 32}}));
  const auto standing = resolve(std::move(objects));
  ASSERT_EQ(standing.size(), 100'001U);
  for (std::size_t i = 1; i < standing.size(); ++i) ASSERT_EQ(standing[i].parent, 0U);
}

// Each in the one before, as stored archives can be.
TEST(Resolver, VeryManyObjectsWithinEachOtherAreResolved) {
  std::vector<Found> objects;
  constexpr std::uint64_t count = 2000, wall = 16'384;  // bytes
  for (std::uint64_t i = 0; i < count; ++i) {
    objects.push_back(object(0, Tier::validated, {{static_cast<std::int64_t>(i * wall), (count - i) * 2 * wall}}));
  }
  const auto standing = resolve(std::move(objects));
  ASSERT_EQ(standing.size(), count);
  for (std::size_t i = 1; i < standing.size(); ++i) ASSERT_EQ(standing[i].parent, i - 1);
}

}  // namespace
}  // namespace exhibit::carve
