// exhibit verify: a line for each check, then one verdict.

#include "verify/verify.h"

#include "exhibit/evidence_checks.h"
#include "exhibit/ledger_heads.h"
#include "exhibit/session.h"
#include "manifest/file.h"
#include "manifest/signature.h"

namespace exhibit::cmd {

extern const Verb verify_verb;

namespace {

using base::Json;

int answer(const manifest::Checks& checks, bool records) {
  std::uint64_t unchecked = 0;
  for (const auto& check : checks) {
    unchecked += check.status == manifest::Status::not_checked;
    if (records) {
      put_line(base::canonical({{"check", check.name},
                                {"subject", check.subject},
                                {"status", manifest::name_of(check.status)},
                                {"detail", check.detail}}));
      continue;
    }
    const bool why = check.status == manifest::Status::not_checked;
    std::string line = std::string(manifest::name_of(check.status)) + (why ? ": " + printable(check.detail) : "") +
                       "  " + printable(check.name) + "  " + printable(check.subject);
    if (!why && !check.detail.empty()) line += ": " + printable(check.detail);
    put_line(line);
  }
  const auto verdict = manifest::verdict(checks);
  if (records) {
    put_line(base::canonical({{"verdict", verdict.verified ? "verified" : "NOT VERIFIED"},
                              {"reason", verdict.reason},
                              {"not_checked", unchecked}}));
  } else {
    put_line(std::string("verdict: ") + (verdict.verified ? "verified" : "NOT VERIFIED") + ": " + verdict.reason +
             (unchecked > 0 ? " (" + std::to_string(unchecked) + " not checked, see above)" : ""));
  }
  return verdict.verified ? exit_done : exit_no;
}

// "E1=path"
std::map<std::string, std::string> evidence_paths(const options::variables_map& values) {
  std::map<std::string, std::string> paths;
  if (values.count("evidence") == 0) return paths;
  for (const auto& word : values["evidence"].as<std::vector<std::string>>()) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) throw Usage{"--evidence takes E1=IMAGE: " + word};
    if (!paths.emplace(word.substr(0, equals), word.substr(equals + 1)).second)
      throw Usage{"--evidence names " + word.substr(0, equals) + " twice"};
  }
  return paths;
}

// The bytes of a file that says of itself that it is a disclosure.
std::optional<std::string> disclosure_bytes(const std::filesystem::path& target) {
  auto bytes = manifest::read_whole(target, manifest::largest_disclosure);
  if (!bytes.ok() || !manifest::is_disclosure(*bytes)) return std::nullopt;
  return bytes.take();
}

Result<int> verify(const options::variables_map& values) {
  std::optional<manifest::Trust> trust;
  if (values.count("trust") != 0) trust = EXHIBIT_TRY(manifest::Trust::from_pem(values["trust"].as<std::string>()));
  if (values.count("crl") != 0) {
    if (!trust) throw Usage{"--crl needs --trust: a list counts only by its authority's certificate"};
    for (const auto& file : values["crl"].as<std::vector<std::string>>())
      EXHIBIT_TRY(trust->add_revocation_lists(file));
  }
  const bool records = values.count("json") != 0;
  if (values.count("content") != 0) {
    std::optional<std::filesystem::path> timestamp;
    if (values.count("timestamp") != 0) timestamp = values["timestamp"].as<std::string>();
    return answer(EXHIBIT_TRY(manifest::check_signature_files(values["content"].as<std::string>(),
                                                              values["signature"].as<std::string>(), timestamp,
                                                              trust ? &*trust : nullptr)),
                  records);
  }
  verify::Request request;
  request.target = values["case"].as<std::vector<std::string>>().at(0);
  request.trust = std::move(trust);
  std::error_code no_folder;
  request.scratch = std::filesystem::temp_directory_path(no_folder);
  if (values.count("input") != 0) {
    for (const auto& path : values["input"].as<std::vector<std::string>>()) request.inputs.emplace_back(path);
  }
  if (values.count("previous") != 0) request.previous = values["previous"].as<std::string>();
  request.ledger_heads = EXHIBIT_TRY(ledger_heads(values));
  const auto paths = evidence_paths(values);
  for (const auto& [id, path] : paths) request.evidence.insert(id);
  const RunSettings settings = run_settings(values);
  const std::uint64_t sample = values.count("sample") != 0 ? values["sample"].as<std::uint64_t>() : UINT64_MAX;
  if (const auto bytes = disclosure_bytes(request.target)) {
    auto report = verify::verify_disclosure(*bytes, request);
    for (const auto& [id, path] : paths)
      EXHIBIT_TRY(check_disclosed_evidence(report, id, path, settings, sample, report.checks));
    return answer(report.checks, records);
  }
  auto report = EXHIBIT_TRY(verify::verify_case(request));
  for (const auto& [id, path] : paths)
    EXHIBIT_TRY(check_evidence(request.target, id, path, settings, sample, report.checks));
  return answer(report.checks, records);
}

int run_verify(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("evidence", options::value<std::vector<std::string>>()->composing(),
                          "E1=IMAGE: read the image again and compare")("trust", options::value<std::string>(),
                                                                        "certificates to which signers must lead, PEM")(
      "crl", options::value<std::vector<std::string>>()->composing()->multitoken(),
      "revocation lists of the authorities on the path, PEM or DER")(
      "sample", options::value<std::uint64_t>(), "with --evidence: only so many items, drawn at random")(
      "input", options::value<std::vector<std::string>>()->composing()->multitoken(),
      "hash sets and rules, to compare with the manifest's inputs")("previous", options::value<std::string>(),
                                                                    "the manifest that this one replaces")(
      "content", options::value<std::string>(), "check just one signature: over this file")(
      "signature", options::value<std::string>(), "… this CMS signature")("timestamp", options::value<std::string>(),
                                                                          "… and this time-stamp answer");
  add_head_options(described);
  add_run_options(described);
  const Parsed parsed = parse(verify_verb, arguments, described, "case", 1);
  if (parsed.help) return exit_done;
  if (parsed.values.count("content") != parsed.values.count("signature"))
    throw Usage{"--content and --signature go together"};
  if (parsed.values.count("case") + parsed.values.count("content") != 1)
    throw Usage{"name a case folder, its manifest.json or a disclosure, or give --content"};
  auto status = verify(parsed.values);
  return status.ok() ? *status : fail(status.error());
}

}  // namespace

const Verb verify_verb = {"verify", "CASE|FILE [--evidence E1=IMAGE] [--trust CA.pem]",
                          "checks every claim of a case or a disclosure again, and says what it couldn't check",
                          run_verify};

}  // namespace exhibit::cmd
