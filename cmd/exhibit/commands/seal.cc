// exhibit seal: the manifest, its signature, its time-stamp. On a case that is sealed already: one more signature.

#include "manifest/seal.h"

#include <openssl/rand.h>

#include <filesystem>

#include "custody/ledger.h"
#include "exhibit/case_folder.h"
#include "exhibit/common.h"
#include "manifest/findings.h"
#include "manifest/signer.h"

namespace exhibit::cmd {

extern const Verb seal_verb;

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

struct Sealing {
  const CaseFolder& folder;
  const manifest::Signer& signer;
  custody::Actor actor;
  std::vector<std::string> evidence;
};

Result<void> add_event(const Sealing& sealing, const std::string& name, const std::string& time, Json detail) {
  custody::Event event;
  event.time = time;
  event.event = name;
  event.actor = sealing.actor;
  event.evidence = sealing.evidence;
  event.detail = std::move(detail);
  EXHIBIT_TRY(
      custody::append(sealing.folder.path() + "/" + custody::ledger_name, event, sealing.signer, now_seconds()));
  return {};
}

// `processed` holds what a reader needs to repeat it: the exact command, how it ended, tool and inputs.
Result<void> tell_custody(const Sealing& sealing, const std::vector<Json>& runs, const Json& inputs,
                          const std::vector<manifest::EvidenceClaim>& claims) {
  for (const Json& run : runs) {
    EXHIBIT_TRY(add_event(sealing, "processed", run.value("ended", ""),
                          {{"command", run.at("arguments")},
                           {"exit_status", run.at("exit_status")},
                           {"started", run.at("started")},
                           {"tool", run.at("tool")},
                           {"inputs", inputs}}));
  }
  Json findings = Json::object();
  for (const auto& claim : claims) findings[claim.id] = claim.findings.digests.at("sha256");
  return add_event(sealing, "sealed", now_text(), {{"findings_sha256", findings}});
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
  const auto head = EXHIBIT_TRY(custody::head_of(folder.path() + "/" + custody::ledger_name));
  made.custody = {head.events, head.digest};
  made.created = now_text();
  return made;
}

Result<void> make_manifest(const CaseFolder& folder, const options::variables_map& values,
                           const manifest::Signer* signer) {
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
  if (signer != nullptr) {
    const std::string name = values.count("examiner") != 0 ? values["examiner"].as<std::string>()
                                                           : memory.case_fields.value("examiner", signer->name());
    const Sealing sealing{
        folder, *signer, {name, "examiner", values["organisation"].as<std::string>(), signer->name()}, ids};
    EXHIBIT_TRY(tell_custody(sealing, runs, memory.inputs, claims));
  }
  const auto made = EXHIBIT_TRY(manifest_of(folder, runs, std::move(claims)));
  return folder.put(folder.path() + "/" + manifest::manifest_name, EXHIBIT_TRY(manifest::write_manifest(made)));
}

// Questions for a machine with a network, and its answers.
Result<void> carry_timestamps(const CaseFolder& folder, const fs::path& file, const options::variables_map& values) {
  if (values.count("export-tsq") != 0) {
    const auto question = EXHIBIT_TRY(manifest::export_timestamp_question(file, values["signature"].as<std::uint64_t>(),
                                                                          values["tsa-digest"].as<std::string>()));
    EXHIBIT_TRY(folder.put(values["export-tsq"].as<std::string>(), question));
  }
  if (values.count("import-tsr") != 0) {
    const auto made =
        EXHIBIT_TRY(manifest::import_timestamp(file, EXHIBIT_TRY(folder.get(values["import-tsr"].as<std::string>()))));
    put_line(made.signature.string());
    put_line(made.timestamp->string());
  }
  return {};
}

Result<void> seal(const options::variables_map& values) {
  const CaseFolder folder(values["case"].as<std::vector<std::string>>().at(0));
  const fs::path file = fs::path(folder.path()) / manifest::manifest_name;
  std::unique_ptr<manifest::Signer> signer;
  if (values.count("key") != 0) {
    std::vector<fs::path> certificates;
    for (const auto& path : values["cert"].as<std::vector<std::string>>()) certificates.emplace_back(path);
    signer = EXHIBIT_TRY(manifest::open_signer(values["key"].as<std::string>(), certificates));
  }
  if (!folder.sealed() && values.count("export-tsq") + values.count("import-tsr") > 0 && signer == nullptr)
    return Error{ErrorCode::not_found, folder.path() + ": isn't sealed; time-stamps are over signatures", {}, {}};
  if (!folder.sealed()) EXHIBIT_TRY(make_manifest(folder, values, signer.get()));
  if (signer != nullptr) {
    manifest::Authorities authorities;
    if (values.count("tsa") != 0) authorities.names = values["tsa"].as<std::vector<std::string>>();
    authorities.imprint_digest = values["tsa-digest"].as<std::string>();
    const auto made = EXHIBIT_TRY(manifest::add_signature(file, *signer, now_seconds(), authorities));
    put_line(made.signature.string());
    if (made.timestamp) put_line(made.timestamp->string());
  }
  if (values.count("export-to-sign") != 0) {
    EXHIBIT_TRY(folder.put(values["export-to-sign"].as<std::string>(), EXHIBIT_TRY(folder.get(file.string()))));
  }
  if (values.count("import-signature") != 0) {
    const auto made = EXHIBIT_TRY(
        manifest::import_signature(file, EXHIBIT_TRY(folder.get(values["import-signature"].as<std::string>()))));
    put_line(made.signature.string());
  }
  EXHIBIT_TRY(carry_timestamps(folder, file, values));
  // Beyond this point nothing of the unfinished run is needed.
  std::error_code ignored;
  fs::remove_all(folder.path() + "/work", ignored);
  return {};
}

int run_seal(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("key,k", options::value<std::string>(), "the signer's private key, PEM")(
      "cert,c", options::value<std::vector<std::string>>()->composing()->multitoken(),
      "the signer's certificate, then the chain, PEM")(
      "tsa", options::value<std::vector<std::string>>()->composing(),
      "time-stamp authority: http://… or a configuration of 'openssl ts'; may be given more than once")(
      "tsa-digest", options::value<std::string>()->default_value(manifest::default_imprint_digest),
      "of what time-stamps are over: sha256, streebog256, streebog512, belt256")(
      "examiner", options::value<std::string>(), "who seals (default: who processed)")(
      "organisation", options::value<std::string>()->default_value(""), "for whom")(
      "export-to-sign", options::value<std::string>(), "write the bytes that another product is to sign")(
      "import-signature", options::value<std::string>(), "take a CMS signature that another product made")(
      "export-tsq", options::value<std::string>(), "write a time-stamp question, to be asked from another machine")(
      "signature", options::value<std::uint64_t>()->default_value(0),
      "with --export-tsq: over this one (default: the last)")("import-tsr", options::value<std::string>(),
                                                              "take a time-stamp authority's answer to it");
  const Parsed parsed = parse(seal_verb, arguments, described, "case", 1);
  if (parsed.help) return exit_done;
  if (parsed.values.count("case") == 0) throw Usage{"name a case folder"};
  if (parsed.values.count("key") != parsed.values.count("cert")) throw Usage{"--key and --cert go together"};
  const auto& given = parsed.values;
  if (given.count("key") + given.count("export-to-sign") + given.count("import-signature") + given.count("export-tsq") +
          given.count("import-tsr") ==
      0) {
    throw Usage{"give --key and --cert, or --export-to-sign, --import-signature, --export-tsq or --import-tsr"};
  }
  const auto done = seal(parsed.values);
  return done.ok() ? exit_done : fail(done.error());
}

}  // namespace

const Verb seal_verb = {"seal", "CASE --key K --cert C… [options]", "manifest, signature, time-stamp", run_seal};

}  // namespace exhibit::cmd
