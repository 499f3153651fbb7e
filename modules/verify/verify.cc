#include "verify/verify.h"

#include <map>
#include <system_error>

#include "custody/ledger.h"
#include "hash/multi_digest.h"
#include "manifest/file.h"
#include "manifest/seal.h"
#include "manifest/signature.h"
#include "verify/compare.h"
#include "verify/findings_checks.h"
#include "verify/profile_checks.h"

namespace exhibit::verify {
namespace fs = std::filesystem;
namespace {

using manifest::CheckList;
using manifest::Manifest;

const manifest::Trust* trust_of(const Request& request) { return request.trust ? &*request.trust : nullptr; }

void check_one_signature(std::string_view bytes, const manifest::DisclosedSignature& given,
                         const manifest::Trust* trust, Checks& checks) {
  manifest::SignatureRequest request;
  request.subject = given.name;
  request.signature = given.cms;
  request.trust = trust;
  if (given.timestamp) request.timestamp_answer = *given.timestamp;
  manifest::check_signature(manifest::Content::of(bytes), request, checks);
}

void check_manifest_signatures(const fs::path& file, std::string_view bytes, const manifest::Trust* trust,
                               Checks& checks) {
  const auto seals = manifest::find_signatures(file);
  CheckList list(checks, manifest::manifest_name);
  if (!seals.ok()) {
    list.failed(manifest::signature_check, seals.error().message);
    return;
  }
  for (const std::string& stray : seals->strays) list.failed("signature files", stray);
  if (seals->files.empty())
    list.failed(manifest::signature_check, "nobody has signed: there is no " + file.filename().string() + ".1.p7s");
  for (const manifest::SealFiles& one : seals->files) {
    CheckList own(checks, one.signature.filename().string());
    const auto signature = manifest::read_whole(one.signature);
    if (!signature.ok()) {
      own.failed(manifest::signature_check, signature.error().message);
      continue;
    }
    const auto answer = one.timestamp ? manifest::read_whole(*one.timestamp) : Result<std::string>(std::string());
    if (!answer.ok()) own.failed("time-stamp", answer.error().message);
    manifest::DisclosedSignature given = {one.signature.filename().string(), *signature, {}};
    if (answer.ok() && one.timestamp) given.timestamp = *answer;
    check_one_signature(bytes, given, trust, checks);
  }
}

void check_custody(const fs::path& folder, const Manifest& manifest, const Request& request, Status missing,
                   Checks& checks) {
  const auto bytes = manifest::read_whole(folder / custody::ledger_name);
  if (bytes.ok()) {
    custody::check_ledger(*bytes, &manifest.custody, trust_of(request), checks, request.ledger_heads);
    return;
  }
  CheckList list(checks, custody::ledger_name);
  for (const std::string& receipt : request.ledger_heads) {
    if (missing == Status::failed)
      list.failed("ledger receipt", "there is no ledger that could have had the head " + receipt);
    else
      list.not_checked("ledger receipt", "the ledger is not here");
  }
  const bool absent = bytes.error().code == ErrorCode::not_found;
  if (absent && manifest.custody.events == 0) {
    list.ok("ledger head", "no events, as in the manifest");
  } else if (absent && missing == Status::not_checked) {
    list.not_checked("ledger", "it is not here");
  } else {
    list.failed("ledger",
                absent ? "it is missing, and the manifest saw " + std::to_string(manifest.custody.events) + " events"
                       : bytes.error().message);
  }
}

// A file's digests by every algorithm that we have.
Result<Digests> digests_of_file(const fs::path& path) {
  auto digests = EXHIBIT_TRY(hash::MultiDigest::create(hash::algorithms()));
  EXHIBIT_TRY(
      manifest::read_pieces(path, [&](std::string_view piece) { digests.update(std::as_bytes(std::span(piece))); }));
  return digests.finish();
}

// The given files against the manifest's inputs: the same by SHA-256, or at least of the same name.
void check_inputs(const Manifest& manifest, const Request& request, Checks& checks) {
  std::map<fs::path, Digests> given;
  for (const fs::path& path : request.inputs) {
    auto digests = digests_of_file(path);
    if (digests.ok()) {
      given[path] = digests.take();
    } else {
      CheckList(checks, path.string()).failed("input", digests.error().message);
    }
  }
  std::set<fs::path> used;
  for (const manifest::Input& input : manifest.inputs) {
    CheckList list(checks, input.kind + " " + input.name);
    const Digests* same_name = nullptr;
    const Digests* same = nullptr;
    for (const auto& [path, digests] : given) {
      if (digests.at("sha256") == input.digests.at("sha256")) {
        same = &digests;
        used.insert(path);
      } else if (path.filename() == fs::path(input.name).filename()) {
        same_name = &digests;
        used.insert(path);
      }
    }
    if (same != nullptr || same_name != nullptr) {
      compare_digests("input", "the given file", input.digests, same != nullptr ? *same : *same_name, list);
    } else {
      list.not_checked("input", "the file was not given (--input FILE)");
    }
  }
  for (const auto& [path, unused] : given) {
    if (!used.contains(path)) CheckList(checks, path.string()).failed("input", "is none of the manifest's inputs");
  }
}

void check_previous(const Manifest& manifest, const Request& request, Checks& checks) {
  CheckList list(checks, manifest::manifest_name);
  if (!manifest.previous) {
    if (request.previous) list.failed("previous manifest", "the manifest doesn't say that it replaces another");
    return;
  }
  if (!request.previous) {
    list.not_checked("previous manifest",
                     "the manifest that this one replaces was not given; its SHA-256 is " + *manifest.previous);
    return;
  }
  const auto bytes = manifest::read_whole(*request.previous);
  if (!bytes.ok()) {
    list.failed("previous manifest", bytes.error().message);
    return;
  }
  list.expect(base::to_hex(hash::digest_of("sha256", *bytes)) == *manifest.previous, "previous manifest",
              "is the given one", "the given file isn't the manifest that this one replaces");
}

// The seam for --evidence: the caller reads those images and adds its checks; the others are said to be unread.
void check_media(const Manifest& manifest, const Request& request, Checks& checks) {
  std::set<std::string> unknown = request.evidence;
  for (const manifest::EvidenceClaim& claim : manifest.evidence) {
    unknown.erase(claim.id);
    if (!request.evidence.contains(claim.id))
      CheckList(checks, claim.id).not_checked("media", "the image was not given (--evidence " + claim.id + "=IMAGE)");
  }
  for (const std::string& id : unknown) CheckList(checks, id).failed("media", "the manifest has no exhibit of this id");
}

// What the manifest claims and a disclosure doesn't hold.
void tell_what_is_not_disclosed(const Manifest& manifest, Checks& checks) {
  for (const manifest::EvidenceClaim& claim : manifest.evidence) {
    CheckList(checks, claim.id)
        .not_checked("findings",
                     "only what is disclosed of them is here; that they are in order, and their "
                     "content tree sorted and complete, is checked on the case");
  }
  CheckList(checks, custody::ledger_name).not_checked("ledger", "it is no part of a disclosure");
  CheckList(checks, "case").not_checked("required fields", "the ledger, in which some of them stand, isn't here");
}

// A disclosure's signatures, numbered as beside a manifest.
void check_disclosed_signatures(const manifest::Disclosure& disclosure, const manifest::Trust* trust, Checks& checks) {
  CheckList list(checks, manifest::manifest_name);
  if (disclosure.signatures.empty()) list.failed(manifest::signature_check, "nobody has signed");
  for (std::size_t i = 0; i < disclosure.signatures.size(); ++i) {
    const manifest::DisclosedSignature& signature = disclosure.signatures[i];
    const std::string expected = std::string(manifest::manifest_name) + "." + std::to_string(i + 1) + ".p7s";
    if (signature.name != expected)
      list.failed("signature files", "\"" + signature.name + "\" stands where " + expected + " belongs");
    check_one_signature(disclosure.manifest, signature, trust, checks);
  }
}

}  // namespace

DisclosureReport verify_disclosure(std::string_view bytes, const Request& request) {
  DisclosureReport report;
  CheckList form(report.checks, request.target.filename().string());
  auto disclosure = manifest::read_disclosure(bytes);
  form.expect(disclosure.ok(), "disclosure form", "canonical, and every key as the format says",
              disclosure.ok() ? "" : disclosure.error().message);
  if (!disclosure.ok()) {
    form.not_checked("what is disclosed", "the file can't be read");
    return report;
  }
  report.disclosure = disclosure.take();
  CheckList list(report.checks, manifest::manifest_name);
  auto read = manifest::read_manifest(report.disclosure->manifest);
  list.expect(read.ok(), "manifest", "canonical, and every key as the format says",
              read.ok() ? "" : read.error().message);
  check_disclosed_signatures(*report.disclosure, trust_of(request), report.checks);
  if (!read.ok()) {
    list.not_checked("what is disclosed", "the manifest can't be read, so there is nothing to compare with");
    return report;
  }
  report.manifest = read.take();
  manifest::check_disclosure(*report.disclosure, *report.manifest, report.checks);
  tell_what_is_not_disclosed(*report.manifest, report.checks);
  check_inputs(*report.manifest, request, report.checks);
  check_previous(*report.manifest, request, report.checks);
  check_media(*report.manifest, request, report.checks);
  return report;
}

Result<Report> verify_case(const Request& request) {
  std::error_code error;
  const bool is_folder = fs::is_directory(request.target, error);
  if (!is_folder && !fs::exists(request.target, error))
    return manifest::file_error(ErrorCode::not_found, request.target, "isn't there; give a case folder or a manifest");
  const fs::path file = is_folder ? request.target / manifest::manifest_name : request.target;
  const fs::path folder = is_folder ? request.target : request.target.parent_path();
  const Status missing = is_folder ? Status::failed : Status::not_checked;

  Report report;
  CheckList list(report.checks, manifest::manifest_name);
  const auto bytes = manifest::read_whole(file);
  if (!bytes.ok()) {
    list.failed("manifest", bytes.error().message);
    return report;
  }
  auto read = manifest::read_manifest(*bytes);
  list.expect(read.ok(), "manifest", "canonical, and every key as the format says",
              read.ok() ? "" : read.error().message);
  check_manifest_signatures(file, *bytes, trust_of(request), report.checks);
  if (!read.ok()) {
    list.not_checked("the case", "the manifest can't be read, so there is nothing to compare with");
    return report;
  }
  report.manifest = read.take();
  for (const auto& claim : report.manifest->evidence)
    check_findings(folder, claim, request.scratch, missing, report.checks);
  check_uncovered(folder, *report.manifest, report.checks);
  check_custody(folder, *report.manifest, request, missing, report.checks);
  check_profiles(folder, file, *report.manifest, report.checks);
  check_inputs(*report.manifest, request, report.checks);
  check_previous(*report.manifest, request, report.checks);
  check_media(*report.manifest, request, report.checks);
  return report;
}

}  // namespace exhibit::verify
