#pragma once
// What a case tells by itself, as its profiles ask (custody/profile.h): from options and from --case-fields FILE.

#include <exhibit/result.h>

#include <string>
#include <vector>

#include "custody/profile.h"
#include "exhibit/case_folder.h"
#include "exhibit/common.h"

namespace exhibit::cmd {

// --number, --title, --authority, --examiner, --profile, --case-fields.
void add_case_options(options::options_description& described);

// What was given by them; an option is stronger than the file. Throws Usage for an unknown profile. Error for a file
// that isn't {field: value, …, "EVENT": {field: value, …}} of fields that a profile knows, each with a value.
Result<base::Json> case_fields(const options::variables_map& values);
Result<base::Json> read_case_fields(const std::string& file);

// Whether there is a number in it that isn't whole. What is signed holds none: other verifiers' canonical form would
// have to write floating point as ours does.
bool has_fraction(const base::Json& value);

// The members of `more` put over those of `fields`, also within an event's.
base::Json merged(base::Json fields, const base::Json& more);

// The profiles of a case's fields; where they name none, the default one.
Result<std::vector<const custody::Profile*>> profiles_of(const base::Json& case_fields);

// The case's fields and ledger as they stand: sealed or not, processed or not yet.
struct CaseState {
  base::Json fields = base::Json::object();
  std::vector<base::Json> events;
  std::vector<std::string> evidence;  // that has findings
};
Result<CaseState> state_of(const CaseFolder& folder);
std::vector<std::string> evidence_ids(const CaseFolder& folder);

// {"missing": key, "number", "where", "profiles", "label", "why", and "seq", "evidence" where they are known}
base::Json to_json(const custody::Missing& missing, std::string_view language);
// The same for a person, one line.
std::string text_of(const custody::Missing& missing, std::string_view language);

}  // namespace exhibit::cmd
