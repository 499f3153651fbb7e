#include "match/candidate_rules.h"

#include <algorithm>

namespace exhibit::match {
namespace {

// Contents of one kind often have the same candidates.
constexpr std::size_t max_kept = 16;

Error not_understood(const char* what) {
  return {
      ErrorCode::unsupported,
      std::string("the prefilter doesn't understand how this libyara lays out ") + what + "; switch the prefilter off",
      {},
      {}};
}

}  // namespace

Result<std::unique_ptr<CandidateRules>> CandidateRules::make(YR_RULES& rules, const std::vector<StringTree>& trees) {
  auto conditions = Conditions::read(rules);
  if (!conditions) return not_understood("conditions");
  std::unique_ptr<CandidateRules> candidates(new CandidateRules(rules, std::move(*conditions)));
  candidates->set_ = RuleSet::read(rules, candidates->conditions_);
  if (!candidates->set_) return not_understood("its automaton");
  candidates->prefilter_ = EXHIBIT_TRY(Prefilter::make(rules, candidates->conditions_, trees));
  return candidates;
}

RulesToJudge CandidateRules::of(ContentBlocks& blocks) {
  prefilter_->begin();
  blocks.visit([this](std::span<const std::byte> block) { prefilter_->look_at(block); });
  const std::vector<std::uint32_t> wanted = prefilter_->candidates(blocks.size(), blocks.head());
  if (wanted.empty()) return {};
  const std::vector<std::uint32_t> needed = set_->with_all_needed(wanted);
  if (needed.size() > whole_.num_rules / 2) return {&whole_, whole_.num_rules};
  return {subset(needed), needed.size()};
}

YR_RULES* CandidateRules::subset(const std::vector<std::uint32_t>& rules) {
  auto known = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.numbers == rules; });
  if (known == kept_.end()) {
    if (kept_.size() == max_kept) kept_.pop_back();
    known = kept_.insert(kept_.begin(), Kept{rules, set_->subset(rules)});
  }
  kept_.splice(kept_.begin(), kept_, known);
  return kept_.front().subset.rules();
}

}  // namespace exhibit::match
