// The types are libmagic's: whatever the detector does to be faster than plain libmagic must not change an answer.
#include <gmock/gmock.h>
#include <magic.h>
#include <regex.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <span>

#include "match/content.h"
#include "match/magic_database.h"
#include "match/regex_runs.h"
#include "support/test_support.h"

namespace exhibit::match {
namespace {

namespace fs = std::filesystem;

constexpr const char* database_path = "/usr/share/misc/magic.mgc";

// libmagic as anyone would call it.
class PlainLibmagic {
 public:
  PlainLibmagic() : magic_(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS), magic_close) {
    EXPECT_EQ(magic_load(magic_.get(), database_path), 0);
  }
  std::string type_of(const std::string& bytes) {
    const char* type = magic_buffer(magic_.get(), bytes.data(), bytes.size());
    return type == nullptr ? "application/octet-stream" : type;
  }

 private:
  std::unique_ptr<magic_set, decltype(&magic_close)> magic_;
};

class TypeEquality : public testing::Test {
 protected:
  TypeEquality() : detector_(TypeDetector::load().take()) {}

  void compare(const std::string& bytes, const std::string& what) {
    if (bytes.empty()) return;
    const std::string expected = plain_.type_of(bytes);
    EXPECT_EQ(detector_->type_of(std::as_bytes(std::span(bytes))), expected) << what;
    seen_.insert(expected);
    ++compared_;
  }
  void compare_mutants(const std::string& head, const std::string& what, int count) {
    constexpr std::size_t longest = 512, first_bytes = 64;
    for (int i = 0; i < count; ++i) {
      std::string mutant = head.substr(0, random() % 2 == 0 ? head.size() : 1 + random() % longest);
      for (std::size_t flips = random() % 4; flips > 0; --flips) {
        mutant[random() % std::min(mutant.size(), first_bytes)] = static_cast<char>(random());
      }
      compare(mutant, what + ", mutant " + std::to_string(i));
    }
  }
  std::size_t random() { return generator_(); }

  std::unique_ptr<TypeDetector> detector_;
  PlainLibmagic plain_;
  std::set<std::string> seen_;
  int compared_ = 0;
  std::mt19937 generator_{10};  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same cases each time
};

std::string head_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(TypeDetector::head_size, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

// Up to `count` regular files below `root`, spread over its tree.
std::vector<fs::path> sample(const fs::path& root, std::size_t count) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(root, ignored), end; entry != end; entry.increment(ignored)) {
    if (entry->is_regular_file(ignored) && !entry->is_symlink(ignored)) files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  const std::size_t step = std::max<std::size_t>(1, files.size() / count);
  std::vector<fs::path> out;
  for (std::size_t i = 0; i < files.size(); i += step) out.push_back(files[i]);
  return out;
}

TEST_F(TypeEquality, OfTheCorporaAndTheirMutants) {
  for (const fs::path& path : sample(test::corpus(), 1000)) {
    const std::string head = head_of(path);
    if (head.empty()) continue;
    compare(head, path);
    compare_mutants(head, path, 6);
  }
  EXPECT_GT(seen_.size(), 15u);
}

TEST_F(TypeEquality, OfThisMachinesFilesAndTheirMutants) {
  for (const char* root : {"/usr/bin", "/usr/include", "/usr/lib", "/usr/share", "/etc"}) {
    for (const fs::path& path : sample(root, 300)) {
      const std::string head = head_of(path);
      if (head.empty()) continue;
      compare(head, path);
      compare_mutants(head, path, 2);
    }
  }
  EXPECT_GT(compared_, 3000);
  EXPECT_GT(seen_.size(), 20u);
}

// What an entry's test looks for, as content has it.
std::string wanted_by(const MagicRecord& test) {
  const auto* value = reinterpret_cast<const char*>(test.value.data());
  const bool numeric = test.type != magic_type::string && test.type != magic_type::search &&
                       test.type != magic_type::regex && test.value_size == 0;
  std::string bytes(value, numeric ? 16 : std::min<std::size_t>(test.value_size, test.value.size()));
  if (test.type == magic_type::big_short) std::reverse(bytes.begin(), bytes.begin() + 2);
  if (test.type == magic_type::big_long) std::reverse(bytes.begin(), bytes.begin() + 4);
  if (test.type == magic_type::big_quad) std::reverse(bytes.begin(), bytes.begin() + 8);
  return bytes;
}

// Each entry's test is met, alone, with other things around it, and nearly.
TEST_F(TypeEquality, OfContentMadeForEachEntry) {
  const auto database = MagicDatabase::read(database_path);
  ASSERT_TRUE(database);
  ASSERT_GT(database->entries().size(), 3000u);
  for (std::uint32_t entry = 0; entry < database->entries().size(); ++entry) {
    const MagicRecord& test = database->test_of(entry);
    const std::string wanted = wanted_by(test);
    const auto offset = static_cast<std::size_t>(std::clamp(test.offset, 0, 1 << 16));
    const std::string what = "entry " + std::to_string(entry) + ", line " + std::to_string(test.line);
    compare(std::string(offset, 'a') + wanted, what + ", bare");
    if (entry % 3 != 0) continue;  // for the test's time
    compare(std::string(offset, '\xA7') + wanted + std::string(600, '\0') + 'x', what + ", in zeros");
    std::string text = std::string(offset, '\n') + wanted + "\n{\"a\": 1}, some text; 0\n";
    compare(text, what + ", in text");
    text[random() % text.size()] = static_cast<char>(random());
    compare(text, what + ", damaged");
    if (offset == 0 && test.range > 1) compare(std::string(random() % 99, ' ') + text, what + ", behind blanks");
  }
  EXPECT_GT(seen_.size(), 300u);
}

TEST_F(TypeEquality, OfEachEncoding) {
  const std::string text = "#include <stdio.h>\n\nint main(void) { return 0; }\n";
  std::string wide_little = "\xFF\xFE", wide_big = "\xFE\xFF", ebcdic_like;
  for (const char c : text) {
    wide_little += std::string{c, '\0'};
    wide_big += std::string{'\0', c};
    ebcdic_like += static_cast<char>(0x40 + c % 0x80);
  }
  const std::vector<std::string> contents{text,
                                          "\xEF\xBB\xBF#!/bin/sh\necho\n",
                                          "\xEF\xBB\xBF" + text,
                                          wide_little,
                                          wide_big,
                                          ebcdic_like,
                                          "+/v8-" + text,
                                          text + "\xE9t\xE9\n",
                                          text + "\xC3\xA9\n",
                                          text + "\xC3",
                                          "\xC3\xA9" + text + "\xE2\x82",
                                          text + "\x85\n",
                                          text + std::string(7, '\0'),
                                          text + std::string(8, '\0'),
                                          text.substr(1) + std::string(7, '\0'),
                                          std::string(1 << 16, 'a') + text,
                                          "\xC3\xA9" + std::string((1 << 16) - 3, 'a') + "\xC3\xA9" + text,
                                          text + "\x01\x02",
                                          std::string(100, '\x40'),
                                          std::string("\x00\x00\xFE\xFF\x00\x00\x00\x61", 8),
                                          "a\xED\xA0\x80",
                                          "a\xF4\x90\x80\x80",
                                          "a\xC0\x80\n"};
  for (std::size_t i = 0; i < contents.size(); ++i) {
    compare(contents[i], "content " + std::to_string(i));
    compare_mutants(contents[i], "content " + std::to_string(i), 20);
  }
}

// What matches an expression of the database must hold a run that it was found to require.
TEST(RegexRuns, AreInWhateverMatches) {
  const auto database = MagicDatabase::read(database_path);
  ASSERT_TRUE(database);
  const std::vector<std::string> texts{"export function f(",
                                       "const a = require('b')",
                                       "import a from 'b'\nexport c from d",
                                       "module[\"exports\"] = 1",
                                       "  class A\n\tmodule B",
                                       "li:pcb-rnd-conf-v1 {",
                                       "\n\nall:\n.PRECIOUS: a",
                                       "1\r\n00:00:01,000 -->",
                                       "\n.PP\n.TH a\n",
                                       "begin 644 a\n",
                                       "\b"
                                       "REF ",
                                       "\t\t 0\n",
                                       "a\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm",
                                       "\n:a",
                                       "   .text\n .file",
                                       "(defn- f",
                                       "(ns  ^{:a",
                                       "(;FF[4]GM[1]",
                                       "import java.util;",
                                       "MAX=1,2\n",
                                       "% SiSU insert",
                                       "BEGIN {",
                                       "typeof a !==",
                                       "SUBDIRS  = a",
                                       "@( ( a -- b )",
                                       "AP12.3456.7890.1"};
  int matches = 0, told = 0;
  for (std::uint32_t entry = 0; entry < database->entries().size(); ++entry) {
    const MagicRecord& record = database->test_of(entry);
    if (record.type != magic_type::regex) continue;
    const auto required = runs_of_regex(record, 8192);
    if (!required) continue;
    ++told;
    const auto* expression = reinterpret_cast<const char*>(record.value.data());
    RunScanner scanner;
    scanner.add(0, *required);
    regex_t compiled;
    ASSERT_EQ(regcomp(&compiled, expression, REG_EXTENDED | REG_NEWLINE), 0) << expression;
    for (const std::string& text : texts) {
      if (regexec(&compiled, text.c_str(), 0, nullptr, 0) != 0) continue;
      ++matches;
      std::vector<std::uint32_t> found;
      scanner.scan(std::as_bytes(std::span(text)), found);
      EXPECT_THAT(found, testing::ElementsAre(0)) << expression << " in " << text;
    }
    regfree(&compiled);
  }
  EXPECT_GT(told, 50);
  EXPECT_GT(matches, 25);
}

TEST(RegexRuns, AreWhatTheExpressionSays) {
  const auto holds = [](const char* expression, const std::string& text) {
    const auto runs = runs_of_expression(expression, true, false);
    if (runs.empty()) return true;
    RunScanner scanner;
    scanner.add(0, {runs, std::numeric_limits<std::size_t>::max(), {}});
    std::vector<std::uint32_t> found;
    scanner.scan(std::as_bytes(std::span(text)), found);
    return !found.empty();
  };
  EXPECT_TRUE(holds("^(alpha|beta)x", "\nbetax"));
  EXPECT_FALSE(holds("^(alpha|beta)x", "a betax"));
  EXPECT_TRUE(holds("^a(bc)?de", "ade"));
  EXPECT_TRUE(holds("ab+c{2}zz", "abbcczz"));
  EXPECT_FALSE(holds("a[0-9][.]", "a1,"));
  EXPECT_TRUE(holds("a[^0-9]z|qq", "qq"));
  EXPECT_TRUE(holds("ab**cd", "x"));  // libmagic refuses it: never to be left out
  EXPECT_TRUE(holds("\\wab\\<c[[:digit:]]", "x"));
}

}  // namespace
}  // namespace exhibit::match
