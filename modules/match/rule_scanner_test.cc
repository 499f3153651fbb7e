// Longer than 500 lines because it has a test for each known fault of libyara.
#include "match/rule_scanner.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/evp.h>
#include <seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <random>
#include <sstream>

#include "base/json.h"
#include "base/unique_fd.h"
#include "support/memory_source.h"
#include "support/test_support.h"

namespace exhibit::match {

using test::TemporaryDirectory;
using testing::AllOf;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

void PrintTo(const ScanTrouble& trouble, std::ostream* out) { *out << trouble.cause << ": " << trouble.detail; }

namespace {

class FileSource : public ByteSource {
 public:
  explicit FileSource(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    EXHIBIT_CHECK(::fstat(fd_.get(), &status) == 0);
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    const ssize_t got = ::pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (got < 0) return Error{ErrorCode::io_error, "read error", {}, offset};
    return static_cast<std::size_t>(got);
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  base::UniqueFd fd_;
  std::uint64_t size_ = 0;
};

// One byte of it can't be read.
class BrokenSource : public test::MemorySource {
 public:
  using test::MemorySource::MemorySource;
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset <= broken_at && broken_at < offset + buffer.size()) {
      return Error{ErrorCode::io_error, "sector not readable", {}, offset};
    }
    return test::MemorySource::read_at(offset, buffer);
  }
  std::uint64_t broken_at = UINT64_MAX;
};

// Rule name -> every place as {offset, length, string}, as `yara` and as Exhibit tell it.
// `yara` prints no length above 512.
using Places = std::vector<std::tuple<std::uint64_t, std::uint64_t, std::string>>;
constexpr std::uint64_t longest_told = 512;
using Told = std::map<std::string, Places>;

Told told(const ScanResult& result) {
  Told rules;
  for (const Match& match : result.matches) {
    Places& places = rules[match.rule];
    for (const MatchPlace& place : match.where) {
      places.emplace_back(place.offset, std::min(place.length, longest_told), place.string);
    }
  }
  return rules;
}

// `yara` on each file of `files`, by path. Rules that match are lines `rule path`, places `0xoffset:length:$string`.
std::map<std::string, Told> ask_yara(const std::vector<std::string>& arguments, const std::vector<std::string>& files) {
  const TemporaryDirectory scratch;
  std::string list;
  for (const std::string& file : files) list += file + "\n";
  test::write_file(scratch / "list", list);
  std::vector<std::string> command{"yara", "-w", "-L", "-p", "1", "--scan-list"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.push_back((scratch / "list").string());
  const test::Finished finished = test::run(command);
  EXPECT_EQ(finished.status, 0) << finished.err;
  std::map<std::string, Told> by_file;
  Places* places = nullptr;
  std::istringstream lines(finished.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("0x")) {
      const std::size_t first = line.find(':'), second = line.find(':', first + 1);
      places->emplace_back(std::stoull(line.substr(2), nullptr, 16), std::stoull(line.substr(first + 1)),
                           line.substr(second + 1));
    } else {
      places = &by_file[line.substr(line.find(' ') + 1)][line.substr(0, line.find(' '))];
    }
  }
  // Exhibit's order and bound.
  for (auto& [file, rules] : by_file) {
    for (auto& [rule, found] : rules) {
      std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return std::tie(std::get<0>(a), std::get<2>(a)) < std::tie(std::get<0>(b), std::get<2>(b));
      });
      if (found.size() > 100) found.resize(100);
    }
  }
  return by_file;
}

std::unique_ptr<RuleScanner> load(const std::vector<std::string>& paths, ScanTime time = {}) {
  auto scanner = load_rule_scanner(paths, time);
  EXPECT_TRUE(scanner.ok()) << scanner.error().message;
  return scanner.ok() ? scanner.take() : nullptr;
}

std::unique_ptr<RuleScanner> load_text(const TemporaryDirectory& directory, const std::string& rules,
                                       ScanTime time = {}) {
  test::write_file(directory / "rules.yar", rules);
  return load({(directory / "rules.yar").string()}, time);
}

ScanResult scan(RuleScanner& scanner, ByteSource& content, std::string* first_read = nullptr) {
  auto result = scanner.scan(content, [&](std::span<const std::byte> bytes) {
    if (first_read) first_read->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  EXPECT_TRUE(result.ok());
  return result.take();
}

std::string digest(const EVP_MD* algorithm, std::string_view bytes) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &length, algorithm, nullptr);
  return base::to_hex(std::string_view(out).substr(0, length));
}

std::string testdata(const std::string& name) { return std::string(MATCH_TESTDATA) + "/" + name; }

std::string load_error(const std::vector<std::string>& paths) {
  auto scanner = RuleScanner::load(paths);
  EXPECT_FALSE(scanner.ok());
  return scanner.ok() ? "" : scanner.error().message;
}

std::vector<std::string> some_programs(std::size_t count) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator("/usr/bin")) {
    if (entry.is_regular_file() && !entry.is_symlink() && entry.file_size() < (8u << 20)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.size() > count) files.resize(count);
  return files;
}

TEST(RuleScanner, AgreesWithYaraOnEveryFile) {
  const TemporaryDirectory scratch;
  std::vector<std::string> files = some_programs(150);
  for (const auto& entry : fs::recursive_directory_iterator(test::corpus("pdq"))) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  test::write_file(scratch / "empty", "");
  test::write_file(scratch / "hi", "hi");
  files.push_back((scratch / "empty").string());
  files.push_back((scratch / "hi").string());

  const auto expected = ask_yara({testdata("diverse.yar")}, files);
  const auto scanner = load({testdata("diverse.yar")});
  std::map<std::string, std::size_t> hits;
  for (const std::string& file : files) {
    FileSource content(file);
    std::string read;
    const ScanResult result = scan(*scanner, content, &read);
    const auto known = expected.find(file);
    EXPECT_EQ(told(result), known == expected.end() ? Told{} : known->second) << file;
    EXPECT_THAT(result.troubles, IsEmpty()) << file;
    EXPECT_FALSE(result.windowed);
    EXPECT_EQ(read, test::read_file(file)) << file;
    for (const Match& match : result.matches) ++hits[match.rule];
  }
  EXPECT_FALSE(hits.contains("is_elf")) << "a private rule was told";
  for (const char* rule :
       {"text_nocase_wide", "hex_jumps_alternatives", "hex_long_jump", "regular_expression", "small_file", "empty_file",
        "magic_number", "many_of", "entry_point", "counts", "uses_private"}) {
    EXPECT_GT(hits[rule], 0u) << rule << " never matched: the comparison says nothing of it";
  }
}

TEST(RuleScanner, SaysWhereAMatchComesFrom) {
  const auto scanner = load({testdata("diverse.yar")});
  ASSERT_EQ(scanner->files().size(), 1u);
  EXPECT_EQ(scanner->files()[0].name, "diverse.yar");
  EXPECT_EQ(scanner->files()[0].rules, 13u);
  const std::string sum = test::run({"sha256sum", testdata("diverse.yar")}).out.substr(0, 64);
  EXPECT_EQ(scanner->files()[0].sha256, sum);

  BrokenSource content("Copyright ...... GNU " + std::string(30000, 'x'));
  const ScanResult result = scan(*scanner, content);
  ASSERT_EQ(result.matches.size(), 1u);
  const Match& match = result.matches[0];
  EXPECT_EQ(match.by, "yara");
  EXPECT_EQ(match.source, "diverse.yar");
  EXPECT_EQ(match.source_sha256, sum);
  EXPECT_EQ(match.rule, "text_nocase_wide");
  EXPECT_EQ(match.category, "text");
  EXPECT_EQ(match.severity, "3");
  EXPECT_EQ(told(result)["text_nocase_wide"], (Places{{0, 9, "$a"}, {17, 3, "$b"}}));
}

TEST(RuleScanner, TellsAHundredPlacesAndThatThereAreMore) {
  const TemporaryDirectory scratch;
  const auto scanner = load_text(scratch, "rule r { strings: $b = \"b\" $a = \"ab\" condition: any of them }");
  std::string text;
  for (int i = 0; i < 60; ++i) text += "ab";
  BrokenSource content(text);
  const ScanResult result = scan(*scanner, content);
  ASSERT_EQ(result.matches.size(), 1u);
  EXPECT_TRUE(result.matches[0].where_truncated);
  ASSERT_EQ(result.matches[0].where.size(), 100u);
  EXPECT_EQ(result.matches[0].where[99].offset, 99u);
  EXPECT_EQ(result.matches[0].where[99].string, "$b");
}

// 40 MiB of noise with strings where windows begin and end.
std::string many_windows() {
  constexpr std::size_t w = RuleScanner::window_size, o = RuleScanner::overlap;
  std::string bytes(40u << 20, '\0');
  std::mt19937_64 noise(20240501);
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t value = noise();
    std::memcpy(&bytes[i], &value, 8);
  }
  const auto put = [&](std::size_t at, std::string_view text) { bytes.replace(at, text.size(), text); };
  put(0, "first-of-all ");
  put(bytes.size() - 11, "last-of-all");
  put(100, " needle ");
  put(100, "needle ");
  for (const std::size_t window : {w, 2 * w}) {
    put(window - 6, "needle");  // up to a window's start
    put(window + 100, "MZ needle");
    put(window + 200, std::string_view("n\0e\0e\0d\0l\0e\0", 12));
    put(window + 300, "odfeem");  // needle ^ 1
    put(window + 3000, std::string(2000, 'x') + "needle");
    put(window + o - 9000, "needle" + std::string(4200, 'y'));
    put(window + o - 200, " needle ");
  }
  // Across where the ownership of matches changes, and across the former block's end or up to it (no `$` there).
  put(w + 8192 - 3, "-needle-");
  put(w + 8192 + 20, " needle ");
  put(w + o - 2, "needle");
  put(2 * w + 8192 - 100, std::string(400, 'x') + "needle" + std::string(4200, 'y'));
  put(2 * w + o - 6, "needle");
  put(w, "MZ");              // a program's first bytes where the second block begins
  put(2 * w, "needlework");  // no `^` here
  put(w - 20000, "HEAD1");
  put(w + 6000, "TAIL1");
  put(w - 500, "HEAD2");
  put(2 * w - 195, "TAIL2");  // 300 bytes on, were the windows not counted
  return bytes;
}

TEST(RuleScanner, AgreesWithYaraOnAContentOfSeveralWindows) {
  const TemporaryDirectory scratch;
  const std::string bytes = many_windows();
  test::write_file(scratch / "content", bytes);
  std::size_t count = 0;
  for (std::size_t at = bytes.find("needle"); at != std::string::npos; at = bytes.find("needle", at + 1)) ++count;
  std::string rules = test::read_file(testdata("windows.yar"));
  for (const auto& [word, value] : {std::pair<std::string, std::string>{"COUNT", std::to_string(count)},
                                    {"\"MD5\"", "\"" + digest(EVP_md5(), bytes) + "\""},
                                    {"\"SHA256\"", "\"" + digest(EVP_sha256(), bytes.substr(16777000, 1000)) + "\""}}) {
    for (std::size_t at; (at = rules.find(word)) != std::string::npos;) rules.replace(at, word.size(), value);
  }
  const auto scanner = load_text(scratch, rules);
  const std::string path = (scratch / "content").string();
  const Told expected = ask_yara({(scratch / "rules.yar").string()}, {path})[path];
  BrokenSource content(bytes);
  std::string read;
  const ScanResult result = scan(*scanner, content, &read);
  EXPECT_TRUE(result.windowed);
  EXPECT_TRUE(read == bytes) << "first_read must see each byte once and in order";
  EXPECT_THAT(result.troubles, IsEmpty());
  const Told found = told(result);
  EXPECT_EQ(found, expected);
  const auto jump = std::find_if(result.matches.begin(), result.matches.end(),
                                 [](const Match& match) { return match.rule == "jump_inside_a_block"; });
  ASSERT_NE(jump, result.matches.end());
  EXPECT_EQ(jump->where[0].length, 26005u);
  for (const char* rule : {"literal", "exact_count", "far_apart", "anchored", "jump_inside_a_block",
                           "numbers_at_borders", "whole_hash", "range_hash", "range_entropy", "in_range"}) {
    EXPECT_TRUE(found.contains(rule)) << rule;
  }
  for (const char* rule : {"jump_that_is_not_there", "not_a_program", "entry"})
    EXPECT_FALSE(found.contains(rule)) << rule;
}

TEST(RuleScanner, EarlierScansLeaveNoTrace) {
  const TemporaryDirectory scratch;
  const auto scanner = load_text(scratch,
                                 "rule e { condition: entrypoint >= 0 }\n"
                                 "rule many { strings: $a = \"a\" condition: $a }");
  const std::string program = test::read_file("/usr/bin/true");
  BrokenSource elf(program), text("no program: a"), flood(std::string(1100000, 'a'));
  const Told first = told(scan(*scanner, text));
  EXPECT_TRUE(told(scan(*scanner, elf)).contains("e"));
  scan(*scanner, flood);
  EXPECT_EQ(told(scan(*scanner, text)), first);
  EXPECT_EQ(first, (Told{{"many", {{8, 1, "$a"}, {12, 1, "$a"}}}}));
}

TEST(RuleScanner, TooManyMatchesAreToldWithRuleAndString) {
  const TemporaryDirectory scratch;
  const auto scanner = load_text(scratch, "rule flood { strings: $few = \"b\" $many = \"a\" condition: any of them }");
  BrokenSource content(std::string(1000100, 'a') + "b");
  std::string read;
  const ScanResult result = scan(*scanner, content, &read);
  ASSERT_EQ(result.troubles.size(), 1u);
  EXPECT_EQ(result.troubles[0].cause, "size-limit");
  EXPECT_THAT(result.troubles[0].detail, AllOf(HasSubstr("rules.yar"), HasSubstr("flood"), HasSubstr("$many")));
  EXPECT_EQ(result.matches.size(), 1u);
  EXPECT_EQ(read.size(), content.size());
}

// `yara` says "error: 46" here and tells of no rule.
TEST(RuleScanner, ARuleThatFailsDoesNotHideTheOthers) {
  const TemporaryDirectory scratch;
  const auto scanner = load_text(scratch,
                                 "rule first { strings: $a = /aaaa(.?){900}b/ condition: $a }\n"
                                 "rule easy { strings: $a = \"z\" condition: $a }\n"
                                 "rule second { strings: $a = /aa(a{1,500}){1,500}c/ condition: $a }");
  BrokenSource hard(std::string(5000, 'a') + "z"), plain("aaaab aaaac z");
  const Told before = told(scan(*scanner, plain));
  const ScanResult result = scan(*scanner, hard);
  EXPECT_EQ(told(result), (Told{{"easy", {{5000, 1, "$a"}}}}));
  ASSERT_EQ(result.troubles.size(), 2u);
  EXPECT_THAT(result.troubles[0].detail, AllOf(HasSubstr("\"first\" was left out"), HasSubstr("TOO_MANY_RE_FIBERS")));
  EXPECT_THAT(result.troubles[1].detail, HasSubstr("\"second\" was left out"));
  EXPECT_EQ(told(scan(*scanner, plain)), before) << "left out for one content only";
  EXPECT_TRUE(before.contains("second") && before.contains("easy"));
}

// libyara 4.2.3 gives up on `#a in (from..to)` where $a also lies before `from`, and on all other rules with it.
TEST(RuleScanner, AnErrorOfLibyaraIsTold) {
  const TemporaryDirectory scratch;
  const auto scanner = load_text(scratch,
                                 "rule r { strings: $a = \"a\" condition: #a in (5..9) >= 0 }\n"
                                 "rule easy { condition: true }");
  BrokenSource content("a.......");
  std::string read;
  const ScanResult result = scan(*scanner, content, &read);
  ASSERT_EQ(result.troubles.size(), 1u);
  EXPECT_EQ(result.troubles[0].cause, "corrupt");
  EXPECT_THAT(result.troubles[0].detail, AllOf(HasSubstr("no rule was judged"), HasSubstr("INTERNAL_FATAL_ERROR")));
  EXPECT_THAT(result.matches, IsEmpty());
  EXPECT_EQ(read, "a.......");
}

TEST(RuleScanner, ARuleWithoutEndIsATimeoutAndEveryByteIsStillRead) {
  const TemporaryDirectory scratch;
  const auto scanner =
      load_text(scratch,
                "rule endless { condition: filesize > 1 and for all i in (0..0x7fffffffffff) : (i >= 0) }\n"
                "rule easy { condition: true }",
                {.base_seconds = 1, .bytes_per_second = 1u << 30});
  const std::string bytes(3000, 'z');
  BrokenSource content(bytes);
  std::string read;
  const ScanResult result = scan(*scanner, content, &read);
  ASSERT_EQ(result.troubles.size(), 1u);
  EXPECT_EQ(result.troubles[0].cause, "timeout");
  EXPECT_THAT(result.troubles[0].detail, HasSubstr("1 seconds"));
  EXPECT_THAT(result.matches, IsEmpty());
  EXPECT_EQ(read, bytes);
}

TEST(RuleScanner, ASearchThatTimesOutStillGivesEveryByteOnce) {
  const TemporaryDirectory scratch;
  const auto scanner = load_text(scratch, "rule slow { strings: $a = /a.{1,60}b.{1,60}c/ condition: $a }",
                                 {.base_seconds = 1, .bytes_per_second = 1u << 30});
  std::string bytes(20u << 20, 'a');
  for (std::size_t i = 0; i < bytes.size(); i += 9) bytes[i] = 'b';
  BrokenSource content(bytes);
  std::string read;
  const ScanResult result = scan(*scanner, content, &read);
  EXPECT_THAT(result.troubles, ElementsAre(Field(&ScanTrouble::cause, "timeout")));
  EXPECT_TRUE(read == bytes);
}

TEST(RuleScanner, ARefusedReadIsToldAndTheRestScanned) {
  const TemporaryDirectory scratch;
  const auto scanner = load_text(scratch, "rule r { strings: $a = \"needle\" condition: $a }");
  std::string bytes(3u << 20, '.');
  bytes.replace(10, 6, "needle").replace(bytes.size() - 6, 6, "needle");
  BrokenSource content(bytes);
  content.broken_at = (1u << 20) + 5;
  std::string read;
  const ScanResult result = scan(*scanner, content, &read);
  ASSERT_EQ(result.troubles.size(), 1u);
  EXPECT_EQ(result.troubles[0].cause, "io-error");
  EXPECT_THAT(result.troubles[0].detail, AllOf(HasSubstr("1048576 bytes"), HasSubstr("sector not readable")));
  EXPECT_EQ(told(result)["r"], (Places{{10, 6, "$a"}, {bytes.size() - 6, 6, "$a"}}));
  EXPECT_EQ(read.size(), bytes.size());
  EXPECT_EQ(read.substr(1u << 20, 1u << 20), std::string(1u << 20, '\0'));
}

TEST(RuleScanner, PrintsNothing) {
  const TemporaryDirectory scratch;
  const auto scanner =
      load_text(scratch, "import \"console\" rule r { condition: console.log(\"hello\") and console.hex(uint8(0)) }");
  BrokenSource content("x");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  EXPECT_EQ(told(scan(*scanner, content)).size(), 1u);
  EXPECT_EQ(testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr(), "");
}

TEST(RuleScannerLoad, AnErrorNamesFileAndLine) {
  const TemporaryDirectory scratch;
  fs::create_directories(scratch / "pack/sub");
  test::write_file(scratch / "pack/a.yar", "rule a { condition: true }\n");
  test::write_file(scratch / "pack/sub/b.yar", "rule b {\n  condition:\n    nowhere == 1\n}\n");
  EXPECT_THAT(load_error({(scratch / "pack").string()}), AllOf(HasSubstr("sub/b.yar:"), HasSubstr("nowhere")));
  test::write_file(scratch / "pack/sub/b.yar", "rule b { condition: true }\nrule c {\n  conditon: true\n}\n");
  EXPECT_THAT(load_error({(scratch / "pack").string()}), HasSubstr("sub/b.yar:3: syntax error"));
}

TEST(RuleScannerLoad, RefusesCompiledRules) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "a.txt", "rule a { condition: true }");
  ASSERT_EQ(test::run({"yarac", (scratch / "a.txt").string(), (scratch / "a.yar").string()}).status, 0);
  EXPECT_THAT(load_error({(scratch / "a.yar").string()}), HasSubstr("compiled"));
}

TEST(RuleScannerLoad, RefusesWhatHasNoRulesOrOneNameTwice) {
  const TemporaryDirectory scratch;
  EXPECT_THAT(load_error({(scratch / "nowhere").string()}), HasSubstr("No such file"));
  EXPECT_THAT(load_error({scratch.path().string()}), HasSubstr("no .yar or .yara"));
  fs::create_directories(scratch / "x");
  fs::create_directories(scratch / "y");
  test::write_file(scratch / "x/a.yar", "rule a { condition: true }");
  test::write_file(scratch / "y/a.yar", "rule a { condition: true }");
  EXPECT_THAT(load_error({(scratch / "x").string(), (scratch / "y").string()}), HasSubstr("two rule files"));
  test::write_file(scratch / "x/a.yar", "// nothing\n");
  EXPECT_THAT(load_error({(scratch / "x").string()}), HasSubstr("no rule"));
}

TEST(RuleScannerLoad, RefusesARuleThatNeverEnds) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "a.yar", "rule a { condition: for all i in (0..0x7fffffffffff) : (i >= 0) }");
  const auto scanner = load_rule_scanner({(scratch / "a.yar").string()}, {.base_seconds = 1});
  ASSERT_FALSE(scanner.ok());
  EXPECT_THAT(scanner.error().message, HasSubstr("1 seconds"));
}

TEST(RuleScannerLoad, RefusesTheClock) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "a.yar", "import \"time\" rule a { condition: time.now() > 0 }");
  EXPECT_THAT(load_error({(scratch / "a.yar").string()}), HasSubstr("clock"));
}

TEST(RuleScannerLoad, IncludesStayInTheFolderAndAreListed) {
  const TemporaryDirectory scratch;
  fs::create_directories(scratch / "pack/sub");
  test::write_file(scratch / "outside.inc", "rule outside { condition: true }");
  test::write_file(scratch / "pack/main.yar", "include \"sub/one.inc\"\nrule main { condition: one }");
  test::write_file(scratch / "pack/sub/one.inc", "include \"two.inc\"\nrule one { condition: two }");
  test::write_file(scratch / "pack/sub/two.inc", "rule two { condition: true }");
  const auto scanner = load({(scratch / "pack").string()});
  ASSERT_EQ(scanner->files().size(), 3u);
  EXPECT_EQ(scanner->files()[0].name, "main.yar");
  EXPECT_EQ(scanner->files()[0].rules, 3u);
  EXPECT_EQ(scanner->files()[1].name, "sub/one.inc");
  EXPECT_EQ(scanner->files()[2].sha256, digest(EVP_sha256(), "rule two { condition: true }"));

  for (const char* include : {"../outside.inc", "sub/../../outside.inc"}) {
    test::write_file(scratch / "pack/main.yar",
                     "\ninclude \"" + std::string(include) + "\"\nrule m { condition: true }");
    EXPECT_THAT(load_error({(scratch / "pack").string()}),
                AllOf(HasSubstr("main.yar:2"), HasSubstr("leaves the folder")));
  }
  fs::create_symlink(scratch / "outside.inc", scratch / "pack/link.inc");
  test::write_file(scratch / "pack/main.yar", "include \"link.inc\"\nrule m { condition: true }");
  EXPECT_THAT(load_error({(scratch / "pack").string()}), HasSubstr("leaves the folder"));
  test::write_file(scratch / "pack/main.yar", "include \"" + (scratch / "pack/sub/two.inc").string() + "\"\n");
  EXPECT_THAT(load_error({(scratch / "pack").string()}), HasSubstr("relative"));
}

// `yara` aborts on these; the bytes decide when.
TEST(RuleScannerLoad, RefusesHexStringsThatAbortLibyara) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "content", "hello1110");
  for (const char* string :
       {"{ 31[-][8-][-]30 }", "{ 31[4][-]30 }", "{ 31[4][300]30 }", "{ 31 [4-30][4-300][3-5] 30 }"}) {
    test::write_file(scratch / "r.yar", "\nrule r {\n  strings: $a = " + std::string(string) + "\n  condition: $a }");
    EXPECT_EQ(test::run({"yara", (scratch / "r.yar").string(), (scratch / "content").string()}).status, 134) << string;
    EXPECT_THAT(load_error({(scratch / "r.yar").string()}), AllOf(HasSubstr("r.yar:3"), HasSubstr("two jumps")))
        << string;
  }
  // Two jumps that libyara does well, and a regular expression that looks alike.
  const auto scanner = load_text(scratch,
                                 "rule a { strings: $a = { 68 [1][1-2] 6f } condition: $a }\n"
                                 "rule b { strings: $a = /h.{1}.{1,300}1/s condition: $a }");
  FileSource content(scratch / "content");
  EXPECT_EQ(told(scan(*scanner, content)).size(), 2u);
}

TEST(RuleScannerLoad, SignatureBaseCompilesAndAgreesWithYara) {
  const TemporaryDirectory scratch;
  ASSERT_EQ(test::run({"tar", "-xf", test::corpus("yara/signature-base.tar.xz"), "-C", scratch.path().string()}).status,
            0);
  const auto scanner = load({(scratch / "signature-base").string()});
  std::uint64_t rules = 0;
  std::vector<std::string> arguments;
  for (const RuleFile& file : scanner->files()) {
    rules += file.rules;
    arguments.push_back(file.name + ":" + (scratch / "signature-base" / file.name).string());
  }
  EXPECT_GT(rules, 5000u);
  for (const char* name : {"filename", "filepath", "extension", "filetype", "owner", "md5"}) {
    arguments.insert(arguments.begin(), {"-d", std::string(name) + "="});
  }
  // The pack's own rules are its best matches: text that holds what they look for.
  std::vector<std::string> files = some_programs(12);
  for (const char* name : {"gen_webshells.yar", "gen_mimikatz.yar", "apt_sofacy_cannon.yar", "gen_kerberoast.yar"}) {
    files.push_back((scratch / "signature-base/yara" / name).string());
  }
  auto expected = ask_yara(arguments, files);
  std::size_t matches = 0;
  for (const std::string& file : files) {
    FileSource content(file);
    const ScanResult result = scan(*scanner, content);
    EXPECT_EQ(told(result), expected[file]) << file;
    matches += result.matches.size();
  }
  EXPECT_GT(matches, 5u);
}

// As in a sealed worker: opening anything kills.
void forbid_opening() {
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  for (const char* call : {"open", "openat", "openat2", "socket", "execve", "fork", "vfork", "clone", "clone3", "stat",
                           "newfstatat", "access", "readlink", "connect", "write", "rt_sigaction"}) {
    if (seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, seccomp_syscall_resolve_name(call), 0) != 0) _exit(3);
  }
  if (seccomp_load(filter) != 0) _exit(4);
}

TEST(RuleScanner, OpensNothingAfterLoading) {
  const TemporaryDirectory scratch;
  test::write_file(scratch / "all.yar", test::read_file(testdata("diverse.yar")) +
                                            "import \"magic\" import \"dotnet\" import \"dex\" import \"macho\"\n"
                                            "rule asks_magic { condition: magic.type() contains \"ELF\" or "
                                            "magic.mime_type() contains \"elf\" }\n"
                                            "rule sums { condition: hash.sha256(0, filesize) contains \"a\" and "
                                            "hash.sha1(0, filesize) contains \"b\" and hash.crc32(0, 10) > 0 }");
  EXPECT_EXIT(
      {
        auto detector = TypeDetector::load();
        auto scanner = RuleScanner::load({(scratch / "all.yar").string()});
        FileSource content("/usr/bin/true");
        const std::string whole = test::read_file("/usr/bin/true");
        forbid_opening();
        const std::string type = detector.value()->type_of(std::as_bytes(std::span(whole)));
        const auto result = scanner.value()->scan(content, {});
        const auto& matches = result.value().matches;
        const bool asked =
            std::any_of(matches.begin(), matches.end(), [](const Match& match) { return match.rule == "asks_magic"; });
        _exit(type != "application/x-sharedlib" ? 1 : asked ? 0 : 2);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace exhibit::match
