#include "manifest/disclosure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "hash/multi_digest.h"
#include "manifest/make_disclosure.h"
#include "manifest/test_findings.h"
#include "support/test_support.h"

namespace exhibit::manifest {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using exhibit::test::TemporaryDirectory;
using exhibit::test::write_file;

const std::string item_id = "E1/p1/i5:/5";
const std::string content(64, 'a');  // of all items of sample_findings, in hex

std::string raw(const std::string& hex) { return base::from_hex(hex).take(); }

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return result.take();
}

// A case folder with trees by two algorithms. Its signature is nobody's: that is for `verify` to see, not for these.
class Disclosing : public testing::Test {
 protected:
  Disclosing() { seal(sample_findings()); }

  void seal(const Lines& lines) {
    for (const char* name : {"findings", "secret"}) std::filesystem::create_directory(folder_ / name);
    write_file(folder_ / "findings/E1.jsonl", bytes_of(lines));
    write_file(folder_ / "secret/E1.salts", std::string(32, 'k'));
    write_file(folder_ / "manifest.json.1.p7s", "nobody's");
    const FindingsRequest request{
        .trees = {"sha256", "belt256"}, .salt_key = std::string(32, 'k'), .scratch = folder_.path()};
    const auto reading = must(read_sound_findings(folder_ / "findings/E1.jsonl", request));
    manifest_.case_fields = {{"number", "7"}};
    manifest_.tool = {{"name", "exhibit"}, {"version", "0.1.0"}};
    manifest_.evidence = {
        {"E1", 4096, {{"sha256", std::string(64, '1')}}, "match", std::string(64, '3'), reading.summary}};
    manifest_.created = "2027-01-15T08:00:00Z";
    put_manifest();
  }
  void put_manifest() { write_file(folder_ / "manifest.json", must(write_manifest(manifest_))); }

  Result<MadeDisclosure> make(DisclosureRequest request) {
    request.folder = request.scratch = folder_.path();
    return make_disclosure(request);
  }
  Checks check(const Disclosure& disclosure) {
    Checks checks;
    check_disclosure(disclosure, manifest_, checks);
    return checks;
  }
  static std::vector<std::string> with_status(const Checks& checks, Status status) {
    std::vector<std::string> found;
    for (const Check& each : checks) {
      if (each.status == status) found.push_back(each.name + " " + each.subject + ": " + each.detail);
    }
    return found;
  }
  std::vector<std::string> failures(const Disclosure& disclosure) {
    return with_status(check(disclosure), Status::failed);
  }

  TemporaryDirectory folder_;
  Manifest manifest_;
};

TEST_F(Disclosing, AnItemComesWithItsMatchesAndProblems) {
  const auto made = must(make({.items = {item_id}}));
  const Lines lines = sample_findings();
  ASSERT_EQ(made.disclosure.items.size(), 1U);
  const DisclosedItem& item = made.disclosure.items[0];
  ASSERT_EQ(item.records.size(), 6U);
  for (std::size_t i = 0; i < item.records.size(); ++i) {
    EXPECT_EQ(item.records[i].index, 5 + i);
    EXPECT_EQ(item.records[i].salted.line, lines[5 + i]);
    EXPECT_EQ(item.records[i].paths.size(), 2U);
  }
  const Checks checks = check(made.disclosure);
  EXPECT_THAT(with_status(checks, Status::ok),
              testing::ElementsAre("disclosed item E1/p1/i5:/5: in the tree of E1 from record 5 on: 1 item, 3 matches "
                                   "(leads for a person, never findings of fact), 2 problems"));
  EXPECT_THAT(with_status(checks, Status::not_checked), testing::ElementsAre(testing::HasSubstr("further matches")));
}

TEST_F(Disclosing, AFileComesBackAsItWasWritten) {
  const auto made = must(make({.items = {item_id}, .volumes = {"E1/p1"}, .absent = {raw(std::string(64, 'b'))}}));
  EXPECT_TRUE(is_disclosure(made.bytes));
  EXPECT_FALSE(is_disclosure(must(write_manifest(manifest_))));
  EXPECT_EQ(write_disclosure(must(read_disclosure(made.bytes))), made.bytes);
  EXPECT_EQ(made.disclosure.signatures.front().cms, "nobody's");
}

TEST_F(Disclosing, AVolumeComesWhole) {
  for (const auto& [id, first, count] : {std::tuple{"E1/gap0", 1U, 3U}, {"E1/p1", 4U, 12U}}) {
    const auto made = must(make({.volumes = {id}}));
    const DisclosedVolume& volume = made.disclosure.volumes.at(0);
    EXPECT_EQ(volume.first, first);
    EXPECT_EQ(volume.records.size(), count);
    EXPECT_THAT(failures(made.disclosure), testing::IsEmpty());
  }
}

// The sample's items all have one content.
TEST_F(Disclosing, AbsenceBesideTheOnlyContent) {
  std::set<bool> has_low;
  for (const char digit : std::string("0123456789bcdef")) {
    const auto made = must(make({.absent = {raw(std::string(64, digit))}}));
    const Absence& absence = made.disclosure.absent.at(0);
    EXPECT_NE(absence.low.has_value(), absence.high.has_value());
    EXPECT_THAT(failures(made.disclosure), testing::IsEmpty());
    has_low.insert(absence.low.has_value());
  }
  EXPECT_EQ(has_low.size(), 2U);
  const auto made = must(make({.absent = {raw(content)}}));
  EXPECT_THAT(made.present, testing::ElementsAre("sha256:" + content + " is in the findings of E1"));
  EXPECT_EQ(made.bytes, "");
}

TEST_F(Disclosing, AbsenceWhereNothingHasADigest) {
  Lines lines = sample_findings();
  for (std::string& line : lines) {
    auto record = *base::parse_json(line);
    if (record["record"] == "item") record.erase("digests");
    line = line_of(record);
  }
  seal(lines);
  const auto made = must(make({.absent = {raw(content)}}));
  EXPECT_FALSE(made.disclosure.absent.at(0).low || made.disclosure.absent.at(0).high);
  const Checks checks = check(made.disclosure);
  EXPECT_THAT(with_status(checks, Status::ok), testing::SizeIs(1));
  EXPECT_THAT(with_status(checks, Status::not_checked),
              testing::ElementsAre(testing::HasSubstr("3 items have content")));
}

// Changing any byte of what is disclosed makes a file that isn't read, or of which a check fails.
TEST_F(Disclosing, NoByteMayChange) {
  const auto made = must(make({.items = {item_id}, .volumes = {"E1/gap0"}, .absent = {raw(std::string(64, 'b'))}}));
  const std::size_t manifest_at = made.bytes.find(",\"manifest\":"), volumes_at = made.bytes.find(",\"volumes\":");
  const std::size_t digest_at = made.bytes.find("sha256:") + 7;
  ASSERT_LT(manifest_at, volumes_at);
  std::size_t tried = 0;
  for (std::size_t i = 0; i < made.bytes.size(); ++i) {
    if (i > manifest_at && i < volumes_at) continue;  // the signatures' and the manifest's own checks see those
    if (i >= digest_at && i < digest_at + content.size())
      continue;  // others between the same neighbours are absent too
    for (const char bit : {char{1}, char{0x20}}) {
      std::string bytes = made.bytes;
      bytes[i] = static_cast<char>(bytes[i] ^ bit);
      const auto read = read_disclosure(bytes);
      ASSERT_TRUE(!read.ok() || !failures(*read).empty())
          << "byte " << i << ": " << bytes.substr(i > 40 ? i - 40 : 0, 80);
      ++tried;
    }
  }
  EXPECT_GT(tried, 5000U);
}

TEST_F(Disclosing, EachTreeMustHold) {
  const auto made = must(make({.items = {item_id}, .volumes = {"E1/p1"}, .absent = {raw(std::string(64, 'b'))}}));
  for (const char* algorithm : {"sha256", "belt256"}) {
    Disclosure bent = made.disclosure;
    bent.items[0].records[3].paths[algorithm][1][7] ^= 1;
    bent.volumes[0].proofs[algorithm][0][7] ^= 1;
    EXPECT_THAT(failures(bent), testing::UnorderedElementsAre(testing::HasSubstr(std::string("to the ") + algorithm),
                                                              testing::HasSubstr(std::string("to the ") + algorithm)));
    Disclosure missing = made.disclosure;
    missing.items[0].records[3].paths.erase(algorithm);
    missing.volumes[0].proofs.erase(algorithm);
    auto& absence = missing.absent[0];
    (absence.low ? absence.low : absence.high)->paths.erase(algorithm);
    EXPECT_THAT(failures(missing), testing::SizeIs(3));
  }
}

TEST_F(Disclosing, ATreeByAnAlgorithmThatIsNotKnownIsNotChecked) {
  auto made = must(make({.items = {item_id}}));
  manifest_.evidence[0].findings.trees["sha9"] = "0123";
  EXPECT_THAT(failures(made.disclosure), testing::ElementsAre(testing::HasSubstr("no path by sha9")));
  for (DisclosedRecord& record : made.disclosure.items[0].records) record.paths["sha9"];
  const Checks checks = check(made.disclosure);
  EXPECT_THAT(with_status(checks, Status::failed), testing::IsEmpty());
  EXPECT_THAT(with_status(checks, Status::not_checked),
              testing::Contains(testing::HasSubstr("no implementation of sha9")));
}

TEST_F(Disclosing, NumbersThatPassTheTreeCostNothing) {
  const auto made = must(make({.items = {item_id}, .volumes = {"E1/gap0"}, .absent = {raw(std::string(64, 'b'))}}));
  for (const std::uint64_t number : {std::uint64_t{18}, std::uint64_t{1} << 53, UINT64_MAX}) {
    Disclosure far = made.disclosure;
    for (std::size_t i = 0; i < far.items[0].records.size(); ++i) far.items[0].records[i].index = number + i;
    far.volumes[0].first = number;
    auto& absence = far.absent[0];
    (absence.low ? absence.low : absence.high)->index = number;
    EXPECT_THAT(failures(far), testing::SizeIs(3));
  }
}

TEST_F(Disclosing, RefusesWhatItCannotProve) {
  const auto refusal = [&](DisclosureRequest request) {
    const auto made = make(std::move(request));
    return made.ok() ? std::string("made") : made.error().message;
  };
  EXPECT_THAT(refusal({.items = {"E1/p1/i9:/9"}}), testing::HasSubstr("no item E1/p1/i9:/9"));
  EXPECT_THAT(refusal({.items = {"E1/p1/i8:/folder"}}), testing::HasSubstr("no item")) << "a problem alone is no item";
  EXPECT_THAT(refusal({.volumes = {"E1/p2"}}), testing::HasSubstr("no volume E1/p2"));
  EXPECT_THAT(refusal({.items = {"E2/p1/i5:/5"}}), testing::HasSubstr("no exhibit E2"));
  EXPECT_THAT(refusal({.absent = {raw(content)}, .evidence = {"E2"}}), testing::HasSubstr("no exhibit E2"));
  Manifest sealed = manifest_;
  manifest_.evidence[0].findings.trees["belt256"] = std::string(64, '0');
  put_manifest();
  EXPECT_THAT(refusal({.items = {item_id}}), testing::HasSubstr("aren't those that were sealed"));
  manifest_ = sealed;
  manifest_.evidence[0].findings.content->trees["belt256"] = std::string(64, '0');
  put_manifest();
  EXPECT_THAT(refusal({.absent = {raw(std::string(64, 'b'))}}), testing::HasSubstr("aren't those that were sealed"));
  manifest_.evidence[0].findings.content.reset();
  put_manifest();
  EXPECT_THAT(refusal({.absent = {raw(std::string(64, 'b'))}}), testing::HasSubstr("no content tree"));
}

}  // namespace
}  // namespace exhibit::manifest
