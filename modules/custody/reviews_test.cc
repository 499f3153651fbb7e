#include "custody/reviews.h"

#include <gmock/gmock.h>

namespace exhibit::custody {
namespace {

using base::Json;

const std::string lead(64, 'a');

Json reviewed(std::uint64_t seq, const char* who, const char* verdict) {
  return {{"seq", seq},
          {"event", "reviewed"},
          {"time", "2026-01-01T00:00:00Z"},
          {"actor", {{"name", who}, {"credential", std::string("CN=") + who}}},
          {"detail", {{"reviews", Json::array({{{"lead", lead}, {"verdict", verdict}, {"why", "seen"}}})}}}};
}

LeadState state_after(const std::vector<Json>& events, std::uint64_t persons) {
  const auto reviews = reviews_of(events);
  const auto found = reviews.find(lead);
  return state_of_lead(found == reviews.end() ? std::vector<Review>{} : found->second, persons);
}

TEST(Reviews, TwoPersonsMustSayTheSame) {
  EXPECT_EQ(state_after({}, 2).verdict, "open");
  const Json ann = reviewed(1, "ann", "confirmed"), again = reviewed(2, "ann", "confirmed"),
             bob = reviewed(3, "bob", "confirmed"), no = reviewed(4, "bob", "dismissed"),
             expert = reviewed(5, "ann", "needs expert");
  EXPECT_TRUE(state_after({ann}, 1).settled);
  EXPECT_FALSE(state_after({ann}, 2).settled);
  EXPECT_FALSE(state_after({ann, again}, 2).settled) << "one person twice isn't two";
  EXPECT_TRUE(state_after({ann, bob}, 2).settled);
  EXPECT_EQ(state_after({ann, no}, 1).verdict, "disputed");
  EXPECT_FALSE(state_after({ann, no}, 1).settled);
  EXPECT_EQ(state_after({ann, bob, expert}, 2).verdict, "needs expert");
}

TEST(Reviews, WhatACorrectionNamesCountsForNothing) {
  const Json correction = {{"seq", 2}, {"event", "corrected"}, {"detail", {{"corrects", 1U}}}};
  EXPECT_EQ(state_after({reviewed(1, "ann", "confirmed"), correction}, 1).verdict, "open");
}

TEST(Reviews, AVerdictHasALeadAWordAndAReason) {
  EXPECT_TRUE(check_reviews(reviewed(1, "ann", "confirmed")["detail"]).ok());
  for (const auto& [key, value] : std::map<std::string, std::string>{
           {"lead", "abc"}, {"lead", std::string(64, 'A')}, {"verdict", "guilty"}, {"why", " "}, {"more", "x"}}) {
    Json detail = reviewed(1, "ann", "confirmed")["detail"];
    detail["reviews"][0][key] = value;
    EXPECT_FALSE(check_reviews(detail).ok()) << key;
  }
}

}  // namespace
}  // namespace exhibit::custody
