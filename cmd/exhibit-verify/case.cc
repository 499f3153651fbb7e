// A case folder: the manifest's own form, its signatures, what it says of the other files (manifest.md).

#include <algorithm>
#include <map>
#include <set>

#include "checks.h"

namespace exhibit_verify {
namespace {

void check_hex(const Value& holder, View key, std::size_t size) { digest_from_hex(holder.text_at(key), size, key); }

// Algorithm -> digest. Of algorithms that this program has, the length is checked.
void check_digests(const Value& holder, View key) {
  for (const auto& [algorithm, digest] : holder.object_at(key)) {
    const std::string& text = holder.at(key).text_at(algorithm);
    check_hex(holder.at(key), algorithm,
              digest_size(algorithm) != 0 ? digest_size(algorithm) : std::max<std::size_t>(1, text.size() / 2));
  }
  holder.at(key).text_at("sha256");
}

void check_evidence(const Value& evidence) {
  constexpr View letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const std::string& id = evidence.text_at("id");
  if (id.empty() || id.size() > 64 || id[0] == '.' || id.find_first_not_of(letters) != std::string::npos)
    throw Refused{"\"" + id + "\" can't be an exhibit's id"};
  evidence.number_at("size");
  static const std::set<std::string> integrities = {"match", "mismatch", "no-stored-digest", "unreadable"};
  const std::string& integrity = evidence.text_at("integrity");
  if (integrities.count(integrity) == 0) throw Refused{"the integrity \"" + integrity + "\" is unknown"};
  // Of media that can't be read whole nothing is claimed that hangs on their every byte.
  if (integrity == "unreadable" && (evidence.find("digests") != nullptr || evidence.find("block_root") != nullptr))
    throw Refused{"digests of media that are unreadable"};
  if (integrity != "unreadable") {
    check_digests(evidence, "digests");
    check_hex(evidence, "block_root", 32);
  }
  const Value& findings = evidence.at("findings");
  if (findings.text_at("file") != "findings/" + id + ".jsonl")
    throw Refused{"the findings file of " + id + " isn't findings/" + id + ".jsonl"};
  for (const char* key : {"records", "bytes"}) findings.number_at(key);
  for (const char* key : {"items", "matches", "problems"}) findings.at("counts").number_at(key);
  for (const char* key : {"digests", "trees"}) check_digests(findings, key);
  check_hex(findings, "salt_commitment", 32);
  const Value* content = findings.find("content");
  if (content == nullptr) return;
  if (content->text_at("digest") != "sha256") throw Refused{"a content tree over another digest than SHA-256"};
  for (const char* key : {"entries", "without"}) content->number_at(key);
  check_digests(*content, "trees");
  const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
  const Object &trees = findings.object_at("trees"), &contents = content->object_at("trees");
  if (!std::equal(trees.begin(), trees.end(), contents.begin(), contents.end(), same))
    throw Refused{"the content tree has other algorithms than the tree"};
}

// The signatures that lie beside a manifest; a gap in their numbers or a stray time-stamp means that one was taken
// away.
std::vector<Seal> find_seals(const fs::path& manifest, Report& report) {
  const std::string base = manifest.filename().string() + ".";
  std::map<std::uint64_t, Seal> found;
  std::set<std::uint64_t> answers;
  for (const auto& entry : fs::directory_iterator(manifest.parent_path().empty() ? "." : manifest.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name.size() <= base.size() + 4 || name.substr(0, base.size()) != base) continue;
    const std::string number = name.substr(base.size(), name.size() - base.size() - 4),
                      ending = name.substr(name.size() - 4);
    if (number.size() > 9 || number[0] == '0' || number.find_first_not_of("0123456789") != std::string::npos) continue;
    if (ending == ".p7s")
      report.guard(signature_check, name, [&] { found[std::stoull(number)] = {name, read_file(entry.path()), {}}; });
    if (ending == ".tsr") answers.insert(std::stoull(number));
  }
  for (const std::uint64_t number : answers) {
    const std::string name = base + std::to_string(number) + ".tsr";
    if (found.count(number) == 0) report.failed("signature files", name, "a time-stamp without its signature");
    if (found.count(number) != 0)
      report.guard("time-stamp", name, [&] { found[number].answer = read_file(manifest.parent_path() / name); });
  }
  std::vector<Seal> seals;
  for (auto& [number, seal] : found) seals.push_back(std::move(seal));
  return seals;
}

void check_other_files(const fs::path& folder, const Value& manifest, Report& report) {
  std::set<std::string> named;
  for (const Value& evidence : manifest.array_at("evidence")) named.insert(evidence.text_at("id") + ".jsonl");
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "findings", error)) {
    const std::string name = entry.path().filename().string();
    if (named.count(name) == 0)
      report.failed("not in the manifest", "findings/" + name, "a file that the manifest doesn't know");
  }
  for (const Value& input : manifest.array_at("inputs"))
    report.not_checked("input", input.text_at("kind") + " " + input.text_at("name"), "this program compares no inputs");
  if (manifest.find("previous") != nullptr)
    report.not_checked("previous manifest", manifest_name, "not given; its SHA-256 is " + manifest.text_at("previous"));
  for (const Value& evidence : manifest.array_at("evidence"))
    report.not_checked("media", evidence.text_at("id"), "this program reads no images");
}

}  // namespace

bool is_utc_time(View text) {
  constexpr View form = "0000-00-00T00:00:00", digits = "0123456789";
  if (text.size() <= form.size() || text.back() != 'Z') return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] == '0' ? digits.find(text[i]) == View::npos : text[i] != form[i]) return false;
  }
  const View fraction = text.substr(form.size(), text.size() - form.size() - 1);
  return fraction.empty() || (fraction.size() > 1 && fraction.size() <= 10 && fraction[0] == '.' &&
                              fraction.find_first_not_of(digits, 1) == View::npos);
}

Value read_manifest(View text) {
  Value manifest = parse_canonical(text);
  if (manifest.text_at("format") != "exhibit-manifest/1") throw Refused{"its format is another"};
  static const std::set<std::string> keys = {"format",   "case",    "tool",     "inputs",
                                             "evidence", "custody", "previous", "created"};
  for (const auto& [key, value] : std::get<Object>(manifest.held)) {
    if (keys.count(key) == 0) throw Refused{"it has a key that this format doesn't have: \"" + key + "\""};
  }
  manifest.object_at("case");
  for (const char* key : {"name", "version"}) manifest.at("tool").text_at(key);
  for (const Value& input : manifest.array_at("inputs")) {
    for (const char* key : {"kind", "name", "version"}) input.text_at(key);
    input.number_at("entries");
    check_digests(input, "digests");
  }
  std::set<std::string> ids;
  for (const Value& evidence : manifest.array_at("evidence")) {
    check_evidence(evidence);
    if (!ids.insert(evidence.text_at("id")).second) throw Refused{"two exhibits are called " + evidence.text_at("id")};
  }
  if (ids.empty()) throw Refused{"it names no exhibit"};
  const Value& custody = manifest.at("custody");
  check_hex(custody, "head", 32);
  if (custody.number_at("events") == 0 && custody.text_at("head") != std::string(64, '0'))
    throw Refused{"a head of no events"};
  if (manifest.find("previous") != nullptr) check_hex(manifest, "previous", 32);
  if (!is_utc_time(manifest.text_at("created"))) throw Refused{"\"created\" isn't a time in RFC 3339 and UTC"};
  return manifest;
}

void check_seals(View manifest, const std::vector<Seal>& seals, const Trust* trust, Report& report) {
  if (seals.empty()) report.failed(signature_check, manifest_name, "nobody has signed");
  std::uint64_t number = 0;
  for (const Seal& seal : seals) {
    const std::string expected = "." + std::to_string(++number) + ".p7s";
    if (!seal.name.ends_with(expected))
      report.failed("signature files", seal.name, "one before it is missing: …" + expected);
    SignatureRequest request{signature_check, "", seal.name, seal.cms, {}, {}, trust};
    request.digest_of_content = [&](View algorithm) { return digest_of(algorithm, manifest); };
    if (seal.answer) request.answer = *seal.answer;
    check_signature(request, report);
  }
}

void check_case(const fs::path& target, const Trust* trust, Report& report) {
  const bool whole = fs::is_directory(target);
  const fs::path file = whole ? target / manifest_name : target, folder = whole ? target : target.parent_path();
  Bytes bytes;
  std::optional<Value> manifest;
  if (!report.guard("manifest", manifest_name, [&] { bytes = read_file(file); })) return;
  report.guard("manifest", manifest_name, [&] {
    manifest = read_manifest(bytes);
    report.ok("manifest", manifest_name, "canonical, and every key as the format says");
  });
  report.guard(signature_check, manifest_name, [&] { check_seals(bytes, find_seals(file, report), trust, report); });
  if (!manifest)
    return report.not_checked("the case", manifest_name,
                              "the manifest can't be read, so there is nothing to compare with");
  // A manifest without its case: what isn't beside it can't be checked. In a case, it is missing.
  const auto absent = [&](const fs::path& path) { return !whole && !fs::exists(path); };
  for (const Value& evidence : manifest->array_at("evidence")) {
    const std::string& name = evidence.at("findings").text_at("file");
    if (absent(folder / name)) report.not_checked("findings file", name, "it is not here");
    if (!absent(folder / name)) check_findings(folder, evidence, report);
  }
  const Value& custody = manifest->at("custody");
  const fs::path ledger = folder / ledger_name;
  if (!fs::exists(ledger) && custody.number_at("events") == 0) {
    report.ok("ledger head", ledger_name, "no events, as in the manifest");
  } else if (absent(ledger)) {
    report.not_checked("ledger", ledger_name, "it is not here");
  } else {
    report.guard("ledger", ledger_name, [&] { check_ledger(read_file(ledger), custody, trust, report); });
  }
  report.guard("the case", manifest_name, [&] { check_other_files(folder, *manifest, report); });
}

void check_file(const fs::path& content, const fs::path& signature, const fs::path& answer, const Trust* trust,
                Report& report) {
  const std::string name = signature.filename().string();
  report.guard(signature_check, name, [&] {
    const Bytes cms = read_file(signature), stamp = answer.empty() ? Bytes() : read_file(answer);
    SignatureRequest request{signature_check, "", name, cms, {}, {}, trust};
    if (!answer.empty()) request.answer = stamp;
    request.digest_of_content = [&](View algorithm) {
      const auto digest = make_digest(algorithm);
      std::ifstream file = open_file(content);
      Bytes piece(1 << 16, '\0');
      while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0)
        digest->update(View(piece).substr(0, static_cast<std::size_t>(file.gcount())));
      if (file.bad()) throw Refused{"the content can't be read"};
      return digest->finish();
    };
    check_signature(request, report);
  });
}

}  // namespace exhibit_verify
