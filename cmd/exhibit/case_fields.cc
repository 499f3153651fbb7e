#include "exhibit/case_fields.h"

#include <algorithm>
#include <filesystem>

#include "custody/ledger.h"
#include "manifest/file.h"
#include "manifest/manifest.h"

namespace exhibit::cmd {
namespace fs = std::filesystem;
using base::Json;

namespace {

constexpr const char* told_by_options[] = {"number", "title", "authority", "examiner", "profile"};

Error unfit(const std::string& file, const std::string& what) {
  return {ErrorCode::corrupt, file + ": " + what, {}, {}};
}

// Whether any profile has such a field there.
bool is_field(const std::string& where, const std::string& key) {
  for (const custody::Profile& profile : custody::profiles()) {
    for (const custody::Field& field : profile.fields) {
      if (field.where == where && field.key == key) return true;
    }
  }
  return where == "case" && key == "title";
}

bool is_event(const std::string& name) {
  const auto names = custody::event_names();
  return std::any_of(names.begin(), names.end(), [&](const char* one) { return name == one; });
}

Result<void> check_members(const std::string& file, const std::string& where, const Json& members) {
  for (const auto& [key, value] : members.items()) {
    if (where == "case" && is_event(key)) {
      if (!value.is_object()) return unfit(file, "\"" + key + "\" is an event: it holds that event's fields");
      EXHIBIT_TRY(check_members(file, "event:" + key, value));
      continue;
    }
    if (!is_field(where, key)) return unfit(file, "no profile has the field \"" + key + "\" at " + where);
    if (!custody::is_told(value)) {
      return unfit(file, "\"" + key + "\" has no value; what there isn't is {\"none\": \"because …\"}");
    }
  }
  return {};
}

}  // namespace

void add_case_options(options::options_description& described) {
  described.add_options()("number", options::value<std::string>(), "the case's number")(
      "title", options::value<std::string>(), "its title")("authority", options::value<std::string>(),
                                                           "the order that allows this: type, number, date, issuer")(
      "examiner", options::value<std::string>(), "who processes")(
      "profile", options::value<std::string>()->default_value(custody::default_profile),
      "jurisdiction: int, ru, by, or several: ru,by")(
      "case-fields", options::value<std::string>(),
      "what else the profile asks of a case, JSON ('exhibit profile show')");
}

Result<Json> read_case_fields(const std::string& file) {
  const auto fields = base::parse_json(EXHIBIT_TRY(manifest::read_whole(file)));
  if (!fields.ok()) return unfit(file, fields.error().message);
  if (!fields->is_object()) return unfit(file, "isn't an object");
  if (has_fraction(*fields)) return unfit(file, "holds a number that isn't whole; write it as a text");
  EXHIBIT_TRY(check_members(file, "case", *fields));
  return *fields;
}

Result<Json> case_fields(const options::variables_map& values) {
  const auto known = custody::profiles_named(values["profile"].as<std::string>());
  if (!known.ok()) throw Usage{"--profile: " + known.error().message};
  Json fields = Json::object();
  if (values.count("case-fields") != 0) {
    fields = EXHIBIT_TRY(read_case_fields(values["case-fields"].as<std::string>()));
  }
  for (const char* key : told_by_options) {
    if (values.count(key) != 0) fields[key] = values[key].as<std::string>();
  }
  return fields;
}

bool has_fraction(const Json& value) {
  if (value.is_structured()) return std::any_of(value.begin(), value.end(), has_fraction);
  return value.is_number_float();
}

Json merged(Json fields, const Json& more) {
  for (const auto& [key, value] : more.items()) {
    const bool within = is_event(key) && fields.contains(key) && fields[key].is_object();
    fields[key] = within ? merged(fields[key], value) : value;
  }
  return fields;
}

Result<std::vector<const custody::Profile*>> profiles_of(const Json& case_fields) {
  const auto named = case_fields.find("profile");
  if (named == case_fields.end()) return custody::profiles_named(custody::default_profile);
  if (!named->is_string()) return Error{ErrorCode::corrupt, "the case's profile isn't a text", {}, {}};
  return custody::profiles_named(named->get<std::string>());
}

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

Result<CaseState> state_of(const CaseFolder& folder) {
  if (!fs::is_directory(folder.path())) {
    return Error{ErrorCode::not_found, folder.path() + ": there is no such case folder", {}, {}};
  }
  CaseState state;
  if (folder.sealed()) {
    const auto bytes = EXHIBIT_TRY(folder.get(folder.path() + "/" + manifest::manifest_name));
    state.fields = EXHIBIT_TRY(manifest::read_manifest(bytes)).case_fields;
  } else {
    const auto memory = folder.memory();
    if (memory.ok()) {
      state.fields = memory->case_fields;
    } else if (memory.error().code != ErrorCode::not_found) {  // not processed yet
      return memory.error();
    }
  }
  if (fs::exists(folder.ledger())) state.events = EXHIBIT_TRY(custody::read_events(folder.ledger()));
  state.evidence = evidence_ids(folder);
  return state;
}

Json to_json(const custody::Missing& missing, std::string_view language) {
  Json made = {{"missing", missing.field->key},
               {"number", missing.field->number},
               {"where", missing.field->where},
               {"profiles", missing.profiles},
               {"label", missing.field->labels.in(language)},
               {"why", missing.why}};
  if (missing.seq != 0) made["seq"] = missing.seq;
  if (!missing.evidence.empty()) made["evidence"] = missing.evidence;
  return made;
}

std::string text_of(const custody::Missing& missing, std::string_view language) {
  std::string profiles;
  for (const std::string& name : missing.profiles) profiles += (profiles.empty() ? "" : ",") + name;
  return profiles + ": " + missing.field->key + " (" + missing.field->where +
         (missing.seq == 0 ? "" : ", seq " + std::to_string(missing.seq)) + ") " + missing.why + ": " +
         missing.field->labels.in(language);
}

}  // namespace exhibit::cmd
