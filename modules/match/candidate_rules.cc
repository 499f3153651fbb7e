#include "match/candidate_rules.h"

#include <algorithm>

#include "match/yara_handles.h"

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

// Which strings of the subset match, by their numbers in the whole. None where the search didn't go to its end: what
// then happened will happen again when the rules are judged, and be told.
std::optional<std::vector<std::uint32_t>> search(RuleSubset& subset, ContentBlocks& blocks, int timeout_seconds) {
  struct Found {
    const RuleSubset& subset;
    std::vector<std::uint32_t> strings;
    bool complete = true;
  } found{subset, {}};
  YR_SCANNER* scanner = nullptr;
  if (yr_scanner_create(subset.search_alone(), &scanner) != ERROR_SUCCESS) return std::nullopt;
  const YaraScannerHandle owned(scanner);
  yr_scanner_set_flags(scanner, SCAN_FLAGS_NO_TRYCATCH);
  yr_scanner_set_timeout(scanner, timeout_seconds);
  yr_scanner_set_callback(
      scanner,
      [](YR_SCAN_CONTEXT* context, int message, void*, void* user) noexcept -> int {
        auto& into = *static_cast<Found*>(user);
        if (message == CALLBACK_MSG_TOO_MANY_MATCHES) into.complete = false;
        for (std::uint32_t i = 0; message == CALLBACK_MSG_SCAN_FINISHED && i < context->rules->num_strings; ++i) {
          if (context->matches[i].head != nullptr) into.strings.push_back(into.subset.string_in_whole(i));
        }
        return CALLBACK_CONTINUE;
      },
      &found);
  if (yr_scanner_scan_mem_blocks(scanner, blocks.start(*scanner)) != ERROR_SUCCESS || !found.complete) {
    return std::nullopt;
  }
  return found.strings;
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

RulesToJudge CandidateRules::of(ContentBlocks& blocks, int timeout_seconds) {
  prefilter_->begin();
  blocks.visit([this](std::span<const std::byte> block) { prefilter_->look_at(block); });
  std::vector<std::uint32_t> wanted = prefilter_->candidates(blocks.size(), blocks.head());
  std::vector<std::uint32_t> needed = set_->with_all_needed(wanted);
  if (needed.size() > whole_.num_rules / 2) return {&whole_, whole_.num_rules};
  if (!needed.empty() && subset(needed).loads_modules()) {
    if (const auto matching = search(subset(needed), blocks, timeout_seconds)) {
      wanted = prefilter_->narrowed(std::move(wanted), needed, *matching, blocks.size(), blocks.head());
      needed = set_->with_all_needed(wanted);
    }
  }
  if (needed.empty()) return {};
  return {subset(needed).rules(), needed.size()};
}

RuleSubset& CandidateRules::subset(const std::vector<std::uint32_t>& rules) {
  auto known = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) { return kept.numbers == rules; });
  if (known == kept_.end()) {
    if (kept_.size() == max_kept) kept_.pop_back();
    known = kept_.insert(kept_.begin(), Kept{rules, set_->subset(rules)});
  }
  kept_.splice(kept_.begin(), kept_, known);
  return kept_.front().subset;
}

}  // namespace exhibit::match
