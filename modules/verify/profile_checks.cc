#include "verify/profile_checks.h"

#include <algorithm>

#include "custody/ledger.h"
#include "custody/profile.h"
#include "manifest/signing_certificate.h"

namespace exhibit::verify {
namespace fs = std::filesystem;
namespace {

using base::Json;
using custody::Profile;
using manifest::CheckList;
using manifest::Manifest;

constexpr const char* required_fields = "required fields";
constexpr const char* profile_digests = "profile digests";
constexpr const char* profile_signatures = "profile signatures";

void note_absent(const std::vector<std::string>& demanded, const Digests& there, const std::string& of,
                 std::string& absent) {
  for (const std::string& name : demanded) {
    if (!there.contains(name)) absent += (absent.empty() ? "" : ", ") + name + " of " + of;
  }
}

void check_digests(const Profile& profile, const Manifest& manifest, CheckList& list) {
  std::string absent;
  for (const manifest::EvidenceClaim& claim : manifest.evidence) {
    if (claim.integrity != manifest::unreadable)
      note_absent(profile.digests.media, claim.digests, claim.id + "'s medium", absent);
    note_absent(profile.digests.findings, claim.findings.digests, claim.id + "'s findings", absent);
    note_absent(profile.digests.trees, claim.findings.trees, claim.id + "'s tree", absent);
  }
  list.expect(absent.empty(), profile_digests, "all that it demands", "it demands " + absent);
}

void check_signers(const Profile& profile, const fs::path& manifest_file, CheckList& list) {
  const auto signers = manifest::signers_of(manifest_file);
  if (!signers.ok()) return;  // the signature's own check says why
  std::string suites;
  for (const std::string& suite : profile.signatures) {
    const auto is_it = [&](const manifest::SigningCertificate& signer) { return signer.suite == suite; };
    if (std::any_of(signers->begin(), signers->end(), is_it)) return list.ok(profile_signatures, suite);
    suites += (suites.empty() ? "" : " or ") + suite;
  }
  list.not_checked(profile_signatures, "nobody has signed by " + suites + " yet");
}

// The profiles under which the manifest says that it was made, as this program knows them; the others are told of.
std::vector<const Profile*> known_profiles(const Manifest& manifest, manifest::Checks& checks) {
  std::vector<const Profile*> known;
  const Json versions = manifest.case_fields.value("profile_versions", Json::object());
  if (!versions.is_object() || versions.empty()) {
    CheckList(checks, "profile")
        .not_checked(required_fields, "the manifest doesn't say under which version of a profile it was made");
    return known;
  }
  const Json names = manifest.case_fields.value("profile", Json());
  const auto named = custody::profiles_named(names.is_string() ? names.get<std::string>() : std::string());
  if (!named.ok()) CheckList(checks, "profile").not_checked(required_fields, named.error().message);
  for (const Profile* profile : named.ok() ? *named : std::vector<const Profile*>()) {
    if (!versions.contains(profile->name))
      CheckList(checks, "profile " + profile->name)
          .not_checked(required_fields, "the manifest doesn't say under which version of it it was made");
  }
  for (const auto& [name, version] : versions.items()) {
    const auto profile = custody::profile(name);
    if (profile.ok() && (*profile)->version == version) {
      known.push_back(*profile);
    } else {
      CheckList(checks, "profile " + name)
          .not_checked(required_fields, profile.ok() ? "made under version " + version.dump() +
                                                           " of it, this program has " + (*profile)->version
                                                     : profile.error().message);
    }
  }
  return known;
}

// The events that the manifest saw; none where the ledger can't be read, which is another check's matter.
std::vector<Json> events_seen(const fs::path& folder, const Manifest& manifest) {
  auto events = custody::read_events(folder / custody::ledger_name);
  if (!events.ok()) return {};
  if (events->size() > manifest.custody.events) events->resize(manifest.custody.events);
  return events.take();
}

void check_fields(const std::vector<const Profile*>& profiles, const fs::path& folder, const Manifest& manifest,
                  manifest::Checks& checks) {
  CheckList list(checks, "case");
  std::vector<std::string> ids;
  for (const manifest::EvidenceClaim& claim : manifest.evidence) ids.push_back(claim.id);
  const auto events = events_seen(folder, manifest);
  if (events.empty() && manifest.custody.events != 0) {
    list.not_checked(required_fields, "the ledger isn't here, or can't be read");
    return;
  }
  const auto missing = custody::missing_fields(profiles, manifest.case_fields, events, ids);
  if (missing.empty()) {
    list.ok(required_fields, "all told");
    return;
  }
  std::string names;
  for (const custody::Missing& one : missing) {
    const std::string name = one.field->where + " " + one.field->key;
    if (names.find(name) == std::string::npos) names += (names.empty() ? "" : ", ") + name;
  }
  const Json incomplete = manifest.case_fields.value("incomplete", Json::object());
  const Json reason = incomplete.is_object() ? incomplete.value("reason", Json()) : Json();
  if (custody::is_told(reason)) {
    list.not_checked(required_fields,
                     "sealed incomplete, because: " + (reason.is_string() ? reason.get<std::string>() : reason.dump()) +
                         "; missing: " + names);
  } else {
    list.failed(required_fields, "missing, and the manifest doesn't say why: " + names);
  }
}

}  // namespace

void check_profiles(const fs::path& folder, const fs::path& manifest_file, const Manifest& manifest,
                    manifest::Checks& checks) {
  const auto profiles = known_profiles(manifest, checks);
  if (profiles.empty()) return;
  for (const Profile* profile : profiles) {
    CheckList list(checks, "profile " + profile->name);
    check_digests(*profile, manifest, list);
    check_signers(*profile, manifest_file, list);
  }
  check_fields(profiles, folder, manifest, checks);
}

}  // namespace exhibit::verify
