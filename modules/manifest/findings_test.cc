#include "manifest/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "manifest/manifest.h"
#include "manifest/order.h"
#include "manifest/test_findings.h"
#include "support/test_support.h"

namespace exhibit::manifest {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using exhibit::test::run;
using exhibit::test::TemporaryDirectory;
using exhibit::test::write_file;

const std::string salt_key(32, 'k');

class Findings : public testing::Test {
 protected:
  FindingsReading read(const std::string& bytes, FindingsRequest request = {}) {
    write_file(folder_ / "E1.jsonl", bytes);
    auto reading = read_findings(folder_ / "E1.jsonl", request);
    EXPECT_TRUE(reading.ok());
    return reading.take();
  }
  // What is wrong with these lines: the first complaint, or nothing.
  std::string complaint(const Lines& lines) {
    const FindingsReading reading = read(bytes_of(lines));
    if (!reading.form.empty()) return reading.form.summary();
    return reading.order.summary();
  }

  TemporaryDirectory folder_;
};

// manifest.md in ten lines of another language.
constexpr const char* reference = R"(
import sys, hashlib, hmac, struct, json
lines = open(sys.argv[1], 'rb').read().split(b'\n')[:-1]
key = open(sys.argv[2], 'rb').read()
H = lambda b: hashlib.sha256(b).digest()
leaves = [H(b'\0' + hmac.new(key, b'exhibit-salt' + struct.pack('>Q', i), 'sha256').digest() + l) for i, l in enumerate(lines)]
def root(l):
    if not l: return H(b'')
    if len(l) == 1: return l[0]
    k = 1
    while k * 2 < len(l): k *= 2
    return H(b'\1' + root(l[:k]) + root(l[k:]))
kinds = [json.loads(l)['record'] for l in lines]
print(root(leaves).hex(), hashlib.sha256(open(sys.argv[1], 'rb').read()).hexdigest(), len(lines), kinds.count('item'),
      kinds.count('match'), kinds.count('problem'), H(key).hex(), end='')
)";

TEST_F(Findings, SummaryIsWhatAnIndependentProgramComputes) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, sample_findings().size()}) {
    Lines lines = sample_findings();
    lines.resize(size);
    const FindingsReading reading = read(bytes_of(lines), {.salt_key = salt_key});
    const FindingsSummary& summary = reading.summary;
    write_file(folder_ / "key", salt_key);
    const auto python = run({"python3", "-c", reference, folder_ / "E1.jsonl", folder_ / "key"});
    EXPECT_EQ(python.out, summary.trees.at("sha256") + " " + summary.digests.at("sha256") + " " +
                              std::to_string(summary.records) + " " + std::to_string(summary.counts.items) + " " +
                              std::to_string(summary.counts.matches) + " " + std::to_string(summary.counts.problems) +
                              " " + *summary.salt_commitment)
        << python.err;
    EXPECT_EQ(summary.bytes, bytes_of(lines).size());
  }
}

TEST_F(Findings, NationalTreesComeBesideTheFirst) {
  const auto reading =
      read(bytes_of(sample_findings()),
           {.digests = {"sha256", "belt256"}, .trees = {"sha256", "streebog256"}, .salt_key = salt_key});
  EXPECT_EQ(reading.summary.trees.size(), 2U);
  EXPECT_NE(reading.summary.trees.at("sha256"), reading.summary.trees.at("streebog256"));
  EXPECT_EQ(reading.summary.digests.count("belt256"), 1U);
  write_file(folder_ / "x", "");
  EXPECT_FALSE(read_findings(folder_ / "x", {.digests = {"no-such"}}).ok());
  EXPECT_FALSE(read_findings(folder_ / "x", {.salt_key = "short"}).ok());
  EXPECT_FALSE(read_findings(folder_ / "missing", {}).ok());
}

TEST_F(Findings, TheSampleIsInOrder) { EXPECT_EQ(complaint(sample_findings()), ""); }

TEST_F(Findings, AnEmptyFileClaimsNothing) { EXPECT_EQ(complaint({}), ""); }

TEST_F(Findings, LinesThatCrossReadingPiecesAreWhole) {
  Lines lines = sample_findings();
  base::Json long_problem = problem_record("E1", "read", std::string(3 << 20, 'x'));
  lines[16] = line_of(long_problem);
  EXPECT_EQ(complaint(lines), "");
}

TEST_F(Findings, FormIsCheckedToTheByte) {
  const std::string good = bytes_of(sample_findings());
  const auto form = [&](const std::string& bytes) { return read(bytes).form.count; };
  EXPECT_EQ(form(good), 0U);
  EXPECT_EQ(form(good.substr(0, good.size() - 1)), 1U) << "no line feed at the end";
  EXPECT_EQ(form(good + "\n"), 1U) << "an empty line";
  EXPECT_EQ(form(good + "{}"), 1U) << "half a line";
  std::string spaced = good;
  spaced.insert(spaced.find(':') + 1, " ");
  EXPECT_EQ(form(spaced), 1U);
  std::string dos = good;
  dos.insert(dos.find('\n'), "\r");
  EXPECT_EQ(form(dos), 1U);
  std::string broken = good;
  broken[0] = '[';
  EXPECT_EQ(form(broken), 1U);
}

// Every swap of neighbours, every loss and every doubling of a line breaks the order or the sums, but for the
// ones that this names.
TEST_F(Findings, AnySwapOfNeighboursIsNoticed) {
  const Lines good = sample_findings();
  for (std::size_t i = 0; i + 1 < good.size(); ++i) {
    Lines lines = good;
    std::swap(lines[i], lines[i + 1]);
    EXPECT_NE(complaint(lines), "") << "lines " << i + 1 << " and " << i + 2;
  }
}

TEST_F(Findings, LosingARecordThatOthersNeedIsNoticed) {
  const Lines good = sample_findings();
  for (const std::size_t i : {0, 1, 3, 4, 5, 15, 17}) {
    Lines lines = good;
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(complaint(lines), "") << "line " << i + 1;
  }
}

TEST_F(Findings, ASecondRecordOfTheSameThingIsNoticed) {
  const Lines good = sample_findings();
  for (const std::size_t i : {0, 1, 3, 4, 5, 11, 15, 17}) {
    Lines lines = good;
    lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(i), good[i]);
    EXPECT_NE(complaint(lines), "") << "line " << i + 1;
  }
}

TEST_F(Findings, WhatStandsInTheWrongPlaceIsNoticed) {
  const auto with = [&](std::size_t at, const base::Json& record) {
    Lines lines = sample_findings();
    lines[at] = line_of(record);
    return complaint(lines);
  };
  EXPECT_THAT(with(15, coverage_record("E1/p1", 3000, 585)), testing::HasSubstr("adds up to 3585 bytes of 3584"));
  EXPECT_THAT(with(17, coverage_record("E1", 3000, 1095)), testing::HasSubstr("4095 bytes of 4096"));
  base::Json beyond = coverage_record("E1", 1, 1);
  beyond["bytes"]["other"] = 4094;
  EXPECT_THAT(with(17, beyond), testing::HasSubstr("unknown class"));
  EXPECT_THAT(with(4, volume_record("E2/p1", "E1", 512, 3584)), testing::HasSubstr("isn't of E1"));
  EXPECT_THAT(with(4, volume_record("E1/p1", "E1/p9", 512, 3584)), testing::HasSubstr("parent E1/p9"));
  EXPECT_THAT(with(11, item_record("E1/gap0", "6")), testing::HasSubstr("stands in E1/p1"));
  EXPECT_THAT(with(13, problem_record("E1/p1/i6:/6", "walk", "x")), testing::HasSubstr("doesn't stand after it"));
  EXPECT_THAT(with(16, problem_record("E1/p1", "read", "x")), testing::HasSubstr("among those of E1"));
  EXPECT_EQ(with(16, problem_record("E1/p2", "open", "no volume there")), "");
  EXPECT_THAT(with(16, match_record("E1", "rule", 0)), testing::HasSubstr("outside any volume"));
  EXPECT_THAT(with(16, base::Json{{"record", "source"}}), testing::HasSubstr("no place"));
  EXPECT_THAT(with(16, base::Json{{"record", "fairy"}}), testing::HasSubstr("unknown kind"));
}

TEST_F(Findings, NestedVolumesAreOrderedLikeTheOthers) {
  const Lines lines = {line_of(evidence_record()),
                       line_of(volume_record("E1/p1/vss1", "E1/p1", 0, 3584)),
                       line_of(item_record("E1/p1/vss1", "1")),
                       line_of(coverage_record("E1/p1/vss1", 3584, 0)),
                       line_of(volume_record("E1/p1", "E1", 512, 3584)),
                       line_of(coverage_record("E1/p1", 3584, 0)),
                       line_of(coverage_record("E1", 3584, 512))};
  EXPECT_EQ(complaint(lines), "");
}

// By Python's hashlib, from the words of docs/disclosure.md.
constexpr const char* content_root_in_python = R"(
import hashlib, json, sys
sha = lambda b: hashlib.sha256(b).digest()
keys, without = set(), 0
for line in sys.stdin:
    item = json.loads(line)
    if item["record"] != "item": continue
    digest = item.get("digests", {}).get("sha256")
    if digest: keys.add(sha(b"exhibit-content" + bytes.fromhex(digest)))
    elif item["kind"] in ("file", "virtual") and item["size"] > 0: without += 1
def root(leaves):
    if len(leaves) < 2: return leaves[0] if leaves else sha(b"")
    k = 1
    while k * 2 < len(leaves): k *= 2
    return sha(b"\x01" + root(leaves[:k]) + root(leaves[k:]))
print(len(keys), without, root([sha(b"\x00" + k) for k in sorted(keys)]).hex())
)";

TEST_F(Findings, ContentTreeEqualsThatOfPython) {
  Lines items;
  for (int i = 0; i < 300; ++i) {
    base::Json item = item_record("E1/p1", std::to_string(1000 + i));
    item["digests"]["sha256"] = base::to_hex(hash::digest_of("sha256", std::to_string(i % 200)));  // some stand twice
    if (i % 7 == 0) item.erase("digests");                               // content, and no digest of it
    if (i % 14 == 0) item["kind"] = "directory";                         // no content
    if (i % 35 == 0) item["size"] = 0;                                   // no content either
    if (i % 11 == 0) item["digests"] = {{"md5", std::string(32, 'a')}};  // a digest, but not that one
    items.push_back(line_of(item));
  }
  Lines lines = {line_of(evidence_record()), line_of(volume_record("E1/p1", "E1", 512, 3584))};
  lines.insert(lines.end(), items.begin(), items.end());
  lines.push_back(line_of(coverage_record("E1/p1", 3584, 0)));
  lines.push_back(line_of(coverage_record("E1", 3584, 512)));
  for (const Lines& each : {lines, Lines{line_of(evidence_record()), line_of(coverage_record("E1", 4096, 0))}}) {
    write_file(folder_ / "E1.jsonl", bytes_of(each));
    FindingsRequest request{.salt_key = salt_key};
    const auto reading = read_sound_findings(folder_ / "E1.jsonl", request);
    ASSERT_TRUE(reading.ok()) << reading.error().message;
    const ContentSummary& content = *reading->summary.content;
    const auto python = run({"python3", "-c", content_root_in_python}, bytes_of(each));
    EXPECT_EQ(std::to_string(content.entries) + " " + std::to_string(content.without) + " " +
                  content.trees.at("sha256") + "\n",
              python.out)
        << python.err;
  }
}

// A writer that sorts by the keys makes what the checker accepts.
TEST_F(Findings, KeysSortAsTheCheckerWants) {
  std::vector<MatchKey> keys;
  for (const auto& [rule, offset] : {std::pair{"b", 1}, {"a", 10}, {"a", 9}, {"b", 0}}) {
    const base::Json record = match_record("E1/gap0", rule, static_cast<std::uint64_t>(offset));
    keys.push_back(match_key(record, line_of(record)));
  }
  std::sort(keys.begin(), keys.end());
  Lines lines = sample_findings();
  lines.erase(lines.begin() + 2);
  for (std::size_t i = 0; i < keys.size(); ++i)
    lines.insert(lines.begin() + 2 + static_cast<std::ptrdiff_t>(i), keys[i].line);
  EXPECT_EQ(complaint(lines), "");
  std::swap(lines[2], lines[3]);
  EXPECT_THAT(complaint(lines), testing::HasSubstr("aren't in order"));
}

TEST_F(Findings, SealingRefusesWhatIsNotSound) {
  Lines lines = sample_findings();
  std::swap(lines[5], lines[11]);
  write_file(folder_ / "E1.jsonl", bytes_of(lines));
  EXPECT_FALSE(read_sound_findings(folder_ / "E1.jsonl", {.salt_key = salt_key}).ok());
  write_file(folder_ / "E1.jsonl", bytes_of(sample_findings()));
  EXPECT_TRUE(read_sound_findings(folder_ / "E1.jsonl", {.salt_key = salt_key}).ok());
  EXPECT_FALSE(read_sound_findings(folder_ / "E1.jsonl", {}).ok());
}

Manifest sample_manifest() {
  Manifest manifest;
  manifest.case_fields = {{"number", "7"}, {"title", "t"}, {"authority", "a"}, {"profile", "int"}};
  manifest.tool = {{"name", "exhibit"}, {"version", "0.1.0"}};
  manifest.inputs = {{"hashset", "known", "1", 3, {{"sha256", std::string(64, '4')}}}};
  EvidenceClaim claim;
  claim.id = "E1";
  claim.size = 4096;
  claim.digests = {{"sha256", std::string(64, '1')}};
  claim.integrity = "match";
  claim.block_root = std::string(64, '3');
  claim.findings.digests = {{"sha256", std::string(64, '5')}};
  claim.findings.trees = {{"sha256", std::string(64, '6')}};
  claim.findings.salt_commitment = std::string(64, '7');
  claim.findings.content = ContentSummary{3, 2, {{"sha256", std::string(64, '8')}}};
  manifest.evidence = {claim};
  manifest.created = "2027-01-15T08:00:00Z";
  return manifest;
}

TEST(ManifestFile, ComesBackAsItWasWritten) {
  const auto bytes = write_manifest(sample_manifest());
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  EXPECT_NE(bytes->back(), '\n');
  const auto read = read_manifest(*bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*write_manifest(*read), *bytes);
  const auto jq = run({"python3", "-c",
                       "import json,sys; b=sys.stdin.buffer.read(); "
                       "sys.exit(json.dumps(json.loads(b),sort_keys=True,separators=(',',':')).encode()!=b)"},
                      *bytes);
  EXPECT_EQ(jq.status, 0);
}

TEST(ManifestFile, RefusesWhatTheFormatDoesNotHave) {
  const std::string good = *write_manifest(sample_manifest());
  const auto refusal = [&](const std::string& from, const std::string& to) {
    std::string bytes = good;
    const std::size_t at = bytes.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    bytes.replace(at, from.size(), to);
    const auto read = read_manifest(bytes);
    return read.ok() ? std::string("accepted") : read.error().message;
  };
  EXPECT_THAT(refusal("{\"case\"", "{ \"case\""), testing::HasSubstr("canonical"));
  EXPECT_THAT(refusal("\"}", "\"}\n"), testing::HasSubstr("canonical"));
  EXPECT_THAT(refusal("manifest/1", "manifest/2"), testing::HasSubstr("format"));
  EXPECT_THAT(refusal("666", "66A"), testing::HasSubstr("lower-case hex"));
  EXPECT_THAT(refusal("666", "66"), testing::HasSubstr("lower-case hex"));
  EXPECT_THAT(refusal("findings/E1", "findings/E2"), testing::HasSubstr("isn't findings/E1.jsonl"));
  EXPECT_THAT(refusal("\"id\":\"E1\"", "\"id\":\"../E1\""), testing::HasSubstr("can't be an exhibit's id"));
  EXPECT_THAT(refusal("\"items\":0", "\"items\":-1"), testing::HasSubstr("whole number"));
  EXPECT_THAT(refusal("\"match\"", "\"fine\""), testing::HasSubstr("doesn't have"));
  EXPECT_THAT(refusal("\"created\":\"2027-01-15T08:00:00Z\"", "\"created\":\"yesterday\""), testing::HasSubstr("time"));
  EXPECT_THAT(refusal("\"events\":0", "\"event\":0"), testing::HasSubstr("doesn't have"));
  EXPECT_THAT(refusal("\"format\"", "\"format\":1,\"format\""), testing::HasSubstr("twice"));
  EXPECT_THAT(refusal("\"without\":2", "\"without\":2,\"witout\":2"), testing::HasSubstr("doesn't have"));
  EXPECT_THAT(refusal("\"digest\":\"sha256\"", "\"digest\":\"sha1\""), testing::HasSubstr("not sha256"));
  EXPECT_THAT(refusal("\"trees\":{\"sha256\":\"888", "\"trees\":{\"belt256\":\"888"), testing::HasSubstr("sha256"));
  EXPECT_THAT(refusal("\"events\":0,\"head\":\"000", "\"events\":0,\"head\":\"100"), testing::HasSubstr("zeros"));
}

TEST(ManifestFile, MayComeFromAVersionBeforeTheContentTree) {
  Manifest manifest = sample_manifest();
  manifest.evidence.front().findings.content.reset();
  const auto bytes = write_manifest(manifest);
  ASSERT_TRUE(bytes.ok());
  EXPECT_THAT(*bytes, testing::Not(testing::HasSubstr("content")));
  EXPECT_FALSE(read_manifest(*bytes)->evidence.front().findings.content);
}

TEST(ManifestFile, RefusesNoExhibitAndTwoOfOneName) {
  Manifest manifest = sample_manifest();
  manifest.evidence.clear();
  EXPECT_FALSE(write_manifest(manifest).ok());
  manifest = sample_manifest();
  manifest.evidence.push_back(manifest.evidence.front());
  EXPECT_FALSE(write_manifest(manifest).ok());
}

}  // namespace
}  // namespace exhibit::manifest
