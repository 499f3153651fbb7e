#pragma once
// From rule files to compiled rules: all of them, or an Error that names file and line.

#include <exhibit/result.h>

#include <string>
#include <vector>

#include "match/content.h"
#include "match/prefilter.h"
#include "match/yara_handles.h"

namespace exhibit::match {

struct CompiledRules {
  YaraRules rules;
  std::vector<RuleFile> files;    // sorted by name; files that others include are among them
  std::vector<StringTree> trees;  // in the order of compilation
};

// Needs a YaraLibrary alive.
Result<CompiledRules> compile_rules(const std::vector<std::string>& paths);

}  // namespace exhibit::match
