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

// Whether libyara 4.2.3 may abort while it scans for this string, and how a rule's author is told.
bool would_abort(const RE_AST& string);
std::string why_it_aborts(const std::string& rule, const std::string& string);

// An empty compiler that knows the variables that packs expect.
Result<YaraCompiler> new_rule_compiler();

}  // namespace exhibit::match
