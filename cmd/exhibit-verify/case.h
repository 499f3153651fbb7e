#pragma once
// A case folder, or a manifest without one (manifest.md, "The case folder").

#include "disclosure.h"

namespace exhibit_verify {

// The signatures that lie beside a manifest, by their numbers, and the time-stamps that belong to them.
inline std::vector<Seal> find_seals(const fs::path& manifest, Report& report) {
  const std::string base = manifest.filename().string() + ".";
  std::map<unsigned long, Seal> found;
  std::map<unsigned long, fs::path> answers;
  for (const auto& entry : fs::directory_iterator(manifest.parent_path().empty() ? "." : manifest.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(base) || name.size() < base.size() + 5 || name.size() > base.size() + 12) continue;
    const std::string number = name.substr(base.size(), name.size() - base.size() - 4);
    if (number[0] == '0' || number.find_first_not_of("0123456789") != std::string::npos) continue;
    if (name.ends_with(".tsr")) answers[std::stoul(number)] = entry.path();
    if (name.ends_with(".p7s"))
      report.guard(signature_check, name, [&] { found[std::stoul(number)] = {name, read_file(entry.path()), {}}; });
  }
  for (const auto& [number, path] : answers) {
    report.guard("time-stamp", path.filename().string(), [&] {
      if (found.count(number) == 0) throw Refused{"a time-stamp without its signature"};
      found[number].answer = read_file(path);
    });
  }
  std::vector<Seal> seals;
  for (auto& [number, seal] : found) seals.push_back(std::move(seal));
  return seals;
}

inline void check_other_files(const fs::path& folder, const Value& manifest, Report& report) {
  std::set<std::string> named;
  for (const Value& evidence : manifest.array_at("evidence")) named.insert(evidence.text_at("id") + ".jsonl");
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "findings", error)) {
    const std::string name = entry.path().filename().string();
    if (named.count(name) == 0)
      report.failed("not in the manifest", "findings/" + name, "a file that the manifest doesn't know");
  }
  for (const Value& input : manifest.array_at("inputs"))
    report.not_checked("input", input.text_at("name"), "this program reads no inputs");
  if (manifest.find("previous") != nullptr)
    report.not_checked("previous manifest", manifest.text_at("previous"), "it isn't given");
  for (const Value& evidence : manifest.array_at("evidence"))
    report.not_checked("media", evidence.text_at("id"), "this program reads no images");
  report.not_checked("required fields", "the case", "this program knows no profiles");
}

// `target`: the case folder, or its manifest. Of a manifest alone, what isn't beside it can't be checked; in a case, it
// is missing.
inline void check_case(const fs::path& target, const Trust* trust, Report& report) {
  const bool whole = fs::is_directory(target);
  const fs::path file = whole ? target / manifest_name : target, folder = whole ? target : target.parent_path(),
                 ledger = folder / ledger_name;
  Bytes bytes;
  Value manifest;
  if (!report.guard("manifest", manifest_name, [&] { bytes = read_file(file); })) return;
  const bool good = report.guard("manifest", manifest_name, [&] {
    manifest = read_manifest(bytes);
    report.ok("manifest", manifest_name, "canonical, and every key as the format says");
  });
  report.guard(signature_check, manifest_name, [&] { check_seals(bytes, find_seals(file, report), trust, report); });
  if (!good)
    return report.not_checked("the case", manifest_name,
                              "the manifest can't be read: there is nothing to compare with");
  for (const Value& evidence : manifest.array_at("evidence")) {
    const std::string& name = evidence.at("findings").text_at("file");
    const bool read = whole || fs::exists(folder / name);
    read ? check_findings(folder, evidence, report) : report.not_checked("findings", name, "it is not here");
  }
  const Value& custody = manifest.at("custody");
  const bool none = !fs::exists(ledger) && (!whole || custody.number_at("events") == 0);
  if (none) report.not_checked("ledger", ledger_name, "it is not here");
  if (!none) report.guard("ledger", ledger_name, [&] { check_ledger(read_file(ledger), custody, trust, report); });
  report.guard("the case", manifest_name, [&] { check_other_files(folder, manifest, report); });
}

// One signature over a file; `answer` may be an empty path.
inline void check_file(const fs::path& content, const fs::path& signature, const fs::path& answer, const Trust* trust,
                       Report& report) {
  const std::string name = signature.filename().string();
  report.guard(signature_check, name, [&] {
    SignatureRequest request{signature_check, "", name, read_file(signature), {}, {}, trust};
    if (!answer.empty()) request.answer = read_file(answer);
    request.digest_of_content = [&](View algorithm) {
      const auto digest = make_digest(algorithm);
      read_pieces(content, [&](View piece) { digest->update(piece); });
      return digest->finish();
    };
    check_signature(request, report);
  });
}

}  // namespace exhibit_verify
