#pragma once
// Which files a user's rule paths mean, and their exact bytes, each file read once.

#include <exhibit/result.h>

#include <filesystem>
#include <string>
#include <vector>

namespace exhibit::match {

struct RuleSource {
  std::string name;            // base name, or path below `root` for a file of a folder; UTF-8, `/` between parts. A
                               // pack's name stands before it (base/rule_pack.h)
  std::filesystem::path path;  // canonical
  std::filesystem::path root;  // canonical: the folder that was named, or the folder of the file that was named
  std::string text;            // its exact bytes: no NUL, not compiled rules
  std::string sha256;          // of `text`
};

// Every file that `paths` name or that lies below a folder they name (.yar and .yara, in any case), sorted by name. An
// Error for a path that can't be read, a folder without rules, and two files of one name.
Result<std::vector<RuleSource>> collect_rule_files(const std::vector<std::string>& paths);

// The file that `calling` includes as `include`: a relative path that stays inside calling.root.
Result<RuleSource> read_included_file(const RuleSource& calling, const std::string& include);

}  // namespace exhibit::match
