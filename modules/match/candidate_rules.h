#pragma once
// The prefilter at work: from a content to the rules that libyara is given for it.

#include <exhibit/result.h>

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "match/content_blocks.h"
#include "match/prefilter.h"
#include "match/rule_subset.h"

namespace exhibit::match {

struct RulesToJudge {
  YR_RULES* rules = nullptr;
  std::uint64_t count = 0;  // 0: none can match
};

class CandidateRules {
 public:
  // `rules` must outlive it.
  static Result<std::unique_ptr<CandidateRules>> make(YR_RULES& rules, const std::vector<StringTree>& trees);

  // Reads all of `blocks`. What it gives is valid until it is asked again.
  RulesToJudge of(ContentBlocks& blocks, int timeout_seconds);

 private:
  CandidateRules(YR_RULES& whole, Conditions conditions) : whole_(whole), conditions_(std::move(conditions)) {}
  RuleSubset& subset(const std::vector<std::uint32_t>& rules);

  struct Kept {
    std::vector<std::uint32_t> numbers;
    RuleSubset subset;
  };

  YR_RULES& whole_;
  const Conditions conditions_;
  std::unique_ptr<Prefilter> prefilter_;
  std::optional<RuleSet> set_;
  std::list<Kept> kept_;  // the latest used first
};

}  // namespace exhibit::match
