#include "match/rule_check.h"

#include <gmock/gmock.h>

namespace exhibit::match {
namespace {

const auto ignore = [](const std::string&) {};

TEST(RuleCheck, TellsMetaStringsAndCost) {
  const auto checked = check_rules(
      "private rule base { condition: filesize > 0 }\n"
      "rule second { meta: author = \"a\" number = 3 strings: $a = \"x\" $b = { 01 } condition: base and any of them "
      "}\n"
      "rule slow { strings: $a = /[a-z1-9]{20,200}[A-Z]{20,200}[0-9]{4}/ condition: $a }",
      ignore);
  ASSERT_TRUE(checked.ok()) << checked.error().message;
  ASSERT_EQ(checked->size(), 3U);
  const CheckedRule& second = (*checked)[1];
  EXPECT_EQ(second.name, "second");
  EXPECT_EQ(second.meta.at("author"), "a");
  EXPECT_EQ(second.meta.at("number"), "3");
  EXPECT_EQ(second.strings, 2U);
  EXPECT_GT((*checked)[2].nanoseconds_per_mib, second.nanoseconds_per_mib);
  EXPECT_LT((*checked)[2].nanoseconds_per_mib, unmeasured);
}

TEST(RuleCheck, AComplaintNamesTheLineOfTheFile) {
  const auto checked = check_rules("rule a { condition: true }\n\nrule b {\n condition: nonsense }\n", ignore);
  ASSERT_FALSE(checked.ok());
  EXPECT_THAT(checked.error().message, testing::StartsWith("4: "));
  const auto aborting =
      check_rules("rule a { condition: true }\nrule b { strings: $x = { 31[-][8-][-]30 } condition: $x }", ignore);
  ASSERT_FALSE(aborting.ok());
  EXPECT_THAT(aborting.error().message, testing::StartsWith("2: rule \"b\": string \"$x\" has two jumps in a row"));
  EXPECT_FALSE(check_rules("include \"x.yar\"\nrule a { condition: true }", ignore).ok());
}

TEST(RuleCheck, ARuleIsNamedBeforeItIsCompiledAndBeforeItIsMeasured) {
  std::vector<std::string> named;
  ASSERT_TRUE(check_rules("rule a { condition: true } rule b { condition: a }", [&](const std::string& rule) {
                named.push_back(rule);
              }).ok());
  EXPECT_THAT(named, testing::ElementsAre("a", "b", "a", "b"));
}

}  // namespace
}  // namespace exhibit::match
