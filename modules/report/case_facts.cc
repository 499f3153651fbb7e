#include "report/case_facts.h"

#include <algorithm>

#include "custody/ledger.h"
#include "engine/journal.h"
#include "engine/task.h"
#include "manifest/file.h"

namespace exhibit::report {
namespace fs = std::filesystem;
using base::Json;

namespace {

// E2 before E10.
bool comes_before(const Exhibit& a, const Exhibit& b) {
  return std::pair(a.id.size(), a.id) < std::pair(b.id.size(), b.id);
}

// A report of findings that were changed would be a report of something else than what was signed.
Result<void> check_findings(const Exhibit& exhibit) {
  const std::string digest = EXHIBIT_TRY(engine::file_sha256(exhibit.findings.string()));
  const auto claimed = exhibit.claim->findings.digests.find("sha256");
  if (claimed != exhibit.claim->findings.digests.end() && claimed->second == digest) return {};
  return manifest::file_error(ErrorCode::corrupt, exhibit.findings,
                              "isn't the file that the manifest speaks of; 'exhibit verify' tells more");
}

Result<void> read_sealed(CaseFacts& facts) {
  manifest::Manifest claimed = EXHIBIT_TRY(manifest::read_manifest(facts.manifest));
  facts.fields = std::move(claimed.case_fields);
  facts.tool = std::move(claimed.tool);
  facts.inputs = std::move(claimed.inputs);
  facts.created = claimed.created;
  facts.custody = claimed.custody;
  for (auto& claim : claimed.evidence) {
    const std::string id = claim.id;
    facts.exhibits.push_back({id, facts.folder / manifest::findings_file(id), std::move(claim)});
    EXHIBIT_TRY(check_findings(facts.exhibits.back()));
  }
  return {};
}

// What `process` left under log/: no claim, but all there is before sealing.
Result<void> read_unsealed(CaseFacts& facts) {
  const Json memory = EXHIBIT_TRY(base::parse_json(EXHIBIT_TRY(manifest::read_whole(facts.folder / "log/case.json"))));
  if (memory.is_object()) facts.fields = memory.value("case", Json::object());
  if (!facts.fields.is_object()) facts.fields = Json::object();
  EXHIBIT_TRY(engine::for_each_line(facts.folder / "log/runs.jsonl", [&](std::string_view line) -> Result<void> {
    const Json run = EXHIBIT_TRY(base::parse_json(line));
    if (run.is_object() && run.contains("tool") && run.at("tool").is_object()) facts.tool = run.at("tool");
    return {};
  }));
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(facts.folder / "findings", error)) {
    const std::string id = entry.path().stem().string();
    if (entry.path().extension() == ".jsonl" && manifest::is_evidence_id(id))
      facts.exhibits.push_back({id, entry.path(), std::nullopt});
  }
  return {};
}

// What the ledger tells is told on only where its chain holds, and holds what the manifest saw of it.
Result<void> read_ledger(CaseFacts& facts) {
  const fs::path ledger = facts.folder / custody::ledger_name;
  const custody::Head head = EXHIBIT_TRY(custody::head_of(ledger));
  if (head.events > 0) facts.events = EXHIBIT_TRY(custody::read_events(ledger));
  manifest::Checks checks;
  const std::string bytes = head.events > 0 ? EXHIBIT_TRY(manifest::read_whole(ledger)) : "";
  custody::check_ledger(bytes, facts.custody ? &*facts.custody : nullptr, nullptr, checks);
  for (const manifest::Check& check : checks) {
    if (check.name == "ledger head" && check.status == manifest::Status::failed)
      return manifest::file_error(ErrorCode::corrupt, ledger, check.detail);
    if (check.name == "open transfers" && check.status != manifest::Status::ok) facts.open_transfers = check.detail;
  }
  return {};
}

}  // namespace

std::string CaseFacts::field(const char* key) const {
  const auto found = fields.find(key);
  return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<void> choose_language(CaseFacts& facts, const std::string& wished) {
  const std::string names = facts.field("profile");
  facts.profiles = EXHIBIT_TRY(custody::profiles_named(names.empty() ? custody::default_profile : names));
  std::string known;
  for (const custody::Profile* profile : facts.profiles) {
    for (const std::string& language : profile->languages) {
      if (wished.empty() || wished == language) {
        facts.language = language;
        return {};
      }
      known += (known.empty() ? "" : ", ") + language;
    }
  }
  return Error{ErrorCode::invalid_argument, "--language: the case's profile has " + known, {}, {}};
}

Result<CaseFacts> read_case(const fs::path& folder) {
  CaseFacts facts;
  facts.folder = folder;
  const fs::path manifest_file = folder / manifest::manifest_name;
  if (fs::exists(manifest_file)) {
    facts.manifest = EXHIBIT_TRY(manifest::read_whole(manifest_file));
    EXHIBIT_TRY(read_sealed(facts));
  } else {
    EXHIBIT_TRY(read_unsealed(facts));
  }
  if (facts.exhibits.empty()) {
    return manifest::file_error(ErrorCode::not_found, folder, "holds no findings; process the evidence first");
  }
  std::sort(facts.exhibits.begin(), facts.exhibits.end(), comes_before);
  EXHIBIT_TRY(read_ledger(facts));
  return facts;
}

}  // namespace exhibit::report
