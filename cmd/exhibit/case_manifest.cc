#include "exhibit/case_manifest.h"

#include <openssl/rand.h>

#include <algorithm>
#include <filesystem>

#include "custody/ledger.h"
#include "exhibit/common.h"
#include "manifest/findings.h"
#include "manifest/manifest.h"

namespace exhibit::cmd {
namespace {

using base::Json;
namespace fs = std::filesystem;

// The evidence ids that have findings, in order of their numbers.
std::vector<std::string> evidence_ids(const CaseFolder& folder) {
  std::vector<std::string> ids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder.path() + "/findings", error)) {
    if (entry.path().extension() == ".jsonl") ids.push_back(entry.path().stem().string());
  }
  std::sort(ids.begin(), ids.end(),
            [](const std::string& a, const std::string& b) { return std::pair(a.size(), a) < std::pair(b.size(), b); });
  return ids;
}

// Drawn once; whoever has it can tell what the leaves hide.
Result<std::string> salt_key(const CaseFolder& folder, const std::string& id) {
  const std::string file = folder.path() + "/" + manifest::salts_file(id);
  if (fs::exists(file)) return folder.get(file);
  std::string key(manifest::salt_key_size, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) != 1) {
    return Error{ErrorCode::internal, "no random numbers", {}, {}};
  }
  EXHIBIT_TRY(folder.put(file, key, 0600));
  return key;
}

Result<manifest::EvidenceClaim> claim_of(const CaseFolder& folder, const std::string& id) {
  const auto reading = EXHIBIT_TRY(manifest::read_sound_findings(
      folder.findings(id),
      {.digests = {"sha256", "sha512"}, .trees = {"sha256"}, .salt_key = EXHIBIT_TRY(salt_key(folder, id))}));
  const Json& record = *reading.evidence;
  manifest::EvidenceClaim claim;
  claim.id = id;
  claim.size = record.value("size", std::uint64_t{0});
  claim.digests = record.value("digests", Digests());
  claim.integrity = record.value("integrity", "");
  claim.block_root = record.value("block_root", "");
  claim.findings = reading.summary;
  return claim;
}

// Adds events about all of a case's evidence.
struct Teller {
  const CaseFolder& folder;
  const manifest::Signer& signer;
  custody::Actor actor;
  std::vector<std::string> evidence;

  Result<void> tell(const std::string& name, const std::string& time, Json detail) const {
    custody::Event event;
    event.time = time;
    event.event = name;
    event.actor = actor;
    event.evidence = evidence;
    event.detail = std::move(detail);
    EXHIBIT_TRY(custody::append(folder.ledger(), event, signer, now_seconds()));
    return {};
  }
};

// `processed` holds what a reader needs to repeat it: the exact command, how it ended, tool and inputs.
Result<void> tell_custody(const Teller& teller, const std::vector<Json>& runs, const Json& inputs,
                          const std::vector<manifest::EvidenceClaim>& claims) {
  for (const Json& run : runs) {
    EXHIBIT_TRY(teller.tell("processed", run.value("ended", ""),
                            {{"command", run.at("arguments")},
                             {"exit_status", run.at("exit_status")},
                             {"started", run.at("started")},
                             {"tool", run.at("tool")},
                             {"inputs", inputs}}));
  }
  Json findings = Json::object();
  for (const auto& claim : claims) findings[claim.id] = claim.findings.digests.at("sha256");
  return teller.tell("sealed", now_text(), {{"findings_sha256", findings}});
}

Result<manifest::Manifest> manifest_of(const CaseFolder& folder, const std::vector<Json>& runs,
                                       std::vector<manifest::EvidenceClaim> claims) {
  const auto memory = EXHIBIT_TRY(folder.memory());
  manifest::Manifest made;
  made.case_fields = memory.case_fields;
  made.tool = runs.back().at("tool");
  for (const Json& input : memory.inputs) {
    made.inputs.push_back(
        {input.at("kind"), input.at("name"), input.at("version"), input.at("entries"), input.at("digests")});
  }
  made.evidence = std::move(claims);
  const auto head = EXHIBIT_TRY(custody::head_of(folder.ledger()));
  made.custody = {head.events, head.digest};
  made.created = now_text();
  return made;
}

}  // namespace

Result<void> write_manifest(const CaseFolder& folder, const Sealing& sealing) {
  const auto ids = evidence_ids(folder);
  if (ids.empty())
    return Error{ErrorCode::not_found, folder.path() + ": has no findings; process the evidence first", {}, {}};
  const auto runs = EXHIBIT_TRY(folder.runs());
  const auto memory = EXHIBIT_TRY(folder.memory());
  if (runs.empty() || runs.back().at("exit_status") == exit_stopped) {
    return Error{ErrorCode::invalid_argument,
                 folder.path() + ": processing hasn't come to its end; run the same command again",
                 {},
                 {}};
  }
  std::vector<manifest::EvidenceClaim> claims;
  for (const auto& id : ids) claims.push_back(EXHIBIT_TRY(claim_of(folder, id)));
  if (sealing.signer != nullptr) {
    const std::string credential = sealing.signer->name();
    const std::string name = sealing.examiner.value_or(memory.case_fields.value("examiner", credential));
    const Teller teller{folder, *sealing.signer, {name, "examiner", sealing.organisation, credential}, ids};
    EXHIBIT_TRY(tell_custody(teller, runs, memory.inputs, claims));
  }
  const auto made = EXHIBIT_TRY(manifest_of(folder, runs, std::move(claims)));
  return folder.put(folder.path() + "/" + manifest::manifest_name, EXHIBIT_TRY(manifest::write_manifest(made)));
}

}  // namespace exhibit::cmd
