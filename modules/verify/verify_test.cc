// Longer than 500 lines because the tamperings are a table: one entry each.
#include "verify/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <sstream>

#include "custody/ledger.h"
#include "hash/multi_digest.h"
#include "manifest/seal.h"
#include "manifest/signer.h"
#include "manifest/test_findings.h"
#include "manifest/test_pki.h"

namespace exhibit::verify {
namespace {

namespace fs = std::filesystem;
using exhibit::test::read_file;
using exhibit::test::run;
using exhibit::test::TemporaryDirectory;
using exhibit::test::write_file;
using manifest::Trust;
using manifest::test::Lines;
using manifest::test::Pki;

std::int64_t clock_now() { return static_cast<std::int64_t>(std::time(nullptr)); }

std::string text_of(const Checks& checks) {
  std::string text;
  for (const Check& check : checks)
    text += check.name + " [" + check.subject + "] " + name_of(check.status) + ": " + check.detail + "\n";
  return text;
}

template <typename T>
T must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.error().message);
  return result.take();
}

// A sealed case of two exhibits, made once for each test program run and copied for each test.
class CaseMaker {
 public:
  static const CaseMaker& instance() {
    static const CaseMaker maker;
    return maker;
  }
  const Pki& pki() const { return pki_; }
  const fs::path& folder() const { return folder_.path(); }
  std::unique_ptr<manifest::Signer> signer(const std::string& name = "signer") const {
    return must(manifest::open_signer(pki_.key(name), {pki_.certificate(name)}));
  }
  static custody::Event event_of(const std::string& name) {
    custody::Event event;
    event.time = "2024-01-15T08:00:00Z";
    event.event = name;
    event.actor = {"Ann", "examiner", "Laboratory", "CN=signer"};
    event.place = "Minsk";
    event.evidence = {"E1", "E2"};
    event.detail = "as usual";
    return event;
  }
  // The manifest of what stands in `folder`.
  static manifest::Manifest describe(const fs::path& folder, const std::string& hashset) {
    manifest::Manifest out;
    out.case_fields = {{"number", "7"}, {"title", "t"}, {"authority", "a"}, {"profile", "int"}};
    out.tool = {{"name", "exhibit"}, {"version", "0.1.0"}};
    manifest::Input input{"hashset", "known.txt", "1", 1, {}};
    input.digests["sha256"] = base::to_hex(hash::digest_of("sha256", hashset));
    out.inputs = {input};
    for (const std::string id : {"E1", "E2"}) {
      manifest::FindingsRequest request;
      request.digests = {"sha256", "sha512", "streebog256"};
      request.trees = {"sha256", "belt256"};
      request.salt_key = read_file(folder / manifest::salts_file(id));
      const auto reading = must(manifest::read_sound_findings(folder / manifest::findings_file(id), request));
      const base::Json& evidence = *reading.evidence;
      out.evidence.push_back({id, evidence["size"], evidence["digests"].get<Digests>(), evidence["integrity"],
                              evidence["block_root"], reading.summary});
    }
    const auto head = must(custody::head_of(folder / custody::ledger_name));
    out.custody = {head.events, head.digest};
    out.created = "2027-01-15T08:00:00Z";
    return out;
  }

 private:
  CaseMaker() {
    for (const char* name : {"findings", "secret", "log"}) fs::create_directory(folder_ / name);
    for (const std::string id : {"E1", "E2"}) {
      write_file(folder_.path() / manifest::findings_file(id),
                 manifest::test::bytes_of(manifest::test::sample_findings(id)));
      write_file(folder_.path() / manifest::salts_file(id), std::string(32, 'k'));
    }
    for (const char* name : {"received", "acquired", "processed"})
      must(custody::append(folder_ / custody::ledger_name, event_of(name), *signer(), clock_now()));
    write_file(folder_ / "manifest.json", must(manifest::write_manifest(describe(folder_.path(), "hashes\n"))));
    must(manifest::add_signature(folder_ / "manifest.json", *signer(), clock_now(),
                                 {.names = {pki_.configuration().string()}}));
  }

  Pki pki_;
  TemporaryDirectory folder_;
};

// The words in which tests speak of a case.
class Case {
 public:
  Case() { fs::copy(CaseMaker::instance().folder(), path(), fs::copy_options::recursive); }
  fs::path path() const { return folder_ / "case"; }
  fs::path operator/(const std::string& name) const { return path() / name; }
  const Pki& pki() const { return CaseMaker::instance().pki(); }

  std::string read(const std::string& name) const { return read_file(path() / name); }
  void write(const std::string& name, const std::string& bytes) const {
    fs::permissions(path() / name, fs::perms::owner_write, fs::perm_options::add);
    write_file(path() / name, bytes);
  }
  void edit(const std::string& name, const std::string& from, const std::string& to) const {
    std::string bytes = read(name);
    const std::size_t at = bytes.find(from);
    if (at == std::string::npos) throw std::runtime_error(name + " has no " + from);
    write(name, bytes.replace(at, from.size(), to));
  }
  void edit_lines(const std::string& name, void (*change)(Lines&)) const {
    Lines lines;
    std::istringstream in(read(name));
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    change(lines);
    write(name, manifest::test::bytes_of(lines));
  }
  // Signs the manifest as it now stands, as somebody who has the key, or another key, would.
  void sign_again(const std::string& who = "signer") const {
    for (const char* extension : {"p7s", "tsr"}) fs::remove(path() / ("manifest.json.1." + std::string(extension)));
    must(manifest::add_signature(path() / "manifest.json", *CaseMaker::instance().signer(who), clock_now(),
                                 {.names = {pki().configuration().string()}}));
  }
  void edit_and_sign(const std::string& from, const std::string& to) const {
    edit("manifest.json", from, to);
    sign_again();
  }
  Checks verify(bool trusted = true, Request request = {}) const {
    if (request.target.empty()) request.target = path();
    if (trusted) request.trust = must(Trust::from_pem(pki().certificate("ca")));
    return must(verify_case(request)).checks;
  }

 private:
  TemporaryDirectory folder_;
};

std::vector<std::string> with_status(const Checks& checks, Status status) {
  std::vector<std::string> names;
  for (const Check& check : checks) {
    if (check.status == status) names.push_back(check.name);
  }
  return names;
}

TEST(Verify, AnHonestCaseIsVerifiedAndSaysWhatWasNotChecked) {
  const Case honest;
  const Checks checks = honest.verify();
  EXPECT_TRUE(verdict(checks).verified) << text_of(checks);
  EXPECT_THAT(with_status(checks, Status::not_checked),
              testing::UnorderedElementsAre("input", "media", "media", "revocation", "time-stamp revocation",
                                            "ledger: revocation", "required fields"))
      << text_of(checks);
}

TEST(Verify, WithoutTrustThePathsAreNotChecked) {
  const Checks checks = Case().verify(false);
  EXPECT_TRUE(verdict(checks).verified) << text_of(checks);
  EXPECT_THAT(with_status(checks, Status::not_checked),
              testing::IsSupersetOf({"certificate path", "time-stamp certificate path", "ledger: certificate path"}));
}

TEST(Verify, WithoutTheSaltKeyTheTreeIsNotChecked) {
  const Case honest;
  fs::remove_all(honest / "secret");
  const Checks checks = honest.verify();
  EXPECT_TRUE(verdict(checks).verified) << text_of(checks);
  EXPECT_THAT(with_status(checks, Status::not_checked), testing::IsSupersetOf({"tree", "salt commitment"}));
}

TEST(Verify, AnOlderManifestWithoutContentTreeIsVerifiedAndSaysSo) {
  const Case older;
  auto json = *base::parse_json(older.read("manifest.json"));
  for (auto& evidence : json["evidence"]) evidence["findings"].erase("content");
  older.write("manifest.json", base::canonical(json));
  older.sign_again();
  const Checks checks = older.verify();
  EXPECT_TRUE(verdict(checks).verified) << text_of(checks);
  EXPECT_THAT(with_status(checks, Status::not_checked), testing::Contains("content tree").Times(2));
}

TEST(Verify, AManifestAloneIsVerifiedAndTheRestIsNotHere) {
  const Case honest;
  for (const char* name : {"secret", "findings", "custody.jsonl"}) fs::remove_all(honest / name);
  Request request;
  request.target = honest / "manifest.json";
  const Checks checks = honest.verify(true, request);
  EXPECT_TRUE(verdict(checks).verified) << text_of(checks);
  EXPECT_THAT(with_status(checks, Status::not_checked), testing::IsSupersetOf({"findings file", "ledger"}));
  EXPECT_FALSE(verdict(honest.verify()).verified) << "of a case folder they must be there";
}

TEST(Verify, InputsAreComparedWhereTheyAreGiven) {
  const Case honest;
  const TemporaryDirectory folder;
  write_file(folder / "known.txt", "hashes\n");
  write_file(folder / "stranger.txt", "others\n");
  Request request;
  request.inputs = {folder / "known.txt"};
  EXPECT_TRUE(verdict(honest.verify(true, request)).verified);
  EXPECT_THAT(with_status(honest.verify(true, request), Status::not_checked), testing::Not(testing::Contains("input")));
  request.inputs = {folder / "stranger.txt"};
  EXPECT_THAT(with_status(honest.verify(true, request), Status::failed), testing::ElementsAre("input"));
  write_file(folder / "known.txt", "hashes of another year\n");
  request.inputs = {folder / "known.txt"};
  EXPECT_THAT(with_status(honest.verify(true, request), Status::failed), testing::ElementsAre("input"));
  request.inputs = {folder / "missing.txt"};
  EXPECT_FALSE(verdict(honest.verify(true, request)).verified);
}

TEST(Verify, TheManifestBeforeThisOneIsComparedWhereItIsGiven) {
  const Case honest;
  const TemporaryDirectory folder;
  write_file(folder / "old.json", honest.read("manifest.json"));
  write_file(folder / "other.json", "{}");
  manifest::Manifest next = CaseMaker::describe(honest.path(), "hashes\n");
  next.previous = base::to_hex(hash::digest_of("sha256", honest.read("manifest.json")));
  honest.write("manifest.json", must(manifest::write_manifest(next)));
  honest.sign_again();
  EXPECT_THAT(with_status(honest.verify(), Status::not_checked), testing::Contains("previous manifest"));
  Request request;
  request.previous = folder / "old.json";
  EXPECT_TRUE(verdict(honest.verify(true, request)).verified) << text_of(honest.verify(true, request));
  request.previous = folder / "other.json";
  EXPECT_FALSE(verdict(honest.verify(true, request)).verified);
}

TEST(Verify, ExhibitsThatTheCallerReadsAreItsBusiness) {
  const Case honest;
  Request request;
  request.evidence = {"E1"};
  EXPECT_EQ(
      testing::Matches(testing::Contains("media"))(with_status(honest.verify(true, request), Status::not_checked)),
      true)
      << "E2 is still unread";
  request.evidence = {"E1", "E2"};
  EXPECT_THAT(with_status(honest.verify(true, request), Status::not_checked), testing::Not(testing::Contains("media")));
  request.evidence = {"E9"};
  EXPECT_FALSE(verdict(honest.verify(true, request)).verified);
}

TEST(Verify, ATargetThatIsNotThereIsAnError) {
  Request request;
  request.target = "/no/such/case";
  EXPECT_FALSE(verify_case(request).ok());
  const TemporaryDirectory empty;
  request.target = empty.path();
  EXPECT_FALSE(verdict(must(verify_case(request)).checks).verified);
}

// Each is something that a person could do to a case. `failing`: a check that must notice it.
struct Tampering {
  const char* name;
  const char* failing;
  void (*act)(const Case&);
};
void PrintTo(const Tampering& tampering, std::ostream* out) { *out << tampering.name; }

constexpr const char* e1 = "findings/E1.jsonl";
constexpr const char* ledger = "custody.jsonl";

// Puts E1's claimed values of E2 into the manifest: `key` and its value.
void copy_from_e2(const Case& tampered, const std::string& key) {
  auto json = *base::parse_json(tampered.read("manifest.json"));
  json["evidence"][0]["findings"][key] = json["evidence"][1]["findings"][key];
  tampered.write("manifest.json", base::canonical(json));
  tampered.sign_again();
}

void change_manifest(const Case& tampered, void (*change)(base::Json&)) {
  auto json = *base::parse_json(tampered.read("manifest.json"));
  change(json);
  tampered.write("manifest.json", base::canonical(json));
  tampered.sign_again();
}

// As somebody with the key who changed the findings and claims what they now are, would.
void claim_anew(const Case& tampered) {
  manifest::FindingsRequest request;
  request.trees = {"sha256", "belt256"};
  request.salt_key = tampered.read("secret/E1.salts");
  const auto reading = must(manifest::read_findings(tampered / e1, request));
  auto json = *base::parse_json(tampered.read("manifest.json"));
  auto& claim = json["evidence"][0]["findings"];
  claim["records"] = reading.summary.records;
  claim["bytes"] = reading.summary.bytes;
  claim["digests"] = reading.summary.digests;
  claim["trees"] = reading.summary.trees;
  claim["counts"] = {{"items", reading.summary.counts.items},
                     {"matches", reading.summary.counts.matches},
                     {"problems", reading.summary.counts.problems}};
  tampered.write("manifest.json", base::canonical(json));
  tampered.sign_again();
}

const Tampering tamperings[] = {
    {"OneByteOfARecord", "findings digest", [](const Case& c) { c.edit(e1, "\"size\":5", "\"size\":6"); }},
    {"OneByteOfARecordNoticedByTheTree", "tree", [](const Case& c) { c.edit(e1, "\"size\":5", "\"size\":6"); }},
    {"TwoLinesSwapped", "canonical order",
     [](const Case& c) { c.edit_lines(e1, [](Lines& lines) { std::swap(lines[11], lines[12]); }); }},
    {"TwoLinesSwappedAndClaimedAnew", "canonical order",
     [](const Case& c) {
       c.edit_lines(e1, [](Lines& lines) { std::swap(lines[11], lines[12]); });
       claim_anew(c);
     }},
    {"ARecordDropped", "record count",
     [](const Case& c) { c.edit_lines(e1, [](Lines& lines) { lines.erase(lines.begin() + 12); }); }},
    {"TheLastRecordDropped", "canonical order",
     [](const Case& c) { c.edit_lines(e1, [](Lines& lines) { lines.pop_back(); }); }},
    {"ALineDuplicated", "record count",
     [](const Case& c) { c.edit_lines(e1, [](Lines& lines) { lines.insert(lines.begin() + 6, lines[6]); }); }},
    {"AnItemDuplicatedAndClaimedAnew", "canonical order",
     [](const Case& c) {
       c.edit_lines(e1, [](Lines& lines) { lines.insert(lines.begin() + 11, lines[11]); });
       claim_anew(c);
     }},
    {"SpacesInALineAndClaimedAnew", "canonical form",
     [](const Case& c) {
       c.edit(e1, ",\"record\"", ", \"record\"");
       claim_anew(c);
     }},
    {"AnEscapeForALetterAndClaimedAnew", "canonical form",
     [](const Case& c) {
       c.edit(e1, "\"record\"", "\"\\u0072ecord\"");
       claim_anew(c);
     }},
    {"BytesMissingFromTheCoverageAndClaimedAnew", "canonical order",
     [](const Case& c) {
       c.edit(e1, "\"gap\":1096", "\"gap\":1095");
       claim_anew(c);
     }},
    {"AnotherEvidenceRecordClaimedAnew", "evidence record",
     [](const Case& c) {
       c.edit(e1, "\"no-stored-digest\"", "\"match\"");
       claim_anew(c);
     }},
    {"TheLastLineFeedDropped", "findings size",
     [](const Case& c) {
       std::string bytes = c.read(e1);
       bytes.pop_back();
       c.write(e1, bytes);
     }},
    {"FindingsEmptied", "findings digest", [](const Case& c) { c.write(e1, ""); }},
    {"FindingsRemoved", "findings file", [](const Case& c) { fs::remove(c / e1); }},
    {"FindingsOfAnotherExhibit", "evidence record", [](const Case& c) { c.write(e1, c.read("findings/E2.jsonl")); }},
    {"FindingsReplacedByAPipe", "findings file",
     [](const Case& c) {
       fs::remove(c / e1);
       run({"mkfifo", c / e1});
     }},
    {"FindingsThatNobodyClaims", "not in the manifest", [](const Case& c) { write_file(c / "findings/E3.jsonl", ""); }},
    {"AForeignSaltKey", "salt commitment", [](const Case& c) { c.write("secret/E1.salts", std::string(32, 'x')); }},
    {"AForeignSaltKeyNoticedByTheTree", "tree",
     [](const Case& c) { c.write("secret/E1.salts", std::string(32, 'x')); }},
    {"ASaltKeyCutShort", "salt commitment", [](const Case& c) { c.write("secret/E1.salts", std::string(31, 'k')); }},
    {"TreeRootOfAnotherFindingsFile", "tree", [](const Case& c) { copy_from_e2(c, "trees"); }},
    {"DigestsOfAnotherFindingsFile", "findings digest", [](const Case& c) { copy_from_e2(c, "digests"); }},
    {"TheNationalTreeChanged", "tree",
     [](const Case& c) {
       change_manifest(
           c, [](base::Json& json) { json["evidence"][0]["findings"]["trees"]["belt256"] = std::string(64, '0'); });
     }},
    {"TheNationalDigestChanged", "findings digest",
     [](const Case& c) {
       change_manifest(c, [](base::Json& json) {
         json["evidence"][0]["findings"]["digests"]["streebog256"] = std::string(64, '0');
       });
     }},
    {"ACountOffByOne", "record count", [](const Case& c) { c.edit_and_sign("\"matches\":4", "\"matches\":3"); }},
    {"RecordsOffByOne", "record count", [](const Case& c) { c.edit_and_sign("\"records\":18", "\"records\":17"); }},
    {"BytesOffByOne", "findings size",
     [](const Case& c) {
       change_manifest(c, [](base::Json& json) {
         auto& bytes = json["evidence"][0]["findings"]["bytes"];
         bytes = bytes.get<std::uint64_t>() + 1;
       });
     }},
    {"AMediaDigestChanged", "evidence record",
     [](const Case& c) { c.edit_and_sign(std::string(32, '2'), std::string(32, '9')); }},
    {"ABlockRootChanged", "evidence record",
     [](const Case& c) { c.edit_and_sign(std::string(64, '3'), std::string(64, '9')); }},
    {"AnExhibitDroppedFromTheManifest", "not in the manifest",
     [](const Case& c) { change_manifest(c, [](base::Json& json) { json["evidence"].erase(1); }); }},
    {"ManifestEditedUnderItsSignature", "signature",
     [](const Case& c) { c.edit("manifest.json", "\"number\":\"7\"", "\"number\":\"8\""); }},
    {"ContentsOffByOne", "content tree",
     [](const Case& c) { c.edit_and_sign("\"entries\":1,\"t", "\"entries\":2,\"t"); }},
    {"ContentsWithoutADigestDenied", "content tree",
     [](const Case& c) {
       c.edit_lines(e1, [](Lines& lines) {
         const std::size_t at = lines[5].find("\"digests\"");
         lines[5].erase(at, lines[5].find("\"extents\"") - at);
       });
       claim_anew(c);
     }},
    {"ContentTreeOfOtherContents", "content tree",
     [](const Case& c) {
       change_manifest(c, [](base::Json& json) {
         json["evidence"][0]["findings"]["content"]["trees"]["sha256"] = std::string(64, '9');
       });
     }},
    {"ContentTreeOfOtherContentsByAnotherAlgorithm", "content tree",
     [](const Case& c) {
       change_manifest(c, [](base::Json& json) {
         json["evidence"][1]["findings"]["content"]["trees"]["belt256"] = std::string(64, '9');
       });
     }},
    {"ManifestWithSpaces", "manifest", [](const Case& c) { c.edit_and_sign(",\"created\"", ", \"created\""); }},
    {"ManifestWithALineFeed", "signature",
     [](const Case& c) { c.write("manifest.json", c.read("manifest.json") + "\n"); }},
    {"ManifestPrettyPrintedAndSigned", "manifest",
     [](const Case& c) {
       c.write("manifest.json", base::parse_json(c.read("manifest.json"))->dump(2));
       c.sign_again();
     }},
    {"ADigestInUpperCase", "manifest",
     [](const Case& c) {
       change_manifest(c, [](base::Json& json) {
         auto& digest = json["evidence"][0]["findings"]["digests"]["sha256"];
         std::string text = digest;
         for (char& letter : text) letter = static_cast<char>(std::toupper(letter));
         digest = text;
       });
     }},
    {"ManifestRemoved", "manifest", [](const Case& c) { fs::remove(c / "manifest.json"); }},
    {"ManifestEmptied", "manifest", [](const Case& c) { c.write("manifest.json", ""); }},
    {"NoSignature", "signature",
     [](const Case& c) {
       fs::remove(c / "manifest.json.1.p7s");
       fs::remove(c / "manifest.json.1.tsr");
     }},
    {"SignatureRemovedButNotItsTimeStamp", "signature files",
     [](const Case& c) { fs::remove(c / "manifest.json.1.p7s"); }},
    {"TheFirstOfTwoSignaturesRemoved", "signature files",
     [](const Case& c) {
       must(manifest::add_signature(c / "manifest.json", *CaseMaker::instance().signer(), clock_now(), {}));
       fs::remove(c / "manifest.json.1.p7s");
       fs::remove(c / "manifest.json.1.tsr");
     }},
    {"OneOfTwoSignaturesBroken", "signature",
     [](const Case& c) {
       write_file(c / "other", "other");
       const auto made = must(manifest::add_signature(c / "other", *CaseMaker::instance().signer(), clock_now(), {}));
       fs::rename(made.signature, c / "manifest.json.2.p7s");
     }},
    {"SignatureOverAnotherFile", "signature",
     [](const Case& c) {
       write_file(c / "other", "other");
       const auto made = must(manifest::add_signature(c / "other", *CaseMaker::instance().signer(), clock_now(), {}));
       fs::remove(c / "manifest.json.1.tsr");
       fs::rename(made.signature, c / "manifest.json.1.p7s");
     }},
    {"SignatureOfAStranger", "certificate path",
     [](const Case& c) {
       Pki stranger;
       const auto eve = must(manifest::open_signer(stranger.key("signer"), {stranger.certificate("signer")}));
       for (const char* name : {"manifest.json.1.p7s", "manifest.json.1.tsr"}) fs::remove(c / name);
       must(manifest::add_signature(c / "manifest.json", *eve, clock_now(), {}));
     }},
    {"SignatureByAnExpiredCertificate", "certificate path",
     [](const Case& c) {
       Pki& pki = const_cast<Pki&>(c.pki());
       pki.issue("old", "signer_ext", "P-256", "20200101000000Z", "20210101000000Z");
       fs::remove(c / "manifest.json.1.tsr");
       Pki::openssl({"cms", "-sign", "-binary", "-cades", "-in", c / "manifest.json", "-outform", "DER", "-signer",
                     pki.certificate("old"), "-inkey", pki.key("old"), "-out", c / "manifest.json.1.p7s"});
     }},
    {"TimeStampOfAnotherSignature", "time-stamp",
     [](const Case& c) {
       const auto second = must(manifest::add_signature(c / "manifest.json", *CaseMaker::instance().signer(),
                                                        clock_now(), {.names = {c.pki().configuration().string()}}));
       fs::copy_file(*second.timestamp, c / "manifest.json.1.tsr", fs::copy_options::overwrite_existing);
     }},
    {"TimeStampBroken", "time-stamp",
     [](const Case& c) {
       std::string tsr = c.read("manifest.json.1.tsr");
       tsr[tsr.size() / 2] = static_cast<char>(tsr[tsr.size() / 2] ^ 1);
       c.write("manifest.json.1.tsr", tsr);
     }},
    {"LedgerLineEdited", "ledger signature", [](const Case& c) { c.edit(ledger, "Minsk", "Pinsk"); }},
    {"LedgerLineEditedBreaksTheChain", "ledger chain", [](const Case& c) { c.edit(ledger, "Minsk", "Pinsk"); }},
    {"LedgerTruncated", "ledger head",
     [](const Case& c) { c.edit_lines(ledger, [](Lines& lines) { lines.pop_back(); }); }},
    {"LedgerReordered", "ledger chain",
     [](const Case& c) { c.edit_lines(ledger, [](Lines& lines) { std::swap(lines[0], lines[1]); }); }},
    {"LedgerForked", "ledger head",
     [](const Case& c) {
       c.edit_lines(ledger, [](Lines& lines) { lines.pop_back(); });
       must(custody::append(c / ledger, CaseMaker::event_of("reviewed"), *CaseMaker::instance().signer(), clock_now()));
     }},
    {"LedgerCutInALine", "ledger form",
     [](const Case& c) {
       std::string bytes = c.read(ledger);
       c.write(ledger, bytes.substr(0, bytes.size() - 50));
     }},
    {"LedgerRemoved", "ledger", [](const Case& c) { fs::remove(c / ledger); }},
    {"LedgerHeadOfAnotherEvent", "ledger head", [](const Case& c) { c.edit_and_sign("\"events\":3", "\"events\":2"); }},
};

class Tamperings : public testing::TestWithParam<Tampering> {};

TEST_P(Tamperings, IsNotVerified) {
  const Case tampered;
  ASSERT_TRUE(verdict(tampered.verify()).verified) << text_of(tampered.verify());
  GetParam().act(tampered);
  const Checks checks = tampered.verify();
  EXPECT_FALSE(verdict(checks).verified);
  EXPECT_THAT(with_status(checks, Status::failed), testing::Contains(GetParam().failing)) << text_of(checks);
}

INSTANTIATE_TEST_SUITE_P(All, Tamperings, testing::ValuesIn(tamperings),
                         [](const auto& tampering) { return tampering.param.name; });

}  // namespace
}  // namespace exhibit::verify
