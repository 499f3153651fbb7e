#include "exhibit/case_manifest.h"

#include <openssl/rand.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "custody/ledger.h"
#include "exhibit/case_fields.h"
#include "exhibit/common.h"
#include "exhibit/local_time.h"
#include "hash/multi_digest.h"
#include "manifest/findings.h"
#include "manifest/manifest.h"

namespace exhibit::cmd {
namespace {

using base::Json;
namespace fs = std::filesystem;

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

using Profiles = std::vector<const custody::Profile*>;

// Those of our own and what all the profiles demand together, sorted.
std::vector<std::string> demanded(const Profiles& profiles, std::vector<std::string> custody::DigestRules::*rule,
                                  std::set<std::string> names) {
  for (const custody::Profile* profile : profiles)
    names.insert((profile->digests.*rule).begin(), (profile->digests.*rule).end());
  return {names.begin(), names.end()};
}

Result<manifest::EvidenceClaim> claim_of(const CaseFolder& folder, const std::string& id, const Profiles& profiles) {
  const auto reading = EXHIBIT_TRY(manifest::read_sound_findings(
      folder.findings(id), {.digests = demanded(profiles, &custody::DigestRules::findings, {"sha256", "sha512"}),
                            .trees = demanded(profiles, &custody::DigestRules::trees, {"sha256"}),
                            .salt_key = EXHIBIT_TRY(salt_key(folder, id))}));
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

// Whether an event says all that `detail` does; it may say more (its local time).
bool says(const Json& event, const std::string& name, const Json& detail) {
  const Json said = event.value("detail", Json());
  if (event.value("event", "") != name || !said.is_object()) return false;
  return std::ranges::all_of(detail.items(), [&](const auto& member) {
    const auto found = said.find(member.key());
    return found != said.end() && *found == member.value();
  });
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
    const std::string zone = host_zone();
    if (const auto local = local_time_of(time, zone); local.ok()) {
      detail["local_time"] = *local;
      detail["time_zone"] = zone;
    }
    event.detail = std::move(detail);
    EXHIBIT_TRY(custody::append(folder.ledger(), event, signer, now_seconds()));
    return {};
  }
};

// The words that a shell would be given again, the program's name first; the log has those after the verb.
Json command_of(const Json& run) {
  Json command = {"exhibit", "process"};
  command.insert(command.end(), run.at("arguments").begin(), run.at("arguments").end());
  return command;
}

// `processed` holds what a reader needs to repeat it: the exact command, how it ended, tool and inputs. What an attempt
// to seal told before it failed is in the ledger for good, and isn't told again.
Result<void> tell_custody(const Teller& teller, const std::vector<Json>& events, const std::vector<Json>& runs,
                          const Json& inputs, const std::vector<manifest::EvidenceClaim>& claims) {
  for (const Json& run : runs) {
    const Json detail = {{"command", command_of(run)},
                         {"exit_status", run.at("exit_status")},
                         {"started", run.at("started")},
                         {"tool", run.at("tool")},
                         {"inputs", inputs}};
    const auto is_this = [&](const Json& event) { return says(event, "processed", detail); };
    if (!std::ranges::any_of(events, is_this)) EXHIBIT_TRY(teller.tell("processed", run.value("ended", ""), detail));
  }
  Json findings = Json::object();
  for (const auto& claim : claims) findings[claim.id] = claim.findings.digests.at("sha256");
  const Json detail = {{"findings_sha256", findings}};
  // Only as the last, by the same signer: what happened since then was before this sealing.
  const Json last = events.empty() ? Json::object() : events.back();
  if (says(last, "sealed", detail) && last.at("actor").value("credential", "") == teller.actor.credential) return {};
  return teller.tell("sealed", now_text(), detail);
}

// The case's fields as the manifest tells them: under which profiles in which version, and what is missing and why.
// Error where something is missing and nobody says why.
Result<Json> complete_fields(const CaseFolder& folder, const CaseState& state, const Profiles& profiles,
                             const std::optional<std::string>& incomplete) {
  Json fields = state.fields;
  std::string names;
  for (const custody::Profile* profile : profiles) {
    names += (names.empty() ? "" : ",") + profile->name;
    fields["profile_versions"][profile->name] = profile->version;
  }
  fields["profile"] = names;
  const auto missing = custody::missing_fields(profiles, fields, state.events, state.evidence);
  for (const custody::Missing& one : missing)
    std::fprintf(stderr, "exhibit: %s\n", printable(text_of(one, "en")).c_str());
  if (missing.empty()) {
    if (incomplete) std::fprintf(stderr, "exhibit: nothing is missing; the manifest doesn't say why\n");
    return fields;
  }
  if (!incomplete) {
    return Error{ErrorCode::corrupt,
                 folder.path() + ": not sealed: its profile requires " + std::to_string(missing.size()) +
                     " fields more; tell them (--case-fields FILE, 'exhibit custody add'), each with a value or with "
                     "{\"none\": \"because …\"}, or seal with --incomplete \"reason\"",
                 {},
                 {}};
  }
  Json named = Json::array();
  for (const custody::Missing& one : missing) {
    named.push_back({{"key", one.field->key}, {"where", one.field->where}, {"profiles", one.profiles}});
    if (one.seq != 0) named.back()["seq"] = one.seq;
    if (!one.evidence.empty()) named.back()["evidence"] = one.evidence;
  }
  fields["incomplete"] = {{"reason", *incomplete}, {"missing", std::move(named)}};
  return fields;
}

Result<manifest::Manifest> manifest_of(const CaseFolder& folder, Json fields, const Json& inputs,
                                       const std::vector<Json>& runs, std::vector<manifest::EvidenceClaim> claims) {
  manifest::Manifest made;
  made.case_fields = std::move(fields);
  made.tool = runs.back().at("tool");
  for (const Json& input : inputs) {
    made.inputs.push_back(
        {input.at("kind"), input.at("name"), input.at("version"), input.at("entries"), input.at("digests")});
  }
  made.evidence = std::move(claims);
  const auto head = EXHIBIT_TRY(custody::head_of(folder.ledger()));
  made.custody = {head.events, head.digest};
  made.created = now_text();
  return made;
}

// Who seals: as told, else who processed, else whose key it is.
std::string name_of_sealer(const Sealing& sealing, const Json& fields) {
  if (sealing.examiner) return *sealing.examiner;
  const auto examiner = fields.find("examiner");
  return examiner != fields.end() && examiner->is_string() ? examiner->get<std::string>() : sealing.signer->name();
}

// What a profile demands of the manifest itself can't stand in it: it is for the paper that is signed by hand.
void print_digests(const std::string& bytes, const Profiles& profiles) {
  for (const std::string& name : demanded(profiles, &custody::DigestRules::manifest, {"sha256"}))
    put_line(name + ":" + base::to_hex(hash::digest_of(name, bytes)) + "  " + manifest::manifest_name);
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
  CaseState state = EXHIBIT_TRY(state_of(folder));
  state.fields = merged(state.fields, sealing.more_fields);
  const auto profiles = EXHIBIT_TRY(profiles_of(state.fields));
  Json fields = EXHIBIT_TRY(complete_fields(folder, state, profiles, sealing.incomplete));
  std::vector<manifest::EvidenceClaim> claims;
  for (const auto& id : ids) claims.push_back(EXHIBIT_TRY(claim_of(folder, id, profiles)));
  if (sealing.signer != nullptr) {
    const Teller teller{folder,
                        *sealing.signer,
                        {name_of_sealer(sealing, fields), "examiner", sealing.organisation, sealing.signer->name()},
                        ids};
    EXHIBIT_TRY(tell_custody(teller, state.events, runs, memory.inputs, claims));
  }
  const auto made = EXHIBIT_TRY(manifest_of(folder, std::move(fields), memory.inputs, runs, std::move(claims)));
  const std::string bytes = EXHIBIT_TRY(manifest::write_manifest(made));
  EXHIBIT_TRY(folder.put(folder.path() + "/" + manifest::manifest_name, bytes));
  print_digests(bytes, profiles);
  return {};
}

}  // namespace exhibit::cmd
