#pragma once
// What a record must hold, by jurisdiction: profiles/NAME.json, built into the program. A profile is data that a lawyer
// confirms; each rule names its source and how well that source is known (jurisdictions.md: RUN executed, SRC read in
// the primary source, 2ND seen in a secondary one, K general knowledge, - a rule of Exhibit's own).

#include <exhibit/result.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace exhibit::custody {

inline constexpr const char* default_profile = "int";

// One text in the three languages.
struct Labels {
  std::string ru, be, en;
  // Of "ru", "be" or "en"; nothing else is asked for.
  const std::string& in(std::string_view language) const;
};
// "ru", "be", "en".
std::span<const char* const> languages();

struct Field {
  std::string key;
  std::uint64_t number = 0;  // the row of jurisdictions.md 2.5
  Labels labels;
  // Who tells it: "case" (the manifest's `case`), "event:NAME" (that event of the ledger), "tool" and "manifest" (what
  // Exhibit writes by itself). The same key may stand at several places.
  std::string where;
  bool required = false;
  std::string with;           // required only where the case field of this key is told and isn't 'none'
  std::string unless;         // required only where the field of this key, of the same event, is 'none'
  std::uint64_t minimum = 0;  // a list has at least so many entries
  std::string source, mark;

  // NAME of "event:NAME"; nothing for the other places.
  std::optional<std::string> event() const;
};

struct DigestRules {
  std::vector<std::string> media, findings, manifest, trees;  // hash::algorithms()
  std::string source, mark;
};

struct TimeRules {
  std::string precision;      // of local times: "minute"
  bool offset = false;        // with their offset from UTC
  bool zone = false;          // with their IANA zone
  bool clock_offset = false;  // with the clock's measured offset
  std::string source, mark;
};

// How many people must say the same of a lead before it counts as settled.
struct ReviewRules {
  std::uint64_t persons = 1;     // of any lead
  std::uint64_t restricted = 1;  // of a lead whose content is not to be shown without a word
  std::string source, mark;
};

struct Profile {
  std::string name, version;
  Labels title;
  std::vector<std::string> languages;  // of the protocol, the first one first
  DigestRules digests;
  std::vector<std::string> signatures;  // suites by name (manifest/suite.h), any one of which will do
  TimeRules time;
  ReviewRules review;
  std::vector<std::string> events;  // what a ledger must hold before sealing; of the others nothing is asked until
                                    // they happen
  std::vector<Field> fields;        // by number
};

// All of them, sorted by name. They live as long as the program.
std::span<const Profile> profiles();
// One by name. Error: there is no such profile.
Result<const Profile*> profile(std::string_view name);
// Those of "ru,by", in this order. Error: an unknown one, one named twice, none.
Result<std::vector<const Profile*>> profiles_named(std::string_view names);

// Reads one file's text, for profiles() and its test.
Result<Profile> parse_profile(std::string_view name, std::string_view json);

// The files as they were built in, sorted by name.
struct ProfileFile {
  const char* name;  // without `.json`
  std::string_view text;
};
std::span<const ProfileFile> profile_files();

// Whether something is told: text that isn't blank, a number, a truth value, a list or an object in which everything is
// told. {"none": "because …"} is told; {"none": ""}, "" and null aren't.
bool is_told(const base::Json& value);
// {"none": "because …"}, and nothing else.
bool is_none(const base::Json& value);

// What a case tells for a field: one value for each place where it stands.
struct Told {
  std::uint64_t seq = 0;  // of the ledger's event; 0: the case's own fields
  base::Json value;
};
// Of "case": case_fields[key]. Of "event:NAME": for each such event its detail[key], the last correction of it
// (`corrected`, detail[key]) first; then what the event tells by itself (place, participants, and as `witnesses` the
// participants in the role "witness"); then case_fields[NAME][key]. Without such an event: case_fields[NAME][key].
// `events`: as read_events gives them. Empty for "tool" and "manifest", and where nothing is told.
std::vector<Told> told(const Field& field, const base::Json& case_fields, std::span<const base::Json> events);

// What a profile requires and the case doesn't tell.
struct Missing {
  const Field* field = nullptr;       // lives as long as the program
  std::vector<std::string> profiles;  // who require it
  std::uint64_t seq = 0;              // the event that lacks it; 0 where it is the case, or no such event happened
  std::string evidence;               // the exhibit for which no such event happened; empty: none at all, or the case
  std::string why;                    // "isn't told", "isn't told: no event 'received' of E2", "has 1 of 2"
};
// `evidence`: the exhibits of the case, each of which needs the profile's events; empty: any one event will do.
// What Exhibit writes by itself ("tool", "manifest") is never missing. In order of number, then seq.
std::vector<Missing> missing_fields(std::span<const Profile* const> profiles, const base::Json& case_fields,
                                    std::span<const base::Json> events, const std::vector<std::string>& evidence = {});

}  // namespace exhibit::custody
