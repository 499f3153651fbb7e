#pragma once
// Records that came by a pipe: what an earlier verb found is gone on with, nothing is walked again.

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::engine {

struct Given {
  struct Volume {
    std::string evidence;
    base::Json record;    // null: none came
    base::Json coverage;  // null: the listing isn't whole, and what lies beside its items is not to be looked at
    std::string items;    // file of its item, match and problem records
  };
  std::map<std::string, base::Json> evidence;  // by id: evidence records
  std::map<std::string, base::Json> coverage;  // by evidence id
  std::map<std::string, Volume> volumes;       // by id
  std::map<std::string, std::string> sources;  // by evidence id: where the image lies, as an earlier verb was told
  std::map<std::string, std::vector<base::Json>> problems;  // by evidence id: the evidence's own
  bool digested = true;                                     // every item with content has digests
};

// Reads record lines to the end of `input`, bounded and checked as a worker's are; sorts them into files under
// `folder`. An Error names the line.
Result<Given> read_given(std::FILE* input, const std::string& folder);

}  // namespace exhibit::engine
