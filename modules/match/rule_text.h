#pragma once
// The rules of a YARA file as text, found without compiling it: so each can be compiled by itself.

#include <exhibit/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::match {

struct RuleText {
  std::string name;
  std::uint64_t line = 1;  // on which `text` begins
  std::string_view text;   // with all that stands before it (imports, comments) since the rule before
};

// In order; `source` must outlive them. What follows the last rule belongs to none. Error: a rule, comment, string or
// regular expression that doesn't end, naming its line.
Result<std::vector<RuleText>> split_rules(std::string_view source);

// SHA-256, lower-case hex, of a rule from its word `strings:` (or `condition:`, where it has none) to before its
// closing brace, each run of white space as one space: what it matches by, whatever its meta say. docs/rules.md.
std::string fingerprint_of(std::string_view rule);

}  // namespace exhibit::match
