#include "hashset/hashset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/json.h"
#include "hash/multi_digest.h"
#include "hashset/format.h"
#include "support/test_support.h"

namespace exhibit::hashset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Item item_with(Digests digests, std::uint64_t size = 1) {
  Item item;
  item.id = "E1/p1/i5:/evidence";
  item.size = size;
  item.digests = std::move(digests);
  return item;
}

Item item_of(std::string_view content) {
  Digests digests;
  for (const char* algorithm : {"md5", "sha1", "sha256", "sha512"}) {
    digests[algorithm] = base::to_hex(hash::digest_of(algorithm, content));
  }
  return item_with(digests, content.size());
}

std::unique_ptr<HashSet> loaded(const std::filesystem::path& path) {
  auto set = load(path.string());
  EXPECT_TRUE(set.ok()) << (set.ok() ? "" : set.error().message);
  return set.ok() ? set.take() : nullptr;
}

// A set of these bytes, under the name `set`.
struct Written {
  explicit Written(const std::string& bytes) { test::write_file(directory / "set", bytes); }
  std::unique_ptr<HashSet> set() const { return loaded(directory / "set"); }
  Result<std::unique_ptr<HashSet>> try_load() const { return load((directory / "set").string()); }
  test::TemporaryDirectory directory;
};

std::vector<SetMatch> look_up(const HashSet& set, const Item& item) {
  auto matches = set.look_up(item);
  EXPECT_TRUE(matches.ok()) << (matches.ok() ? "" : matches.error().message);
  return matches.ok() ? matches.take() : std::vector<SetMatch>();
}

// As a picture of this PDQ hash is.
std::vector<LikenessMatch> look_up_alike(const HashSet& set, std::string_view hash) {
  PictureHashes picture{"E1/p1/i5:/evidence", {RawDigest{}}, 100};
  EXPECT_TRUE(decode_digest(hash, Algorithm::pdq, picture.variants[0]));
  auto matches = set.look_up_alike(picture);
  EXPECT_TRUE(matches.ok()) << (matches.ok() ? "" : matches.error().message);
  return matches.ok() ? matches.take() : std::vector<LikenessMatch>();
}

std::vector<std::string> rules(const std::vector<SetMatch>& matches) {
  std::vector<std::string> all;
  for (const SetMatch& match : matches) all.push_back(*match.algorithm + " " + match.rule);
  return all;
}

std::vector<std::uint64_t> refused_lines(const HashSet& set) {
  std::vector<std::uint64_t> lines;
  for (const Refused& refused : set.refused()) lines.push_back(refused.line);
  return lines;
}

std::vector<base::Json> truth() {
  std::vector<base::Json> records;
  std::ifstream lines(test::corpus("truth/hashsets.jsonl"));
  for (std::string line; std::getline(lines, line);) records.push_back(base::parse_json(line).take());
  return records;
}

// ---- the table

class EveryFormat : public testing::TestWithParam<const FormatRow*> {};

INSTANTIATE_TEST_SUITE_P(Table, EveryFormat, testing::ValuesIn(format_table().begin(), format_table().end()),
                         [](const auto& row) {
                           std::string name(row.param->name);
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(EveryFormat, ReadsItsSample) {
  const FormatRow& row = *GetParam();
  ASSERT_FALSE(row.expected.empty()) << row.name << " has no sample with known entries";
  for (const std::string mark : {"", "\xef\xbb\xbf"}) {
    const std::string bytes = (row.begins_with == nullptr && !row.takes_mark ? "" : mark) + row.sample();
    const Written sample(bytes);
    const auto set = sample.set();
    ASSERT_NE(set, nullptr);
    EXPECT_EQ(set->format(), row.name);
    EXPECT_EQ(set->name(), "set");
    EXPECT_EQ(set->refused_total(), row.sample_refused);
    for (const auto& [algorithm, digest, rule, category] : row.expected) {
      if (algorithm == "pdq") {
        const auto alike = look_up_alike(*set, digest);
        ASSERT_EQ(alike.size(), 1) << digest;
        EXPECT_EQ(alike[0].distance, 0);
        EXPECT_EQ(alike[0].rule, rule);
        EXPECT_EQ(alike[0].by, "perceptual");
        EXPECT_EQ(alike[0].category.value_or(""), category);
        continue;
      }
      const auto matches = look_up(*set, item_with({{std::string(algorithm), std::string(digest)}}));
      ASSERT_EQ(matches.size(), 1) << digest;
      EXPECT_EQ(matches[0].rule, rule);
      EXPECT_EQ(matches[0].item, "E1/p1/i5:/evidence");
      EXPECT_EQ(matches[0].by, "hashset");
      EXPECT_EQ(matches[0].source, "set");
      EXPECT_EQ(matches[0].algorithm, algorithm);
      EXPECT_EQ(matches[0].category.value_or(""), category);
      EXPECT_EQ(matches[0].source_sha256, base::to_hex(hash::digest_of("sha256", bytes)));
      std::string other(digest);
      other.back() = other.back() == '0' ? '1' : '0';
      EXPECT_TRUE(look_up(*set, item_with({{std::string(algorithm), other}})).empty());
    }
  }
}

// ---- the corpora

struct Corpus {
  const char* file;
  const char* format;
  std::vector<std::string> algorithms;
  bool names;
};

TEST(Corpora, KnownFilesAreFoundAndOthersNot) {
  for (const auto& [file, format, algorithms, names] :
       {Corpus{"known.md5sum", "md5sum", {"md5"}, true}, Corpus{"known.sha256", "plain", {"sha256"}, false},
        Corpus{"known.hashdeep", "hashdeep", {"sha256", "md5"}, true},
        Corpus{"NSRLFile.txt", "nsrl-rds2", {"sha1", "md5"}, true}}) {
    SCOPED_TRACE(file);
    const auto set = loaded(test::corpus(std::string("hashsets/") + file));
    ASSERT_NE(set, nullptr);
    EXPECT_EQ(set->format(), format);
    EXPECT_EQ(set->refused_total(), 0);
    int known = 0;
    for (const base::Json& record : truth()) {
      if (!record.contains("known")) continue;
      const auto name = record["file"].get<std::string>();
      Digests digests;
      for (const char* algorithm : {"md5", "sha1", "sha256"}) digests[algorithm] = record[algorithm];
      std::vector<std::string> expected;
      for (const std::string& algorithm : algorithms) {
        const std::string entry = std::string(file) == "known.hashdeep" ? "/known/" + name : name;
        if (record["known"].get<bool>()) expected.push_back(algorithm + " " + (names ? entry : digests[algorithm]));
      }
      known += !expected.empty();
      // The truth calls it unknown, but Debian's part of the list has it too: grep finds it on line 377.
      if (name == "deleted.wav" && std::string(file) == "known.md5sum") {
        expected.push_back("md5 /usr/share/forensics-samples/original-files/audio2/deleted.wav");
      }
      EXPECT_EQ(rules(look_up(*set, item_with(digests))), expected) << name;
    }
    EXPECT_GE(known, 17);
    const test::Finished finished = test::run({"sha256sum", test::corpus(std::string("hashsets/") + file).string()});
    EXPECT_EQ(*set->file_sha256(), finished.out.substr(0, 64));
  }
}

TEST(Corpora, EveryLineOfALongList) {
  const auto set = loaded(test::corpus("hashsets/known.md5sum"));
  EXPECT_EQ(set->entries(), 8029);
  std::ifstream lines(test::corpus("hashsets/known.md5sum"));
  for (std::string line; std::getline(lines, line);) {
    ASSERT_THAT(rules(look_up(*set, item_with({{"md5", line.substr(0, 32)}}))), ElementsAre("md5 " + line.substr(34)));
  }
}

TEST(Corpora, MalformedLinesAreCountedAndNumbered) {
  const auto set = loaded(test::corpus("hashsets/malformed.md5"));
  EXPECT_THAT(refused_lines(*set), ElementsAre(5, 6, 8, 9));
  for (const base::Json& record : truth()) {
    if (record.value("rec", "") != "malformed") continue;
    EXPECT_EQ(set->refused_total(), record["invalid_lines"]);
    EXPECT_EQ(set->entries(), record["valid_md5"].size());
    for (const base::Json& digest : record["valid_md5"]) {
      EXPECT_EQ(look_up(*set, item_with({{"md5", digest.get<std::string>()}})).size(), 1) << digest;
    }
  }
  EXPECT_THAT(set->refused()[0].why, HasSubstr("6 hexadecimal digits"));
  EXPECT_THAT(set->refused()[2].why, HasSubstr("sha1 in a list of md5"));
  EXPECT_THAT(set->refused()[3].why, HasSubstr("NUL"));
}

// ---- other programs' lists

// Forty files, twenty of which (`known/`) a program lists; the same program says which of `all/` it knows.
class OtherPrograms : public testing::Test {
 protected:
  OtherPrograms() {
    std::filesystem::create_directories(directory / "known");
    std::filesystem::create_directories(directory / "all");
    for (int i = 0; i < 40; ++i) {
      const std::string content = "content " + std::to_string(i * i), name = "f " + std::to_string(i) + ", (x)";
      test::write_file(directory / "all" / name, content);
      if (i % 2 == 0) test::write_file(directory / "known" / name, content);
    }
  }
  test::Finished shell(const std::string& script) {
    return test::run({"sh", "-c", "cd \"$1\" && " + script, "sh", directory.path().string()});
  }
  // The files of all/ that our set knows.
  std::set<std::string> known_to(const HashSet& set) {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(directory / "all")) {
      if (!look_up(set, item_of(test::read_file(file.path()))).empty()) names.insert(file.path().filename().string());
    }
    return names;
  }
  static std::set<std::string> names_in(const std::string& list) {
    std::set<std::string> names;
    std::istringstream lines(list);
    for (std::string line; std::getline(lines, line);) names.insert(line.substr(line.rfind('/') + 1));
    return names;
  }
  test::TemporaryDirectory directory;
};

TEST_F(OtherPrograms, HashdeepAgrees) {
  for (const std::string columns : {"md5", "sha1", "sha256", "md5,sha1,sha256", "md5,sha256,tiger,whirlpool"}) {
    ASSERT_EQ(shell("hashdeep -c " + columns + " -r known > set").status, 0);
    const auto theirs = names_in(shell("hashdeep -m -k set -r all").out);
    ASSERT_EQ(theirs.size(), 20);
    const auto set = loaded(directory / "set");
    EXPECT_EQ(set->format(), "hashdeep");
    EXPECT_EQ(set->refused_total(), 0);
    EXPECT_EQ(known_to(*set), theirs) << columns;
  }
}

TEST_F(OtherPrograms, Md5deepsFamilyAgrees) {
  for (const std::string program : {"md5deep", "sha1deep", "sha256deep"}) {
    ASSERT_EQ(shell(program + " -r known > set").status, 0);
    const auto theirs = names_in(shell(program + " -m set -r all").out);
    ASSERT_EQ(theirs.size(), 20);
    EXPECT_EQ(known_to(*loaded(directory / "set")), theirs) << program;
  }
}

TEST_F(OtherPrograms, ChecksumProgramsLists) {
  for (const std::string command :
       {"md5sum known/*", "sha1sum -b known/*", "sha256sum --tag known/*", "sha512sum known/*",
        "openssl dgst -md5 known/*", "openssl dgst -sha256 known/*", "openssl dgst -sha512 -r known/*",
        "rhash --md5 --bsd known/*", "md5sum known/* | cut -c -32", "sha1sum known/* | cut -c -40 | tr a-f A-F"}) {
    ASSERT_EQ(shell(command + " > set").status, 0) << command;
    const auto set = loaded(directory / "set");
    EXPECT_EQ(set->entries(), 20) << command;
    EXPECT_EQ(set->refused_total(), 0) << command;
    std::set<std::string> expected;
    for (int i = 0; i < 40; i += 2) expected.insert("f " + std::to_string(i) + ", (x)");
    EXPECT_EQ(known_to(*set), expected) << command;
  }
}

TEST_F(OtherPrograms, NamesWithEscapesComeBack) {
  const std::string name = "back\\slash\nand line";
  test::write_file(directory / name, "odd");
  for (const std::string command : {"md5sum back*", "sha256sum --tag back*"}) {
    ASSERT_EQ(shell(command + " > set").status, 0);
    const auto matches = look_up(*loaded(directory / "set"), item_of("odd"));
    ASSERT_EQ(matches.size(), 1) << command;
    EXPECT_EQ(matches[0].rule, name);
  }
}

// ---- what a list can hold

constexpr const char* md5_a = "0cc175b9c0f1b6a831c399e269772661";

TEST(Load, OldOrderOfNsrlColumns) {
  const Written written(
      R"("SHA-1","FileName","FileSize","ProductCode","OpSystemCode","MD4","MD5","CRC32","SpecialCode")"
      "\r\n"
      R"("86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8","a.txt",1,1,"WIN","BDE52CB31DE33E46245E05FBDBD6FB24",)"
      R"("0CC175B9C0F1B6A831C399E269772661","E8B7BE43","")"
      "\r\n");
  EXPECT_THAT(rules(look_up(*written.set(), item_of("a"))), ElementsAre("sha1 a.txt", "md5 a.txt"));
}

TEST(Load, NamesThatLookLikeSomethingElse) {
  const Written written(
      "0cc175b9c0f1b6a831c399e269772661  MD5 (x) = y\n"
      "92eb5ffee6ae2fec3ad71c777531578f   two spaces before\n"
      "4a8a08f09d37b73795649038408b5f33  # no comment\n"
      "\\8277e0910d750195b448797616e091ad  a\\bad escape\n");
  const auto set = written.set();
  EXPECT_EQ(look_up(*set, item_of("a"))[0].rule, "MD5 (x) = y");
  EXPECT_EQ(look_up(*set, item_of("b"))[0].rule, " two spaces before");
  EXPECT_EQ(look_up(*set, item_of("c"))[0].rule, "# no comment");
  EXPECT_THAT(refused_lines(*set), ElementsAre(4));
}

TEST(Load, ANameThatIsNotUtf8IsWrittenAsFindingsDo) {
  const Written written(std::string(md5_a) + "  caf\xe9\n");
  EXPECT_EQ(look_up(*written.set(), item_of("a"))[0].rule, "caf\xef\xbf\xbd");
}

TEST(Load, OfSeveralEntriesTheFirstWithAName) {
  const std::string a = md5_a;
  const Written written(a + "\n" + a + "  first\n" + a + "  second\n");
  EXPECT_EQ(written.set()->entries(), 3);
  EXPECT_THAT(rules(look_up(*written.set(), item_of("a"))), ElementsAre("md5 first"));
}

TEST(Load, EmptyContentIsNeverMatched) {
  const Written written("d41d8cd98f00b204e9800998ecf8427e  empty\n" + std::string(md5_a) + "  a\n");
  const auto set = written.set();
  EXPECT_EQ(set->entries(), 1);
  EXPECT_THAT(refused_lines(*set), ElementsAre(1));
  EXPECT_THAT(set->refused()[0].why, HasSubstr("empty content"));
  EXPECT_TRUE(look_up(*set, item_of("")).empty());
  EXPECT_TRUE(look_up(*set, item_with({{"md5", "d41d8cd98f00b204e9800998ecf8427e"}}, 5)).empty());
  EXPECT_TRUE(look_up(*set, item_with({{"md5", md5_a}}, 0)).empty());
}

TEST(Load, HashdeepsSizeZeroAndBadColumnsAreRefusedWhole) {
  const Written written(
      "%%%% HASHDEEP-1.0\n%%%% size,md5,sha1,filename\n"
      "0,d41d8cd98f00b204e9800998ecf8427e,da39a3ee5e6b4b0d3255bfef95601890afd80709,empty\n"
      "1,0cc175b9c0f1b6a831c399e269772661,86f7e437faa5a7fce15d1ddcb9eaeaea377667bX,half\n"
      "x,92eb5ffee6ae2fec3ad71c777531578f,e9d71f5ee7c92d6dc9e92ffdad17b8bd49418f98,size\n"
      "1,,,none\n"
      "1,4a8a08f09d37b73795649038408b5f33,84a516841ba77a5b4648de2cd0dfcb30ea46dbb4,c\n");
  const auto set = written.set();
  EXPECT_THAT(refused_lines(*set), ElementsAre(3, 4, 5, 6));
  EXPECT_TRUE(look_up(*set, item_of("a")).empty());
  EXPECT_EQ(look_up(*set, item_of("c")).size(), 2);
}

TEST(Load, TheListOfRefusedIsBoundedAndTheirNumberIsNot) {
  std::string lines = std::string(md5_a) + "\n";
  for (int i = 0; i < 5000; ++i) lines += "nonsense\n";
  const Written written(lines);
  const auto set = written.set();
  EXPECT_EQ(set->refused().size(), refused_listed);
  EXPECT_EQ(set->refused_total(), 5000);
  EXPECT_EQ(set->refused().back().line, 1001);
}

// Lines that lie across the reader's buffers, and one that is longer than any.
TEST(Load, ALargeFileWithLinesOfAllLengths) {
  std::string lines = std::string(3'000'000, 'x') + "\n";
  const int count = 30'000;
  for (int i = 0; i < count; ++i) {
    lines += base::to_hex(hash::digest_of("sha1", std::to_string(i))) + "  " +
             std::string(static_cast<std::size_t>(i % 311) + 1, 'n') + "\n";
  }
  lines.pop_back();
  const Written written(lines);
  const auto set = written.set();
  EXPECT_EQ(set->entries(), count);
  EXPECT_THAT(refused_lines(*set), ElementsAre(1));
  EXPECT_THAT(set->refused()[0].why, HasSubstr("longer than"));
  for (int i = 0; i < count; ++i) {
    const auto matches = look_up(*set, item_of(std::to_string(i)));
    ASSERT_EQ(matches.size(), 1) << i;
    ASSERT_EQ(matches[0].rule.size(), i % 311 + 1);
  }
  EXPECT_EQ(*set->file_sha256(), base::to_hex(hash::digest_of("sha256", lines)));
}

// ---- what isn't a hash set

TEST(Load, WhatHoldsNoDigestIsAnError) {
  const std::string utf16 = [] {
    std::string wide = "\xff\xfe";
    for (const char c : std::string(md5_a) + "\n") wide += {c, '\0'};
    return wide;
  }();
  for (const std::string& bytes :
       {std::string(), std::string("\n\n# only a comment\n"), std::string("hello\n"), utf16,
        std::string("d41d8cd98f00b204e9800998ecf8427e\n"), std::string("%%%% HASHDEEP-1.0\n"),
        std::string("%%%% HASHDEEP-2.0\n%%%% size,md5,filename\n1,0cc175b9c0f1b6a831c399e269772661,a\n"),
        std::string("%%%% HASHDEEP-1.0\n%%%% size,tiger,filename\n1,00,a\n")}) {
    const auto set = Written(bytes).try_load();
    ASSERT_FALSE(set.ok()) << bytes;
    EXPECT_THAT(set.error().message, HasSubstr("set: "));
  }
}

TEST(Load, WhatCannotBeReadIsAnError) {
  const test::TemporaryDirectory directory;
  EXPECT_EQ(load((directory / "absent").string()).error().code, ErrorCode::not_found);
  EXPECT_EQ(load(directory.path().string()).error().code, ErrorCode::invalid_argument);
  ASSERT_EQ(test::run({"mkfifo", (directory / "fifo").string()}).status, 0);
  EXPECT_EQ(load((directory / "fifo").string()).error().code, ErrorCode::invalid_argument);
  // A regular file whose first page the kernel refuses to read.
  EXPECT_EQ(load("/proc/self/mem").error().code, ErrorCode::io_error);
}

}  // namespace
}  // namespace exhibit::hashset
