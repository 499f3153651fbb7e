#include "engine/findings_sorter.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <set>
#include <tuple>

#include "manifest/order.h"
#include "manifest/test_findings.h"
#include "sandbox/sanitizer.h"
#include "support/test_support.h"

namespace exhibit::engine {
namespace {

using base::Json;
using manifest::test::Lines;
using Part = FindingsSorter::Part;

// By (offset, id): nested volumes, and an id that begins like another.
const std::vector<std::pair<std::uint64_t, std::string>> volumes = {
    {0, "E1/gap0"}, {512, "E1/p1"}, {512, "E1/p1/v0"}, {1024, "E1/p10"}, {2048, "E1/p2"}};
constexpr std::uint64_t volume_size = 512, evidence_size = 4096;

const std::vector<std::string> names = {"a",
                                        "a\x01",
                                        std::string("a\0", 2),
                                        std::string("a\0b", 3),
                                        "a/b",
                                        "a b",
                                        "é",
                                        "\x7F",
                                        "a:b",
                                        "😀",
                                        "p1",
                                        "v0/i1:/x",
                                        "\n",
                                        ""};

Result<void> add(FindingsSorter& sorter, const Json& record) {
  const std::string text = base::canonical(record);
  base::RecordLine line;
  EXHIBIT_TRY(line.read_any(text));
  return sorter.add(line);
}

class Records {
 public:
  explicit Records(unsigned seed) : random_(seed) {}

  std::vector<Json> make(std::size_t count) {
    std::vector<Json> records;
    for (std::size_t i = 0; i < count; ++i) {
      records.push_back(one());
      if (pick(8) == 0) records.push_back(records[pick(records.size())]);  // told twice
    }
    // A match names an item or a volume; only a problem may name what isn't there.
    std::set<std::string> ids;
    for (const Json& record : records) ids.insert(record.value("id", ""));
    for (const auto& [offset, id] : volumes) ids.insert(id);
    std::erase_if(records, [&](const Json& record) {
      return record.at("record") == "match" && !ids.contains(record.at("item").get<std::string>());
    });
    std::shuffle(records.begin(), records.end(), random_);
    return records;
  }

 private:
  std::size_t pick(std::size_t below) { return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_); }
  std::string in_volume() {
    return volumes[pick(volumes.size())].second + "/i" + std::to_string(pick(200)) + ":/" + names[pick(names.size())];
  }
  Json one() {
    const std::string owner = in_volume(), volume = volumes[pick(volumes.size())].second;
    switch (pick(6)) {
      case 0:
      case 1: {
        Json item = manifest::test::item_record(owner.substr(0, owner.find("/i")), "x");
        item["id"] = owner;
        return item;
      }
      case 2:
        return manifest::test::match_record(pick(8) == 0 ? volume : owner, names[pick(names.size())], pick(300) * 1000);
      case 3:
        return manifest::test::problem_record(pick(2) == 0 ? volume : "E1", "walk", names[pick(names.size())]);
      case 4:
        return manifest::test::problem_record("E1/nowhere/" + names[pick(names.size())], "open", "lost");
      default:
        return manifest::test::problem_record(owner, names[pick(names.size())], names[pick(names.size())]);
    }
  }
  std::mt19937 random_;
};

// The whole findings file around the records, by `part`.
Lines around(const std::function<void(const std::string& id, Part part, Lines& lines)>& part) {
  Json evidence = manifest::test::evidence_record();
  evidence["size"] = evidence_size;
  Lines lines = {base::canonical(evidence)};
  for (const auto& [offset, id] : volumes) {
    lines.push_back(base::canonical(manifest::test::volume_record(id, "E1", offset, volume_size)));
    part(id, Part::items, lines);
    part(id, Part::own, lines);
    lines.push_back(base::canonical(manifest::test::coverage_record(id, volume_size, 0)));
  }
  part("E1", Part::own, lines);
  lines.push_back(base::canonical(manifest::test::coverage_record("E1", evidence_size, 0)));
  return lines;
}

std::unique_ptr<FindingsSorter> sorter_in(const std::filesystem::path& folder, std::uint64_t memory_bytes) {
  auto sorter = FindingsSorter::create(folder, "E1", memory_bytes).take();
  for (const auto& [offset, id] : volumes) sorter->add_volume(id);
  return sorter;
}

Lines sorted_by(FindingsSorter& sorter) {
  return around([&](const std::string& id, Part part, Lines& lines) {
    const auto written = sorter.for_each(id, part, [&](std::string_view line) -> Result<void> {
      lines.emplace_back(line);
      return {};
    });
    ASSERT_TRUE(written.ok()) << written.error().message;
  });
}

// The same by std::sort over all of them, with the keys of manifest/order.h.
Lines sorted_in_memory(const std::vector<Json>& records) {
  struct Place {
    std::string owner;
    int rank;
    manifest::MatchKey match;
    manifest::ProblemKey problem;
    std::string line;
    auto operator<=>(const Place&) const = default;
  };
  std::set<std::string> items;
  for (const Json& record : records) items.insert(record.value("id", ""));
  std::map<std::pair<std::string, Part>, std::set<Place>> parts;
  for (const Json& record : records) {
    const std::string line = base::canonical(record), kind = record.at("record");
    Place place = {record.at(kind == "item" ? "id" : kind == "match" ? "item" : "where"), 0, {}, {}, line};
    std::string volume = "E1";
    for (const auto& [offset, id] : volumes) {
      if ((place.owner + "/").starts_with(id + "/") && id.size() > volume.size()) volume = id;
    }
    const Part part = items.contains(place.owner) ? Part::items : Part::own;
    if (part == Part::own) place.owner.clear();
    if (kind == "match") place.rank = 1, place.match = manifest::match_key(record, line);
    if (kind == "problem") place.rank = 2, place.problem = manifest::problem_key(record, line);
    parts[{volume, part}].insert(place);
  }
  return around([&](const std::string& id, Part part, Lines& lines) {
    for (const Place& place : parts[{id, part}]) lines.push_back(place.line);
  });
}

TEST(FindingsSorter, SortsAsMemoryWouldHoweverLittleItHas) {
  const test::TemporaryDirectory folder;
  const std::vector<Json> records = Records(5).make(6000);
  const Lines expected = sorted_in_memory(records);
  // From none at all, a run for each record and three levels of them, to enough for everything.
  for (const std::uint64_t memory :
       {std::uint64_t{0}, std::uint64_t{1} << 15, std::uint64_t{1} << 19, UINT64_C(1) << 26}) {
    auto sorter = sorter_in(folder.path(), memory);
    for (const Json& record : records) ASSERT_TRUE(add(*sorter, record).ok());
    const Lines lines = sorted_by(*sorter);
    EXPECT_TRUE(lines == expected) << memory;
    EXPECT_TRUE(sorted_by(*sorter) == expected) << "the second time, with " << memory;
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << "nothing to be left by a crash";
  }
}

TEST(FindingsSorter, GivesTheOrderThatIsChecked) {
  const test::TemporaryDirectory folder;
  auto sorter = sorter_in(folder.path(), 1 << 14);
  for (const Json& record : Records(6).make(3000)) {
    ASSERT_TRUE(add(*sorter, record).ok());
  }
  manifest::OrderChecker checker;
  for (const std::string& line : sorted_by(*sorter)) {
    const auto complaint = checker.next(*base::parse_json(line), line);
    ASSERT_FALSE(complaint.has_value()) << *complaint;
  }
  EXPECT_EQ(checker.finish(), std::nullopt);
}

TEST(FindingsSorter, CountsWhatItGivesAndFindsTheOwnWithoutTheItemsAskedFor) {
  const test::TemporaryDirectory folder;
  auto sorter = sorter_in(folder.path(), 1 << 20);
  const std::string item = "E1/p1/ix:/x";
  for (const Json& record :
       {manifest::test::problem_record("E1/p1/i7:/gone", "walk", "no item"), manifest::test::item_record("E1/p1", "x"),
        manifest::test::match_record(item, "r", 1), manifest::test::match_record(item, "r", 1),
        manifest::test::match_record(item, "r", 2), manifest::test::problem_record(item, "hash", "b")}) {
    ASSERT_TRUE(add(*sorter, record).ok());
  }
  const auto count = [&](const std::string& id, Part part) {
    const auto written = sorter->for_each(id, part, [](std::string_view) { return Result<void>(); }).take();
    return std::tuple(written.items, written.matches, written.problems);
  };
  EXPECT_EQ(count("E1/p1", Part::own), std::tuple(0U, 0U, 1U));
  EXPECT_EQ(count("E1/p1", Part::items), std::tuple(1U, 2U, 1U));
  EXPECT_EQ(count("E1/p1", Part::own), std::tuple(0U, 0U, 1U));
  EXPECT_EQ(count("E1/p10", Part::items), std::tuple(0U, 0U, 0U));
}

TEST(FindingsSorter, RefusesAnItemOfNoVolumeAndPassesOnWhatTheCallerSays) {
  const test::TemporaryDirectory folder;
  auto sorter = sorter_in(folder.path(), 0);
  const Json stray = manifest::test::item_record("E1/p3", "x"), item = manifest::test::item_record("E1/p2", "x");
  EXPECT_FALSE(add(*sorter, stray).ok());
  ASSERT_TRUE(add(*sorter, item).ok());
  const auto stopped = sorter->for_each("E1/p2", Part::items, [](std::string_view) {
    return Result<void>(Error{ErrorCode::timeout, "enough", {}, {}});
  });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().message, "enough");
}

// Records as they come from a large image; `call` gets the record and its line.
Result<void> many_items(std::size_t count, FindingsSorter& sorter) {
  Json item = manifest::test::item_record("E1/p2", "x");
  for (std::size_t i = 0; i < count; ++i) {
    item["id"] = "E1/p2/i" + std::to_string(i * 7919 % count) + ":/a/folder/of/some/depth/with/a/file";
    EXHIBIT_TRY(add(sorter, item));
  }
  return {};
}

TEST(FindingsSorter, AFullDiskInterrupts) {
  const test::TemporaryDirectory folder;
  const auto fill = [&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1 << 18, 1 << 18};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto sorter = sorter_in(folder.path(), 1 << 16);
    const auto filled = many_items(100000, *sorter);
    _exit(!filled.ok() && filled.error().code == ErrorCode::interrupted ? 0 : 1);
  };
  EXPECT_EXIT(fill(), testing::ExitedWithCode(0), "");
}

TEST(FindingsSorter, MemoryDoesNotGrowWithTheRecords) {
  if (sandbox::address_sanitizer) GTEST_SKIP() << "AddressSanitizer keeps what is freed";
  const test::TemporaryDirectory folder;
  constexpr std::size_t count = 300000;  // 100 MB
  const auto grow = [&] {
    const auto peak_kib = [] {
      rusage usage{};
      getrusage(RUSAGE_SELF, &usage);
      return usage.ru_maxrss;
    };
    const long before = peak_kib();
    auto sorter = sorter_in(folder.path(), 1 << 20);
    if (!many_items(count, *sorter).ok()) _exit(1);
    const auto written = sorter->for_each("E1/p2", Part::items, [](std::string_view) { return Result<void>(); });
    if (!written.ok() || written->items != count) _exit(2);
    std::fprintf(stderr, "grew by %ld KiB\n", peak_kib() - before);
    _exit(peak_kib() - before < 4096 ? 0 : 3);
  };
  EXPECT_EXIT(grow(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace exhibit::engine
