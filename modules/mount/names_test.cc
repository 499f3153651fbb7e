#include "mount/names.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace exhibit::mount {
namespace {

using namespace std::string_literals;

TEST(Names, OrdinaryOnesStayAsTheyAre) {
  for (const std::string& name :
       {"a.txt"s, "имя"s, "..."s, "with space"s, "\xFF\xFE not UTF-8"s, std::string(255, 'n')})
    EXPECT_EQ(safe_name(name), name);
}

TEST(Names, WhatNoFolderCanHoldIsSpelled) {
  EXPECT_EQ(safe_name(""), "%");
  EXPECT_EQ(safe_name("."), "%2E");
  EXPECT_EQ(safe_name(".."), "%2E%2E");
  EXPECT_EQ(safe_name("a/b"), "a%2Fb");
  EXPECT_EQ(safe_name("a\0b"s), "a%00b");
}

TEST(Names, LongOnesAreCutBetweenLettersAndStayApart) {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "深";
  const std::string cut = safe_name(name), other = safe_name(name + "!");
  EXPECT_LE(cut.size(), longest_name);
  EXPECT_GT(cut.size(), longest_name - 4);
  EXPECT_TRUE(base::clean_utf8(cut).exact);
  EXPECT_NE(cut, other);
  EXPECT_LE(safe_name(std::string(300, '\x80'), 100).size(), 100U);
}

// Where a target leads, told by folders from the root that it may not leave: nullopt where it leaves it. Links in its
// way aren't followed; a target that has all its ".." first needs none of them to be.
std::optional<std::string> destination(std::string_view target, std::size_t depth) {
  if (target.starts_with('/')) return std::nullopt;
  std::string path;
  for (std::size_t i = 0; i < depth; ++i) path += "/d";
  bool named = false;
  while (!target.empty()) {
    const std::string_view part = target.substr(0, target.find('/'));
    target.remove_prefix(std::min(part.size() + 1, target.size()));
    if (part == "..") {
      if (path.empty() || named) return std::nullopt;
      path.resize(path.rfind('/'));
    } else if (!part.empty() && part != ".") {
      named = true;
      path.append("/").append(part);
    }
  }
  return path;
}

TEST(Targets, ThoseThatStayInsideAreNotTouched) {
  for (const char* target : {"file", "dir/file", "../file", "../../x/y", "./a//b/", "..", "."})
    EXPECT_EQ(safe_target(target, 2), target);
}

TEST(Targets, OthersLeadToTheSamePlaceBelowTheRoot) {
  EXPECT_EQ(safe_target("/etc/passwd", 2), "../../etc/passwd");
  EXPECT_EQ(safe_target("/etc/passwd", 0), "etc/passwd");
  EXPECT_EQ(safe_target("../../../etc/passwd", 2), "../../etc/passwd");
  EXPECT_EQ(safe_target("a/../../b", 2), "../b");
  EXPECT_EQ(safe_target("/", 0), ".");
  EXPECT_EQ(safe_target("/..", 1), "..");
  EXPECT_EQ(safe_target("a/..", 1), ".");
}

TEST(Targets, NoneLeavesTheRoot) {
  const std::string parts[] = {"..", ".", "", "name", "/"};
  for (std::size_t depth = 0; depth < 4; ++depth) {
    constexpr std::size_t combinations = 15625;  // of six parts
    for (std::size_t number = 0; number < combinations; ++number) {
      std::string target;
      for (std::size_t left = number; left > 0; left /= 5) target += parts[left % 5] + "/";
      const auto safe = safe_target(target, depth);
      EXPECT_TRUE(!safe || destination(*safe, depth)) << target << " at " << depth;
    }
  }
}

TEST(Targets, WhatNoKernelTakesHasNone) {
  EXPECT_FALSE(safe_target("", 1));
  EXPECT_FALSE(safe_target("a\0b"s, 1));
  EXPECT_FALSE(safe_target(std::string(5000, 'a'), 1));
}

}  // namespace
}  // namespace exhibit::mount
