#pragma once
// Whether a compiled rule can be true, judged without searching for its strings.
//
// The conditions are bytecode (yara/exec.h). It is run over abstract values: what is known of the content is a number,
// everything else may be zero, not zero or undefined, and where both ways of a jump are open both are followed. A rule
// whose condition can't come out true so is false in libyara too, whatever the rest of the content is. Anything that
// this reader of libyara 4.2.3's bytecode doesn't know makes the rule one that can be true.

#include <yara.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "match/condition_code.h"
#include "match/content_facts.h"

namespace exhibit::match {

class Conditions {
 public:
  // `rules` must outlive it. None where the code as a whole isn't laid out as libyara 4.2.3 does it.
  static std::optional<Conditions> read(const YR_RULES& rules);

  const std::vector<RuleCode>& rules() const { return code_.rules; }
  const std::vector<const char*>& imports() const { return code_.imports; }

  // False only if the rule can't match a content of which `facts` hold. Rules that it refers to are judged, too.
  bool can_match(std::uint32_t rule, const ContentFacts& facts) const;

 private:
  friend class Run;
  bool is_empty_variable(std::string_view name) const;
  bool can_fit_empty_text(std::uint8_t opcode, const std::uint8_t* operand_at) const;
  using Judged = std::map<std::uint32_t, bool>;  // by rule, while one rule is asked about
  bool can_match(std::uint32_t rule, const ContentFacts& facts, Judged& judged, int depth) const;

  const YR_RULES* libyara_ = nullptr;
  ConditionCode code_;
};

}  // namespace exhibit::match
