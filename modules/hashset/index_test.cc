#include "hashset/index.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include "base/json.h"
#include "hash/multi_digest.h"
#include "hashset/builder.h"
#include "hashset/diff.h"
#include "hashset/hashset.h"
#include "hashset/index_format.h"
#include "support/test_support.h"

namespace exhibit::hashset {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string md5_of(const std::string& content) { return base::to_hex(hash::digest_of("md5", content)); }

RawDigest raw_of(Algorithm algorithm, const std::string& hex) {
  RawDigest raw{};
  EXPECT_TRUE(decode_digest(hex, algorithm, raw)) << hex;
  return raw;
}

struct TestEntry {
  Algorithm algorithm;
  std::string digest, category, name;
};

Entry entry_of(const TestEntry& from) {
  Entry entry;
  entry[from.algorithm] = from.digest;
  entry.category = from.category;
  entry.name = from.name;
  return entry;
}

// An index of these entries, written to `path`.
void build_at(const std::filesystem::path& path, const std::vector<TestEntry>& entries,
              const std::string& source = "in", BuildOptions options = {}) {
  Builder builder(std::move(options));
  builder.begin_input(source);
  for (const TestEntry& entry : entries) ASSERT_FALSE(builder.take(entry_of(entry), false)->refusal);
  builder.end_input({source, "plain", 1, "aa", entries.size(), 0, 0, 0});
  const base::UniqueFd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  const auto written = builder.write(out.get(), {"set", "nobody", "1", "CC0", SetClass::notable, "US"});
  ASSERT_TRUE(written.ok()) << written.error().message;
}

Result<Index> try_open(const std::filesystem::path& path) {
  return Index::open(base::UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), "set.xhs");
}

class IndexTest : public testing::Test {
 protected:
  Index opened() { return try_open(path).take(); }
  void damage(std::uint64_t offset, char byte) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
  }
  test::TemporaryDirectory directory;
  std::filesystem::path path = directory / "set.xhs";
};

// What a plain map of the same entries says is what the index says, at sizes about each step of its layout.
TEST_F(IndexTest, FindsWhatAMapFindsAndNothingElse) {
  for (const int count : {1, 15, 16, 31, 32, 63, 64, 65, 1000, 4095, 4096, 70'000}) {
    SCOPED_TRACE(count);
    std::vector<TestEntry> entries;
    std::map<std::string, TestEntry> known;
    for (int i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      entries.push_back({Algorithm::md5, md5_of(number), std::to_string(i % 5), i % 3 == 0 ? "" : "name " + number});
      known[entries.back().digest] = entries.back();
    }
    build_at(path, entries);
    const Index index = opened();
    ASSERT_EQ(index.header().tables.size(), 1);
    EXPECT_EQ(index.header().tables[0].digests, count);
    std::vector<std::uint8_t> asked;
    for (int i = 0; i < 2 * count; ++i) {
      const RawDigest raw = raw_of(Algorithm::md5, md5_of(std::to_string(i)));
      asked.insert(asked.end(), raw.begin(), raw.begin() + 16);
    }
    std::vector<Index::Place> places(2 * static_cast<std::size_t>(count));
    index.find(Algorithm::md5, asked, places);
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string digest = md5_of(std::to_string(i));
      const RawDigest raw = raw_of(Algorithm::md5, digest);
      ASSERT_EQ(places[i], index.find(Algorithm::md5, raw));
      ASSERT_EQ(places[i] != Index::nowhere, known.contains(digest)) << i;
      if (places[i] == Index::nowhere) continue;
      ASSERT_EQ(index.rows_of_digest(Algorithm::md5, raw, places[i]), 1);
      ASSERT_EQ(index.label(Algorithm::md5, places[i]), (Label{known[digest].category, "in"}));
      ASSERT_EQ(index.name(Algorithm::md5, places[i]), known[digest].name);
    }
    // Going through it gives all, in order.
    auto expected = known.begin();
    for (Index::Cursor row(index, Algorithm::md5); row.next(); ++expected) {
      ASSERT_EQ(base::to_hex({reinterpret_cast<const char*>(row.digest().data()), 16}), expected->first);
    }
    EXPECT_EQ(expected, known.end());
  }
}

// Digests that differ in their last byte, in their first, that are all zeros or all ones, and many in one bucket.
TEST_F(IndexTest, DigestsThatAreNotRandom) {
  std::vector<TestEntry> entries;
  const std::string middle(28, '7');
  for (int i = 0; i < 256; ++i) {
    char byte[3];
    std::snprintf(byte, sizeof byte, "%02x", i);
    entries.push_back({Algorithm::md5, "00" + middle + byte, "", ""});
    entries.push_back({Algorithm::md5, byte + middle + "01", "", ""});
  }
  for (const char digit : {'0', 'f'}) entries.push_back({Algorithm::md5, std::string(32, digit), "", ""});
  build_at(path, entries);
  const Index index = opened();
  EXPECT_EQ(index.header().tables[0].digests, entries.size() - 1);  // 00…01 twice
  for (const TestEntry& entry : entries) {
    const RawDigest raw = raw_of(Algorithm::md5, entry.digest);
    const Index::Place place = index.find(Algorithm::md5, raw);
    ASSERT_NE(place, Index::nowhere) << entry.digest;
    ASSERT_EQ(index.rows_of_digest(Algorithm::md5, raw, place), 1) << entry.digest;
  }
  for (const std::string& absent : {"01" + middle + "02", "ff" + middle + "00", std::string(31, 'f') + "e"}) {
    EXPECT_EQ(index.find(Algorithm::md5, raw_of(Algorithm::md5, absent)), Index::nowhere) << absent;
  }
}

TEST_F(IndexTest, EveryAlgorithmHasItsTable) {
  std::vector<TestEntry> entries;
  for (std::size_t i = 0; i < digest_count; ++i) {
    entries.push_back(
        {static_cast<Algorithm>(i), base::to_hex(hash::digest_of(algorithm_facts[i].name, "content")), "1", "n"});
  }
  build_at(path, entries);
  const Index index = opened();
  EXPECT_EQ(index.header().tables.size(), digest_count);
  for (const TestEntry& of : entries) {
    for (const TestEntry& asked : entries) {
      if (asked.digest.size() != of.digest.size()) continue;
      const bool found = index.find(of.algorithm, raw_of(of.algorithm, asked.digest)) != Index::nowhere;
      EXPECT_EQ(found, &asked == &of);
    }
  }
}

// A digest in several categories has a row for each; in one, one row, with the name that comes first.
TEST_F(IndexTest, LabelsOfOneDigest) {
  const std::string a = md5_of("a");
  build_at(path, {{Algorithm::md5, a, "2", "z"},
                  {Algorithm::md5, md5_of("b"), "1", "b"},
                  {Algorithm::md5, a, "1", ""},
                  {Algorithm::md5, a, "1", "later"},
                  {Algorithm::md5, a, "1", "first"}});
  const Index index = opened();
  const RawDigest raw = raw_of(Algorithm::md5, a);
  const Index::Place first = index.find(Algorithm::md5, raw);
  ASSERT_EQ(index.rows_of_digest(Algorithm::md5, raw, first), 2);
  EXPECT_EQ(index.label(Algorithm::md5, first).category, "1");
  EXPECT_EQ(index.name(Algorithm::md5, first), "first");
  EXPECT_EQ(index.label(Algorithm::md5, first + 1).category, "2");
  EXPECT_EQ(index.name(Algorithm::md5, first + 1), "z");
}

// Two inputs, their entries in any order, sorted in memory or by way of the disk: the same bytes.
TEST_F(IndexTest, TheSameInputsGiveTheSameBytesInAnyOrder) {
  std::vector<TestEntry> one, two;
  for (int i = 0; i < 30'000; ++i) {
    one.push_back({Algorithm::md5, md5_of(std::to_string(i)), std::to_string(i % 7), "one " + std::to_string(i)});
    two.push_back({Algorithm::sha1, base::to_hex(hash::digest_of("sha1", std::to_string(i / 2))), "x", "two"});
  }
  std::mt19937 chance(1);
  std::vector<std::string> files;
  for (const bool swapped : {false, true, false, true}) {
    std::shuffle(one.begin(), one.end(), chance);
    std::shuffle(two.begin(), two.end(), chance);
    Builder builder({.names = true, .folder = swapped ? directory.path().string() : ""});
    for (const bool second : {swapped, !swapped}) {
      const auto& entries = second ? two : one;
      builder.begin_input(second ? "two" : "one");
      for (const TestEntry& entry : entries) ASSERT_FALSE(builder.take(entry_of(entry), false)->refusal);
      builder.end_input({second ? "two" : "one", "plain", 1, "aa", entries.size(), 0, 0, 0});
    }
    const base::UniqueFd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ASSERT_TRUE(builder.write(out.get(), {"set", "", "", "", SetClass::known, ""}).ok());
    files.push_back(test::read_file(path));
  }
  for (const std::string& file : files) EXPECT_TRUE(file == files[0]);
}

TEST_F(IndexTest, AWholeMd5TakesLessThanSixteenBytes) {
  std::vector<TestEntry> entries;
  for (int i = 0; i < 200'000; ++i) {
    entries.push_back({Algorithm::md5, md5_of(std::to_string(i)), std::to_string(i % 4), "a name that isn't kept"});
  }
  build_at(path, entries, "in", {.names = false, .folder = ""});
  EXPECT_LT(std::filesystem::file_size(path), 16 * entries.size());
  EXPECT_EQ(opened().label(Algorithm::md5, opened().find(Algorithm::md5, raw_of(Algorithm::md5, md5_of("7")))).category,
            "3");
}

// ---- damage

TEST_F(IndexTest, AFileCutAnywhereIsRefusedWhenItIsOpened) {
  build_at(path, {{Algorithm::md5, md5_of("a"), "1", "n"}, {Algorithm::sha1, std::string(40, '1'), "2", ""}});
  const auto size = std::filesystem::file_size(path);
  for (std::uintmax_t left = 0; left < size; ++left) {
    std::filesystem::resize_file(path, left);
    const auto index = try_open(path);
    ASSERT_FALSE(index.ok()) << left;
    EXPECT_THAT(index.error().message, HasSubstr("set.xhs: "));
  }
}

// Each byte in turn: either opening refuses it or the checksum does, and no lookup goes astray.
TEST_F(IndexTest, ADamagedByteIsFoundAndHarmsNobody) {
  std::vector<TestEntry> entries;
  for (int i = 0; i < 100; ++i)
    entries.push_back({Algorithm::md5, md5_of(std::to_string(i)), std::to_string(i % 3), "n"});
  build_at(path, entries);
  const std::string whole = test::read_file(path);
  for (std::size_t offset = 0; offset < whole.size(); ++offset) {
    damage(offset, static_cast<char>(whole[offset] ^ 0x40));
    if (const auto index = try_open(path); index.ok()) {
      EXPECT_FALSE(index->digest_file().ok()) << offset;
      for (const TestEntry& entry : entries) {
        const RawDigest raw = raw_of(Algorithm::md5, entry.digest);
        const Index::Place place = index->find(Algorithm::md5, raw);
        if (place == Index::nowhere) continue;
        index->rows_of_digest(Algorithm::md5, raw, place);
        index->label(Algorithm::md5, place);
        index->name(Algorithm::md5, place);
      }
      for (Index::Cursor row(*index, Algorithm::md5); row.next();) {
      }
    }
    damage(offset, whole[offset]);
  }
  EXPECT_EQ(*opened().digest_file(), base::to_hex(hash::digest_of("sha256", whole)));
}

TEST_F(IndexTest, ALaterVersionIsNamed) {
  build_at(path, {{Algorithm::md5, md5_of("a"), "", ""}});
  damage(index_magic.size(), 2);
  EXPECT_EQ(try_open(path).error().code, ErrorCode::unsupported);
  EXPECT_THAT(try_open(path).error().message, HasSubstr("version 2"));
}

// ---- an index as a hash set

TEST_F(IndexTest, MatchesSayTheClassAndWhoseCategoryItIs) {
  build_at(path, {{Algorithm::md5, md5_of("a"), "1", "17"}}, "in.json");
  const auto set = load(path.string()).take();
  EXPECT_EQ(set->name(), "set");
  EXPECT_EQ(set->version(), "1");
  EXPECT_EQ(set->format(), "xhs");
  EXPECT_EQ(*set->file_sha256(), base::to_hex(hash::digest_of("sha256", test::read_file(path))));
  Item item;
  item.id = "E1/p0/i1:/a";
  item.size = 1;
  item.digests = {{"md5", md5_of("a")}, {"sha1", std::string(40, '1')}};
  const auto matches = set->look_up(item).take();
  ASSERT_EQ(matches.size(), 1);
  EXPECT_EQ(matches[0].rule, "17");
  EXPECT_EQ(matches[0].category, "1");
  EXPECT_EQ(matches[0].category_profile, "US");
  EXPECT_EQ(matches[0].set_class, "notable");
  EXPECT_EQ(matches[0].entry_source, "in.json");
  item.size = 0;
  EXPECT_TRUE(set->look_up(item)->empty());
}

TEST_F(IndexTest, ADamagedIndexGivesNoMatches) {
  build_at(path, {{Algorithm::md5, md5_of("a"), "1", "17"}});
  damage(index_head_bytes, 1);
  const auto set = load(path.string()).take();
  EXPECT_EQ(set->file_sha256().error().code, ErrorCode::corrupt);
  Item item;
  item.size = 1;
  item.digests = {{"md5", md5_of("a")}};
  EXPECT_FALSE(set->look_up(item).ok());
}

// ---- comparing

TEST_F(IndexTest, DiffTellsWhatCameWentAndChanged) {
  const std::filesystem::path later = directory / "later.xhs";
  const auto md5 = [](const char* content, const char* category) {
    return TestEntry{Algorithm::md5, md5_of(content), category, ""};
  };
  build_at(path, {md5("same", "1"), md5("gone", "1"), md5("moved", "1"), md5("two", "1"), md5("two", "2")});
  build_at(later,
           {md5("same", "1"),
            md5("new", "3"),
            md5("moved", "2"),
            md5("two", "2"),
            md5("two", "1"),
            {Algorithm::sha1, std::string(40, '1'), "1", ""}},
           "other source");
  std::map<std::string, std::string> changes;
  diff(opened(), try_open(later).take(), [&](const Change& change) { changes[change.digest] = name_of(change.kind); });
  EXPECT_EQ(changes, (std::map<std::string, std::string>{{md5_of("gone"), "removed"},
                                                         {md5_of("new"), "added"},
                                                         {md5_of("moved"), "category"},
                                                         {std::string(40, '1'), "added"}}));
}

// ---- PDQ

// ThreatExchange's own haystack and needles: all that brute force finds (corpora/pdq/search-expected.jsonl), no more.
TEST(Near, FindsAllWithinTheDistanceAndNothingElse) {
  const test::TemporaryDirectory directory;
  std::vector<TestEntry> entries;
  std::ifstream haystack(test::corpus("pdq/haystack.txt"));
  for (std::string line; std::getline(haystack, line);) {
    if (!line.empty()) entries.push_back({Algorithm::pdq, line.substr(0, 64), "1", ""});
  }
  ASSERT_GT(entries.size(), 1000);
  build_at(directory / "set.xhs", entries);
  const Index index = try_open(directory / "set.xhs").take();
  std::ifstream needles(test::corpus("pdq/search-expected.jsonl"));
  std::size_t found = 0;
  for (std::string line; std::getline(needles, line);) {
    const auto told = base::parse_json(line).take();
    std::set<std::pair<std::string, unsigned>> expected, got;
    for (const auto& hit : told.at("hits31"))
      expected.emplace(hit.at("hash").get<std::string>(), hit.at("d").get<unsigned>());
    for (const Index::Near& near : index.find_near(raw_of(Algorithm::pdq, told.at("needle").get<std::string>()), 31)) {
      const RawDigest hash = index.pdq(near.place);
      got.emplace(base::to_hex({reinterpret_cast<const char*>(hash.data()), 32}), near.distance);
    }
    EXPECT_EQ(got, expected) << told.at("needle");
    found += got.size();
  }
  EXPECT_GT(found, 100);
}

// Against comparing with each, at every distance up to the limit and just beyond it.
TEST(Near, IsExactUpToTheLimit) {
  const test::TemporaryDirectory directory;
  std::mt19937_64 random(1);
  const auto random_hash = [&] {
    RawDigest hash{};
    for (std::size_t i = 0; i < 32; ++i) hash[i] = static_cast<std::uint8_t>(random());
    return hash;
  };
  const auto hex_of = [](const RawDigest& hash) {
    return base::to_hex({reinterpret_cast<const char*>(hash.data()), 32});
  };
  const RawDigest asked = random_hash();
  std::vector<TestEntry> entries;
  std::map<std::string, unsigned> expected;
  for (unsigned distance = 0; distance <= 40; ++distance) {
    for (int i = 0; i < 20; ++i) {
      std::set<unsigned> bits;
      while (bits.size() < distance) bits.insert(static_cast<unsigned>(random() % 256));
      RawDigest hash = asked;
      for (const unsigned bit : bits) hash[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      if (distance <= most_pdq_distance) expected[hex_of(hash)] = distance;
      entries.push_back({Algorithm::pdq, hex_of(hash), "1", ""});
    }
  }
  for (int i = 0; i < 1000; ++i) entries.push_back({Algorithm::pdq, hex_of(random_hash()), "1", ""});
  build_at(directory / "set.xhs", entries);
  const Index index = try_open(directory / "set.xhs").take();
  std::map<std::string, unsigned> found;
  for (const Index::Near& near : index.find_near(asked, most_pdq_distance)) {
    EXPECT_TRUE(found.emplace(hex_of(index.pdq(near.place)), near.distance).second) << "twice";
  }
  EXPECT_EQ(found, expected);
}

TEST(Near, ASetOfKnownContentIsNeverAskedForPicturesThatAreAlike) {
  const test::TemporaryDirectory directory;
  const std::string hash = std::string(32, 'a') + std::string(32, '5');
  Builder builder({});
  builder.begin_input("in");
  ASSERT_FALSE(builder.take(entry_of({Algorithm::pdq, hash, "", ""}), false)->refusal);
  builder.end_input({"in", "pdq", 1, "aa", 1, 0, 0, 0});
  const base::UniqueFd out(::open((directory / "set.xhs").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(builder.write(out.get(), {"set", "nobody", "1", "CC0", SetClass::known, ""}).ok());
  const auto set = load((directory / "set.xhs").string()).take();
  EXPECT_FALSE(set->has_pictures());
  EXPECT_TRUE(set->look_up_alike({"E1/p0:/x", {raw_of(Algorithm::pdq, hash)}, 100})->empty());
}

// ---- trivial content

TEST(TrivialContent, BlocksOfOneValueAreKnownByName) {
  for (const char* algorithm : {"md5", "sha1", "sha256"}) {
    for (std::size_t size = 512; size <= (1U << 20); size *= 2) {
      for (const char value : {'\0', '\xff'}) {
        const auto kind = *algorithm_named(algorithm);
        const std::string hex = base::to_hex(hash::digest_of(algorithm, std::string(size, value)));
        EXPECT_THAT(trivial_content(kind, raw_of(kind, hex)), HasSubstr(std::to_string(size) + " bytes of 0x"));
      }
    }
    const auto kind = *algorithm_named(algorithm);
    EXPECT_EQ(trivial_content(kind, raw_of(kind, base::to_hex(hash::digest_of(algorithm, std::string(513, '\0'))))),
              "");
  }
}

}  // namespace
}  // namespace exhibit::hashset
