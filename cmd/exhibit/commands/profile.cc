// exhibit profile show|check: what a jurisdiction asks for, and what a case still lacks.

#include "custody/profile.h"

#include <filesystem>

#include "custody/ledger.h"
#include "exhibit/case_fields.h"
#include "exhibit/case_folder.h"
#include "exhibit/common.h"
#include "manifest/signing_certificate.h"

namespace exhibit::cmd {

extern const Verb profile_verb;

namespace {

namespace fs = std::filesystem;
using base::Json;
using custody::Field;
using custody::Profile;

std::string language_of(const options::variables_map& values, const Profile& profile) {
  return values.count("language") != 0 ? values["language"].as<std::string>() : profile.languages.front();
}

Json rules_of(const Profile& profile, const std::string& language) {
  return {{"profile", profile.name},
          {"version", profile.version},
          {"title", profile.title.in(language)},
          {"languages", profile.languages},
          {"digests",
           {{"media", profile.digests.media},
            {"findings", profile.digests.findings},
            {"manifest", profile.digests.manifest},
            {"trees", profile.digests.trees},
            {"source", profile.digests.source},
            {"mark", profile.digests.mark}}},
          {"signatures", profile.signatures},
          {"time",
           {{"precision", profile.time.precision},
            {"offset", profile.time.offset},
            {"zone", profile.time.zone},
            {"clock_offset", profile.time.clock_offset},
            {"source", profile.time.source},
            {"mark", profile.time.mark}}},
          {"events", profile.events}};
}

Json record_of(const Field& field, const std::string& profile, const std::string& language) {
  Json made = {{"field", field.key},     {"profile", profile},
               {"number", field.number}, {"label", field.labels.in(language)},
               {"where", field.where},   {"required", field.required},
               {"source", field.source}, {"mark", field.mark}};
  if (!field.with.empty()) made["with"] = field.with;
  if (!field.unless.empty()) made["unless"] = field.unless;
  if (field.minimum != 0) made["minimum"] = field.minimum;
  return made;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// When a field is required, in few words.
std::string demand_of(const Field& field) {
  if (!field.required) return "";
  if (!field.with.empty()) return "with " + field.with;
  if (!field.unless.empty()) return "without " + field.unless;
  return "yes";
}

void print(const Profile& profile, const std::string& language) {
  put_line(profile.name + ", version " + profile.version + ": " + profile.title.in(language));
  put_line("digests: media " + joined(profile.digests.media) + "; findings " + joined(profile.digests.findings) +
           "; manifest " + joined(profile.digests.manifest) + "; trees " + joined(profile.digests.trees) + " (" +
           profile.digests.source + ") [" + profile.digests.mark + "]");
  put_line("signatures, any of: " + joined(profile.signatures));
  put_line("times: to the " + profile.time.precision + (profile.time.offset ? ", offset" : "") +
           (profile.time.zone ? ", zone" : "") + (profile.time.clock_offset ? ", the clock's measured offset" : "") +
           " (" + profile.time.source + ") [" + profile.time.mark + "]");
  put_line("events before sealing: " + joined(profile.events) + "\n");
  Table table({"row", "field", "where", "required", "mark", "source", "label"});
  for (const Field& field : profile.fields) {
    table.add({std::to_string(field.number), field.key, field.where, demand_of(field), field.mark, field.source,
               field.labels.in(language)});
  }
  table.print();
}

Result<int> show(const options::variables_map& values, const std::string& name) {
  for (const Profile* profile : EXHIBIT_TRY(custody::profiles_named(name))) {
    const std::string language = language_of(values, *profile);
    if (!wants_records(values)) {
      print(*profile, language);
      continue;
    }
    put_line(base::canonical(rules_of(*profile, language)));
    for (const Field& field : profile->fields) put_line(base::canonical(record_of(field, profile->name, language)));
  }
  return exit_done;
}

// The profiles of which nobody has signed the manifest in a suite that they ask for.
Result<std::vector<const Profile*>> unsigned_profiles(const CaseFolder& folder,
                                                      const std::vector<const Profile*>& profiles) {
  std::vector<const Profile*> unsigned_yet;
  if (!folder.sealed()) return unsigned_yet;
  const auto signers = EXHIBIT_TRY(manifest::signers_of(fs::path(folder.path()) / manifest::manifest_name));
  for (const Profile* profile : profiles) {
    const auto& suites = profile->signatures;
    const bool found = std::any_of(signers.begin(), signers.end(), [&](const manifest::SigningCertificate& signer) {
      return std::find(suites.begin(), suites.end(), signer.suite) != suites.end();
    });
    if (!found) unsigned_yet.push_back(profile);
  }
  return unsigned_yet;
}

Result<int> check(const options::variables_map& values, const std::string& path) {
  const CaseFolder folder(path);
  const CaseState state = EXHIBIT_TRY(state_of(folder));
  const auto profiles =
      EXHIBIT_TRY(values.count("profile") != 0 ? custody::profiles_named(values["profile"].as<std::string>())
                                               : profiles_of(state.fields));
  const std::string language = language_of(values, *profiles.front());
  const auto missing = custody::missing_fields(profiles, state.fields, state.events, state.evidence);
  std::vector<custody::OpenTransfer> open;
  if (fs::exists(folder.ledger())) open = EXHIBIT_TRY(custody::open_transfers(folder.ledger()));
  const auto unsigned_yet = EXHIBIT_TRY(unsigned_profiles(folder, profiles));
  const bool complete = missing.empty() && unsigned_yet.empty();
  if (wants_records(values)) {
    for (const auto& one : missing) put_line(base::canonical(to_json(one, language)));
    for (const Profile* one : unsigned_yet)
      put_line(base::canonical({{"missing_signature", one->name}, {"any_of", one->signatures}}));
    for (const auto& one : open) put_line(base::canonical({{"open_transfer", one.seq}, {"evidence", one.evidence}}));
    put_line(base::canonical({{"complete", complete}, {"missing", missing.size() + unsigned_yet.size()}}));
  } else {
    for (const auto& one : missing) put_line(printable(text_of(one, language)));
    for (const Profile* one : unsigned_yet) put_line(one->name + ": no signature by any of " + joined(one->signatures));
    for (const auto& one : open)
      put_line("open transfer: " + joined(one.evidence) + " since seq " + std::to_string(one.seq));
    put_line(complete ? "complete"
                      : std::to_string(missing.size() + unsigned_yet.size()) + " required things are missing");
  }
  return complete ? exit_done : exit_no;
}

int run_profile(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  described.add_options()("language", options::value<std::string>(),
                          "of the labels: ru, be or en (default: the profile's)")(
      "profile", options::value<std::string>(), "check: by this one, rather than the case's own")(
      "json", "record lines, also on a terminal");
  const Parsed parsed = parse(profile_verb, arguments, described, "words", 2);
  if (parsed.help) return exit_done;
  if (parsed.values.count("language") != 0) {
    const auto known = custody::languages();
    const std::string language = parsed.values["language"].as<std::string>();
    if (std::none_of(known.begin(), known.end(), [&](const char* one) { return language == one; }))
      throw Usage{"--language takes ru, be or en"};
  }
  std::vector<std::string> words;
  if (parsed.values.count("words") != 0) words = parsed.values["words"].as<std::vector<std::string>>();
  if (words.size() != 2 || (words[0] != "show" && words[0] != "check"))
    throw Usage{"say 'show NAME' (int, ru, by) or 'check CASE'"};
  const auto status = words[0] == "show" ? show(parsed.values, words[1]) : check(parsed.values, words[1]);
  return status.ok() ? *status : fail(status.error());
}

}  // namespace

const Verb profile_verb = {"profile", "show NAME | check CASE [options]",
                           "what a jurisdiction asks for, and what a case still lacks", run_profile};

}  // namespace exhibit::cmd
