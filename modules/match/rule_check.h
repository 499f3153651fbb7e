#pragma once
// What `exhibit rules check` asks of a rule file in a sealed process: each rule compiled by itself, so that the one
// that the compiler dies of is known; what its meta say; and what it costs.

#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::match {

// The cost of a rule whose scan doesn't end in time, or at all.
inline constexpr std::uint64_t unmeasured = std::uint64_t{1} << 53;

struct CheckedRule {
  std::string name;
  std::map<std::string, std::string> meta;
  std::string fingerprint;  // as it should be (rule_text.h)
  std::uint64_t strings = 0;
  // Processor time for a MiB of the reference content beyond that of no rule at all; `unmeasured` where the scan didn't
  // end.
  std::uint64_t nanoseconds_per_mib = 0;
};

// `before` is called with a rule's name before it is compiled and before it is measured. Error: names line and rule.
// A file that includes another is refused: a pack's file stands alone.
Result<std::vector<CheckedRule>> check_rules(std::string_view source,
                                             const std::function<void(const std::string& rule)>& before);

}  // namespace exhibit::match
