#include "match/prefilter.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

namespace exhibit::match {
namespace {

void set_bit(std::vector<std::uint64_t>& bits, std::size_t at) { bits[at / 64] |= std::uint64_t{1} << (at % 64); }

void clear_bit(std::vector<std::uint64_t>& bits, std::size_t at) { bits[at / 64] &= ~(std::uint64_t{1} << (at % 64)); }

// Literals of this worth are seldom found: a rule that has only such ones needs no others. Below 8 the prefilter lets
// more contents through to libyara than it gains, above 12 its search is slower (measured with signature-base).
constexpr double rare = 10;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool has_tree(const YR_STRING& string) {
  return (string.flags &
          (STRING_FLAGS_HEXADECIMAL | STRING_FLAGS_REGEXP | STRING_FLAGS_BASE64 | STRING_FLAGS_BASE64_WIDE)) != 0;
}

// The literals of a text string, or of `tree`, as the content holds them.
std::optional<NeededLiterals> literals_of_string(const YR_STRING& string, const StringTree* tree) {
  if (tree == nullptr) {
    if (!STRING_IS_LITERAL(&string) || string.length <= 0) return std::nullopt;
    const auto literals = literals_of(
        std::string_view(reinterpret_cast<const char*>(string.string), static_cast<std::size_t>(string.length)));
    if (!literals) return std::nullopt;
    const auto held = encoded(*literals, STRING_IS_ASCII(&string) || !STRING_IS_WIDE(&string), STRING_IS_WIDE(&string));
    return STRING_IS_XOR(&string) ? with_every_key(held) : held;
  }
  if (!tree->literals || STRING_IS_XOR(&string)) return std::nullopt;
  if (STRING_IS_BASE64(&string) || STRING_IS_BASE64_WIDE(&string)) return tree->literals;  // widened by the compiler
  return encoded(*tree->literals, STRING_IS_ASCII(&string) || !STRING_IS_WIDE(&string), STRING_IS_WIDE(&string));
}

}  // namespace

Result<std::unique_ptr<Prefilter>> Prefilter::make(const YR_RULES& rules, const Conditions& conditions,
                                                   const std::vector<StringTree>& trees) {
  std::unique_ptr<Prefilter> prefilter(new Prefilter(rules, conditions));
  EXHIBIT_TRY(prefilter->compile_literals(trees));
  prefilter->find_referring_rules();
  prefilter->sort_rules();
  return prefilter;
}

// Of every string, by its number; none for a string that may match without any.
std::vector<Prefilter::StringLiterals> Prefilter::literals_by_string(const std::vector<StringTree>& trees) const {
  std::vector<StringLiterals> all(rules_.num_strings);
  auto tree = trees.begin();
  for (std::uint32_t rule = 0; rule < rules_.num_rules; ++rule) {
    // The compiler's trees are told apart by their order; should it differ for a rule, none of that rule's is used.
    const auto end = std::find_if(tree, trees.end(), [&](const StringTree& t) { return t.rule != rule; });
    // Conditions ask for the first part of a string that libyara cut in parts: it stands for all.
    std::vector<const YR_STRING*> strings, with_tree;
    const YR_STRING* string = nullptr;
    yr_rule_strings_foreach((&rules_.rules_table[rule]), string) {
      if (string->chained_to != nullptr) continue;
      strings.push_back(string);
      if (has_tree(*string)) with_tree.push_back(string);
    }
    const bool in_step =
        std::equal(tree, end, with_tree.begin(), with_tree.end(),
                   [](const StringTree& t, const YR_STRING* s) { return t.identifier == s->identifier; });
    for (const YR_STRING* plain : strings) {
      if (has_tree(*plain) && !in_step) continue;
      const StringTree* own = has_tree(*plain) ? &*tree++ : nullptr;
      auto needed = literals_of_string(*plain, own);
      if (!needed || std::any_of(needed->begin(), needed->end(), [](const auto& l) { return l.empty(); })) continue;
      const bool ignore_case = STRING_IS_NO_CASE(plain) || (own != nullptr && own->ignore_case);
      all[plain->idx] = {std::move(*needed), ignore_case};
    }
    tree = end;
  }
  return all;
}

// Forgets literals that a rule can do without: those of strings that may as well match, as the rule can't for want of
// others. For `10 of them` it takes all strings but nine. The more common ones go first, and only where what stays is
// rare, as less is then known of a content that has some of it.
void Prefilter::drop_needless(std::vector<StringLiterals>& all) {
  for (std::uint32_t rule = 0; rule < rules_.num_rules; ++rule) {
    std::vector<std::uint32_t> strings;
    const YR_STRING* string = nullptr;
    yr_rule_strings_foreach((&rules_.rules_table[rule]), string) {
      if (!all[string->idx].literals.empty()) strings.push_back(string->idx);
    }
    ContentFacts facts;
    facts.possible_strings = always_possible_;
    if (strings.size() < 2 || conditions_.can_match(rule, facts)) continue;
    std::sort(strings.begin(), strings.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::pair(worth(all[a].literals), a) < std::pair(worth(all[b].literals), b);
    });
    std::vector<std::uint32_t> dropped;
    double least_kept = 1e9;
    for (const std::uint32_t one : strings) {
      set_bit(always_possible_, one);
      if (!conditions_.can_match(rule, facts)) {
        dropped.push_back(one);
      } else {
        clear_bit(always_possible_, one);
        least_kept = std::min(least_kept, worth(all[one].literals));
      }
    }
    for (const std::uint32_t one : dropped) {
      if (least_kept < rare) {
        clear_bit(always_possible_, one);
      } else {
        all[one].literals.clear();
      }
    }
  }
}

Result<void> Prefilter::compile_literals(const std::vector<StringTree>& trees) {
  std::vector<StringLiterals> all = literals_by_string(trees);
  always_possible_.assign(rules_.num_strings / 64 + 1, 0);
  for (std::uint32_t string = 0; string < rules_.num_strings; ++string) {
    if (all[string].literals.empty()) set_bit(always_possible_, string);
  }
  drop_needless(all);
  std::map<std::pair<std::string, bool>, std::uint32_t> numbers;
  std::vector<SearchedLiteral> literals;
  for (std::uint32_t string = 0; string < rules_.num_strings; ++string) {
    const bool ignore_case = all[string].ignore_case;
    for (const std::string& literal : all[string].literals) {
      EXHIBIT_CHECK(literal.size() <= longest_literal);
      const auto [known, is_new] = numbers.try_emplace({ignore_case ? lower(literal) : literal, ignore_case},
                                                       static_cast<std::uint32_t>(literals.size()));
      if (is_new) {
        literals.push_back({known->first.first, ignore_case});
        strings_of_literal_.emplace_back();
      }
      strings_of_literal_[known->second].push_back(string);
    }
  }
  possible_ = always_possible_;
  search_ = EXHIBIT_TRY(LiteralSearch::compile(literals));
  return {};
}

// Who may match because this rule's strings do: the rule itself and those that refer to it, over others too.
void Prefilter::find_referring_rules() {
  asked_for_.resize(rules_.num_rules);
  for (std::uint32_t rule = 0; rule < rules_.num_rules; ++rule) {
    if (RULE_IS_PRIVATE(&rules_.rules_table[rule])) continue;
    std::set<std::uint32_t> reached;
    std::vector<std::uint32_t> open{rule};
    while (!open.empty()) {
      const std::uint32_t next = open.back();
      open.pop_back();
      if (!reached.insert(next).second) continue;
      const auto& references = conditions_.rules()[next].references;
      open.insert(open.end(), references.begin(), references.end());
    }
    for (const std::uint32_t other : reached) asked_for_[other].push_back(rule);
  }
}

// A number without which the rule can't match.
std::optional<PlaceTest> Prefilter::guard_of(std::uint32_t rule, ContentFacts facts) const {
  std::vector<PlaceTest> tests{program_test};
  for (const auto& [at, test] : conditions_.rules()[rule].tests) tests.push_back(test);
  for (const PlaceTest& test : tests) {
    facts.denied = &test;
    if (!conditions_.can_match(rule, facts)) return test;
  }
  return std::nullopt;
}

// Finds what a rule needs besides literals: nothing, or a number at some place.
void Prefilter::sort_rules() {
  std::map<PlaceTest, std::vector<std::uint32_t>> guarded;
  for (std::uint32_t rule = 0; rule < rules_.num_rules; ++rule) {
    // Private rules are asked where others refer to them: nobody is told of them.
    if (RULE_IS_PRIVATE(&rules_.rules_table[rule])) continue;
    ContentFacts facts;
    facts.possible_strings = always_possible_;
    if (!conditions_.can_match(rule, facts)) continue;
    const auto guard = guard_of(rule, facts);
    if (guard) {
      guarded[*guard].push_back(rule);
    } else {
      always_asked_.push_back(rule);
    }
  }
  for (auto& [test, rules] : guarded) guarded_.push_back({test, std::move(rules)});
}

void Prefilter::begin() {
  failed_ = false;
  for (const std::uint32_t string : touched_strings_) possible_[string / 64] = always_possible_[string / 64];
  touched_strings_.clear();
}

void Prefilter::look_at(std::span<const std::byte> bytes) {
  const auto found = [this](std::uint32_t literal) {
    for (const std::uint32_t string : strings_of_literal_[literal]) {
      set_bit(possible_, string);
      touched_strings_.push_back(string);
    }
  };
  if (!search_.search(bytes, found)) failed_ = true;
}

std::vector<std::uint32_t> Prefilter::candidates(std::uint64_t size, std::span<const std::byte> head) {
  std::vector<std::uint32_t> asked;
  if (failed_) {
    asked.resize(rules_.num_rules);
    std::iota(asked.begin(), asked.end(), 0u);
    return asked;
  }
  ContentFacts facts;
  facts.possible_strings = possible_;
  facts.read = true;
  facts.size = size;
  facts.head = head;
  asked = always_asked_;
  for (const Guarded& group : guarded_) {
    const PlaceNumber number = number_at(facts, group.test.reader, group.test.offset);
    const bool denied = number.known && (number.undefined || number.value != group.test.value);
    if (!denied) asked.insert(asked.end(), group.rules.begin(), group.rules.end());
  }
  for (const std::uint32_t string : touched_strings_) {
    const auto& rules = asked_for_[rules_.strings_table[string].rule_idx];
    asked.insert(asked.end(), rules.begin(), rules.end());
  }
  std::sort(asked.begin(), asked.end());
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  std::erase_if(asked, [&](std::uint32_t rule) { return !conditions_.can_match(rule, facts); });
  return asked;
}

std::vector<std::uint32_t> Prefilter::narrowed(std::vector<std::uint32_t> candidates,
                                               const std::vector<std::uint32_t>& searched,
                                               const std::vector<std::uint32_t>& matching_strings, std::uint64_t size,
                                               std::span<const std::byte> head) const {
  std::vector<std::uint64_t> possible = possible_;
  for (const std::uint32_t rule : searched) {
    const YR_STRING* string = nullptr;
    yr_rule_strings_foreach((&rules_.rules_table[rule]), string) {
      possible[string->idx / 64] &= ~(std::uint64_t{1} << (string->idx % 64));
    }
  }
  for (const std::uint32_t string : matching_strings) set_bit(possible, string);
  const ContentFacts facts{.possible_strings = possible, .read = true, .size = size, .head = head};
  std::erase_if(candidates, [&](std::uint32_t rule) { return !conditions_.can_match(rule, facts); });
  return candidates;
}

}  // namespace exhibit::match
