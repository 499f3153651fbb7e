#pragma once
// Some of a set of compiled rules, as rules that libyara scans with: what they cost is theirs alone.
//
// libyara's time goes into its search, an Aho-Corasick automaton over short pieces ("atoms") of every string of every
// rule, and into the conditions of all rules. A subset has tables, code and an automaton of its own rules and strings
// only; texts and the code of regular expressions stay the whole's. Which atoms a string has is read back from the
// whole automaton, so that libyara verifies the same atoms at the same places in the same order.
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
  // Where the subset lies may change, where its tables lie doesn't.
  YR_RULES* rules();
  // The same strings without any condition: a scan by it searches, and neither loads a module nor tells of a rule.
  YR_RULES* search_alone();
  bool loads_modules() const { return loads_modules_; }
  // By number in the subset, the number in the whole.
  std::uint32_t string_in_whole(std::uint32_t string) const { return string_numbers_[string]; }

 private:
  friend class RuleSet;
  RuleSubset() = default;
  YR_RULES rules_{};
  YR_ARENA arena_{};  // the whole's and the tables below: libyara checks that what it runs on lies in an arena
  std::vector<YR_RULE> rules_table_;
  std::vector<YR_STRING> strings_;
  std::vector<YR_AC_TRANSITION> transitions_;
  std::vector<std::uint32_t> state_matches_;
  std::vector<YR_AC_MATCH> matches_;
  std::vector<std::uint8_t> code_;
  std::vector<std::uint32_t> string_numbers_;
  bool loads_modules_ = false;
  YR_RULES search_alone_{};
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

  void copy_tables(std::span<const std::uint32_t> rules, RuleSubset& subset) const;
  void copy_code(std::span<const std::uint32_t> rules, RuleSubset& subset) const;
  static std::uint32_t new_number(std::span<const std::uint32_t> rules, std::uint32_t rule);
  YR_STRING* copy_of(RuleSubset& subset, std::span<const std::uint32_t> rules, const YR_STRING& string) const;

  YR_RULES* whole_ = nullptr;
  const Conditions* conditions_ = nullptr;
  std::vector<std::vector<Atom>> atoms_;            // by rule, in the automaton's order of each state
  std::vector<std::vector<std::uint32_t>> global_;  // by namespace
};

}  // namespace exhibit::match
