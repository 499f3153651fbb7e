#pragma once
// Some of a set of compiled rules, as rules that libyara scans with: what they cost is theirs alone.
//
// libyara's time goes into its search, an Aho-Corasick automaton over short pieces ("atoms") of every string of every
// rule, and into the conditions of all rules. A subset shares the tables of rules and strings with the whole, but has
// an automaton of its own strings' atoms only, and the code of its own rules. Which atoms a string has is read back
// from the whole automaton, so that libyara verifies the same atoms at the same places in the same order.
// The formats are those of libyara 4.2.3: ahocorasick.h, types.h and exec.h.

#include <yara.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "match/conditions.h"

namespace exhibit::match {

// Valid as long as the rules that it is a part of.
class RuleSubset {
 public:
  RuleSubset(RuleSubset&&) = default;
  RuleSubset& operator=(RuleSubset&&) = default;
  YR_RULES* rules() { return &rules_; }

 private:
  friend class RuleSet;
  RuleSubset() = default;
  YR_RULES rules_{};
  std::vector<YR_AC_TRANSITION> transitions_;
  std::vector<std::uint32_t> state_matches_;
  std::vector<YR_AC_MATCH> matches_;
  std::vector<std::uint8_t> code_;
};

class RuleSet {
 public:
  // `rules` and `conditions` must outlive it. None where the automaton isn't laid out as libyara 4.2.3 does it.
  static std::optional<RuleSet> read(YR_RULES& rules, const Conditions& conditions);

  // `wanted`, every rule that those refer to, and the global rules of their namespaces; sorted.
  std::vector<std::uint32_t> with_all_needed(std::span<const std::uint32_t> wanted) const;

  // The subset of exactly these rules, which with_all_needed gave.
  RuleSubset subset(std::span<const std::uint32_t> rules) const;

 private:
  struct Atom {
    std::array<std::uint8_t, YR_MAX_ATOM_LENGTH> bytes{};
    std::uint8_t length = 0;
    const YR_AC_MATCH* match = nullptr;
  };

  YR_RULES* whole_ = nullptr;
  const Conditions* conditions_ = nullptr;
  std::vector<std::vector<Atom>> atoms_;            // by rule, in the automaton's order of each state
  std::vector<std::vector<std::uint32_t>> global_;  // by namespace
};

}  // namespace exhibit::match
