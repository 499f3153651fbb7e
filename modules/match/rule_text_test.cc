#include "match/rule_text.h"

#include <gmock/gmock.h>

namespace exhibit::match {
namespace {

constexpr std::string_view tricky = R"(import "pe"
// rule not_me { condition: true }
/* rule nor_me { */
private rule first : tag { strings: $a = "} rule x {" $b = { 01 [2-4] ( 02 | 03 ) } $c = /a{2}\/ }"/ condition: any of them }

rule second
{
  meta:
    note = "say \"strings:\" here"
  strings:
    $rule = "x"   // a comment
  condition:
    $rule and
    filesize < 10
}
)";

TEST(RuleText, RulesEndAtTheirOwnBrace) {
  const auto rules = split_rules(tricky);
  ASSERT_TRUE(rules.ok());
  ASSERT_EQ(rules->size(), 2U);
  EXPECT_EQ((*rules)[0].name, "first");
  EXPECT_TRUE((*rules)[0].text.ends_with("condition: any of them }"));
  EXPECT_EQ((*rules)[1].name, "second");
  EXPECT_EQ((*rules)[1].line, 4U);
  EXPECT_TRUE((*rules)[1].text.ends_with("filesize < 10\n}"));
}

TEST(RuleText, WhatDoesntEndIsTold) {
  for (const char* text : {"rule a { condition: true", "\nrule a { strings: $a = \"x\n condition: $a }", "/* never",
                           "rule a { strings: $a = /x\n condition: $a }"})
    EXPECT_FALSE(split_rules(text).ok()) << text;
}

// printf '%s' 'strings: $rule = "x" // a comment condition: $rule and filesize < 10' | sha256sum
TEST(RuleText, AFingerprintIsOfStringsAndConditionAlone) {
  const auto rules = split_rules(tricky);
  ASSERT_TRUE(rules.ok());
  const std::string fingerprint = fingerprint_of((*rules)[1].text);
  EXPECT_EQ(fingerprint, "3db2be618174cb2ffe2873810dd1c09c27facfc0981d2fee10340046bfbb5ed8");
  EXPECT_EQ(fingerprint,
            fingerprint_of("rule other { strings:\n$rule = \"x\" // a comment\n condition: $rule and filesize < 10 }"));
  EXPECT_NE(fingerprint, fingerprint_of("rule second { strings: $rule = \"y\" condition: $rule }"));
}

}  // namespace
}  // namespace exhibit::match
