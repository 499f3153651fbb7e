#pragma once
// What a protocol tells of the findings: counts, coverage, and the first leads and problems.

#include <exhibit/item.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::report {

// Paper isn't the place for more; the rest is counted and stands in the findings.
inline constexpr std::size_t most_listed = 1000;

struct Lead {
  std::string item, facts, by, places;
};

struct ExhibitSummary {
  base::Json evidence = base::Json::object();  // the record
  std::vector<base::Json> volumes, coverage;   // records
  std::uint64_t items = 0, leads = 0, problems = 0;
  std::map<std::string, std::uint64_t> states;  // items by state
  std::vector<Lead> first_leads;
  std::vector<base::Json> first_problems;
};

}  // namespace exhibit::report
