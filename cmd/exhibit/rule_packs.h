#pragma once
// Rule files and packs (docs/rules.md) as --rules names them; the worker compiles them.

#include <exhibit/result.h>

#include <string>
#include <vector>

#include "base/json.h"

namespace exhibit::cmd {

struct RuleFile {
  std::string name;     // as matches name it (match/rule_files.h)
  std::string path;     // of the file
  std::string version;  // of its pack; empty where it is in none
};

// The files that the worker takes of a path: the file itself, or each .yar and .yara below the folder, sorted.
Result<std::vector<RuleFile>> rule_files(const std::string& path);

// The folder of the packs that are installed with this program.
std::string installed_packs();

// A path that is there, as it is; else the installed pack of that name; else the path, for the worker to refuse.
std::string find_rules(const std::string& named);

// What a pack.json must say, checked: name (the folder's), version, purpose, legal_basis, licence, authors;
// `designation_required` and `handling` may stand there. Error: what is wrong.
Result<base::Json> read_pack(const std::string& folder);

}  // namespace exhibit::cmd
