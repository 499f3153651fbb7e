#pragma once
// What a report is made from: a case folder as it stands (manifest.md, "The case folder").

#include <exhibit/result.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "custody/profile.h"
#include "manifest/manifest.h"

namespace exhibit::report {

struct Exhibit {
  std::string id;
  std::filesystem::path findings;
  std::optional<manifest::EvidenceClaim> claim;  // of a sealed case
};

// What is left out of what restricted leads tell (matches with `handling: restricted`).
struct Redaction {
  bool paths = false;   // names of the items that they are about
  bool counts = false;  // the leads themselves, so that nobody can count them
  bool any() const { return paths || counts; }
};

struct CaseFacts {
  std::filesystem::path folder;
  std::string manifest;  // the exact bytes of manifest.json; empty where the case isn't sealed yet
  base::Json fields = base::Json::object();
  base::Json tool = base::Json::object();
  std::vector<manifest::Input> inputs;
  std::vector<Exhibit> exhibits;   // in order of their numbers
  std::vector<base::Json> events;  // the custody ledger's
  std::string open_transfers;      // what was handed over and nobody has accepted yet; empty where there is none
  std::string created;             // of the manifest; empty where there is none
  std::vector<const custody::Profile*> profiles;  // that the case names
  std::string language;                           // of what speaks to people: "ru", "be" or "en"
  std::optional<manifest::CustodyClaim> custody;  // the manifest's
  Redaction redaction;                            // none, unless somebody asks for it

  bool sealed() const { return !manifest.empty(); }
  // A field of the case that is text; empty where it is absent or something else.
  std::string field(const char* key) const;
};

// Of a sealed case what its manifest says, of another what its log remembers. Error where there are no findings, where
// a findings file isn't the one that the manifest speaks of, or where what should be read can't be.
Result<CaseFacts> read_case(const std::filesystem::path& folder);

// Finds the case's profiles, and the language: `wished`, or where that is empty the first one's first. Error where the
// case names a profile that isn't known, or none of its profiles has that language.
Result<void> choose_language(CaseFacts& facts, const std::string& wished);

// "a match is a lead": every output says so, in these words.
inline constexpr const char* lead_notice = "A match is a lead for a person to examine; it is not a finding of fact.";

}  // namespace exhibit::report
