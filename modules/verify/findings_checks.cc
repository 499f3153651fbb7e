#include "verify/findings_checks.h"

#include <algorithm>
#include <set>
#include <system_error>

#include "hash/multi_digest.h"
#include "manifest/file.h"
#include "manifest/findings.h"
#include "verify/compare.h"

namespace exhibit::verify {
namespace fs = std::filesystem;
namespace {

using manifest::CheckList;
using manifest::Checks;
using manifest::EvidenceClaim;
using manifest::FindingsReading;
using manifest::FindingsRequest;
using manifest::FindingsSummary;
using manifest::Status;

bool is_known(const std::string& algorithm) {
  const auto known = hash::algorithms();
  return std::find(known.begin(), known.end(), algorithm) != known.end();
}

std::vector<std::string> known_of(const Digests& digests) {
  std::vector<std::string> names;
  for (const auto& [algorithm, unused] : digests) {
    if (is_known(algorithm)) names.push_back(algorithm);
  }
  return names;
}

void compare_number(const std::string& name, const std::string& what, std::uint64_t claimed, std::uint64_t actual,
                    CheckList& list) {
  list.expect(claimed == actual, name, std::to_string(actual) + " " + what,
              std::to_string(actual) + " " + what + ", the manifest says " + std::to_string(claimed));
}

void compare_summaries(const FindingsSummary& claimed, const FindingsSummary& actual, CheckList& list) {
  compare_digests("findings digest", "the file", claimed.digests, actual.digests, list);
  compare_number("findings size", "bytes", claimed.bytes, actual.bytes, list);
  compare_number("record count", "records", claimed.records, actual.records, list);
  compare_number("record count", "items", claimed.counts.items, actual.counts.items, list);
  compare_number("record count", "matches", claimed.counts.matches, actual.counts.matches, list);
  compare_number("record count", "problems", claimed.counts.problems, actual.counts.problems, list);
}

// The salt key from the case's secret folder; a Check says why there is none, or that it isn't the claimed one.
std::optional<std::string> load_salt_key(const fs::path& folder, const EvidenceClaim& claim, CheckList& list) {
  const fs::path file = folder / manifest::salts_file(claim.id);
  auto key = manifest::read_whole(file, 2 * manifest::salt_key_size);
  if (!key.ok() && key.error().code == ErrorCode::not_found) {
    list.not_checked("salt commitment", "the salt key is not here (" + manifest::salts_file(claim.id) + ")");
    return {};
  }
  if (!key.ok()) {
    list.failed("salt commitment", key.error().message);
    return {};
  }
  if (key->size() != manifest::salt_key_size) {
    list.failed("salt commitment", manifest::salts_file(claim.id) + " has " + std::to_string(key->size()) +
                                       " bytes, not " + std::to_string(manifest::salt_key_size));
    return {};
  }
  const std::string commitment = manifest::salt_commitment(*key);
  list.expect(commitment == claim.findings.salt_commitment, "salt commitment", "the salt key is the claimed one",
              "the salt key in " + manifest::salts_file(claim.id) + " isn't the one that the manifest commits to");
  return key.take();
}

void compare_trees(const FindingsSummary& claimed, const FindingsSummary& actual, bool have_key, CheckList& list) {
  if (have_key) {
    compare_digests("tree", "the tree", claimed.trees, actual.trees, list);
  } else {
    list.not_checked("tree", "no salt key to compute it with; the findings digest covers the same bytes");
  }
}

void compare_content(const FindingsSummary& claimed, const FindingsSummary& actual, CheckList& list) {
  const std::string name = "content tree";
  if (!claimed.content) {
    list.not_checked(name, "the manifest has none; a version before it made this one, and absence can't be proved");
    return;
  }
  compare_number(name, "contents", claimed.content->entries, actual.content->entries, list);
  compare_number(name, "items with content but no SHA-256", claimed.content->without, actual.content->without, list);
  compare_digests(name, "the tree", claimed.content->trees, actual.content->trees, list);
}

// What the manifest says of the media must be what the evidence record says.
void compare_evidence(const EvidenceClaim& claim, const std::optional<base::Json>& evidence, CheckList& list) {
  const std::string name = "evidence record";
  if (!evidence) {
    list.not_checked(name, "the findings hold no evidence record");
    return;
  }
  const base::Json expected = manifest::media_claims(claim);
  std::string differing;
  for (const char* key : {"id", "size", "integrity", "digests", "block_root"}) {
    if (expected.value(key, base::Json()) != evidence->value(key, base::Json())) {
      differing += (differing.empty() ? "" : ", ") + std::string(key);
    }
  }
  list.expect(differing.empty(), name, "says the same as the manifest", "differs from the manifest in " + differing);
}

void not_there(const std::string& file, Status missing, CheckList& list) {
  const std::vector<const char*> names = {
      "findings file", "canonical form", "canonical order", "findings digest", "findings size",
      "record count",  "tree",           "content tree",    "evidence record"};
  for (const char* name : names) {
    if (missing == Status::failed && name == names.front()) {
      list.failed(name, file + " is missing");
    } else {
      list.not_checked(name, file + " is not here");
    }
  }
}

}  // namespace

void check_findings(const fs::path& folder, const EvidenceClaim& claim, const fs::path& scratch, Status missing,
                    Checks& checks) {
  CheckList list(checks, claim.id);
  const std::string file = manifest::findings_file(claim.id);
  FindingsRequest request;
  request.digests = known_of(claim.findings.digests);
  request.trees = known_of(claim.findings.trees);
  if (claim.findings.content) request.scratch = scratch;
  request.salt_key = load_salt_key(folder, claim, list);
  const auto read = manifest::read_findings(folder / file, request);
  if (!read.ok() && read.error().code == ErrorCode::not_found) return not_there(file, missing, list);
  if (!read.ok()) {
    list.failed("findings file", read.error().message);
    return;
  }
  const FindingsReading& reading = *read;
  list.ok("findings file", file);
  list.expect(reading.form.empty(), "canonical form", "every line", reading.form.summary());
  list.expect(reading.order.empty(), "canonical order", "every record, and every byte accounted for",
              reading.order.summary());
  compare_summaries(claim.findings, reading.summary, list);
  compare_trees(claim.findings, reading.summary, request.salt_key.has_value(), list);
  compare_content(claim.findings, reading.summary, list);
  compare_evidence(claim, reading.evidence, list);
}

void check_uncovered(const fs::path& folder, const manifest::Manifest& manifest, Checks& checks) {
  std::set<std::string> covered;
  for (const EvidenceClaim& claim : manifest.evidence) {
    covered.insert(fs::path(manifest::findings_file(claim.id)).filename().string());
  }
  std::set<std::string> others;
  std::error_code error;
  for (fs::directory_iterator at(folder / "findings", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!covered.contains(name)) others.insert("findings/" + name);
  }
  for (const std::string& name : others)
    CheckList(checks, name).failed("not in the manifest", "a file in findings/ that the manifest doesn't know");
  if (error && error != std::errc::no_such_file_or_directory)
    CheckList(checks, "findings/").failed("not in the manifest", "cannot list: " + error.message());
}

}  // namespace exhibit::verify
