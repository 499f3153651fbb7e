#include "match/rule_subset.h"

#include <exhibit/result.h>
#include <yara/ahocorasick.h>
#include <yara/compiler.h>
#include <yara/exec.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

namespace exhibit::match {
namespace {

constexpr std::uint32_t no_match = 0;  // the tables count matches from 1

// A state of libyara's automaton while it is read: the bytes that lead to it are an atom's.
struct ReadState {
  std::uint32_t slot = 0;
  std::array<std::uint8_t, YR_MAX_ATOM_LENGTH> bytes{};
  std::uint8_t depth = 0;
};

// A state of an automaton that is made.
struct MadeState {
  std::vector<std::pair<std::uint8_t, std::uint32_t>> children;  // byte, state; sorted
  std::vector<const YR_AC_MATCH*> own;
  std::uint32_t failure = 0;
  std::uint32_t slot = 0;
  std::uint32_t first_match = no_match;
};

std::uint32_t child_of(const MadeState& state, std::uint8_t byte) {
  const auto found = std::lower_bound(state.children.begin(), state.children.end(), std::pair(byte, std::uint32_t{0}));
  return found != state.children.end() && found->first == byte ? found->second : 0;
}

class AutomatonBuilder {
 public:
  AutomatonBuilder() { states_.emplace_back(); }

  void add(std::span<const std::uint8_t> bytes, const YR_AC_MATCH& match) {
    std::uint32_t state = 0;
    for (const std::uint8_t byte : bytes) {
      std::uint32_t next = child_of(states_[state], byte);
      if (next == 0) {
        next = static_cast<std::uint32_t>(states_.size());
        states_.emplace_back();
        auto& children = states_[state].children;
        children.insert(std::lower_bound(children.begin(), children.end(), std::pair(byte, std::uint32_t{0})),
                        {byte, next});
      }
      state = next;
    }
    states_[state].own.push_back(&match);
  }

  // What a state finds: its own matches, then those of the longest other state that its bytes end in.
  void build(std::vector<YR_AC_TRANSITION>& transitions, std::vector<std::uint32_t>& state_matches,
             std::vector<YR_AC_MATCH>& matches) {
    order_by_depth();
    std::size_t count = 0;
    for (const MadeState& state : states_) count += state.own.size();
    matches.clear();
    matches.reserve(count);  // they point to each other
    for (const std::uint32_t index : order_) link_matches(states_[index], matches);
    place_states();
    transitions.assign(table_size_, 0);
    state_matches.assign(table_size_, no_match);
    for (const MadeState& state : states_) {
      transitions[state.slot] = YR_AC_MAKE_TRANSITION(states_[state.failure].slot, 0);
      state_matches[state.slot] = state.first_match;
      for (const auto& [byte, child] : state.children) {
        const std::uint32_t code = byte + 1u;
        transitions[state.slot + code] = YR_AC_MAKE_TRANSITION(states_[child].slot, code);
      }
    }
  }

 private:
  void order_by_depth() {
    order_.assign(1, 0);
    for (std::size_t next = 0; next < order_.size(); ++next) {
      const std::uint32_t parent = order_[next];
      for (const auto& [byte, child] : states_[parent].children) {
        order_.push_back(child);
        states_[child].failure = parent == 0 ? 0 : failure_of(states_[parent].failure, byte);
      }
    }
  }

  std::uint32_t failure_of(std::uint32_t state, std::uint8_t byte) const {
    for (;; state = states_[state].failure) {
      if (const std::uint32_t next = child_of(states_[state], byte)) return next;
      if (state == 0) return 0;
    }
  }

  void link_matches(MadeState& state, std::vector<YR_AC_MATCH>& matches) {
    const bool is_root = &state == states_.data();
    const std::uint32_t inherited = is_root ? no_match : states_[state.failure].first_match;
    if (state.own.empty()) {
      state.first_match = inherited;
      return;
    }
    state.first_match = static_cast<std::uint32_t>(matches.size()) + 1;
    for (std::size_t i = 0; i < state.own.size(); ++i) {
      matches.push_back(*state.own[i]);
      if (i > 0) matches[matches.size() - 2].next = &matches.back();
    }
    matches.back().next = inherited == no_match ? nullptr : &matches[inherited - 1];
  }

  // A state takes its own slot, for its failure link, and one for each child, `byte + 1` further on. First fit, the
  // root at 0.
  void place_states() {
    std::vector<bool> used;
    std::size_t first_free = 0;
    std::size_t end = 1;
    for (const std::uint32_t index : order_) {
      MadeState& state = states_[index];
      while (first_free < used.size() && used[first_free]) ++first_free;
      std::size_t slot = first_free;
      const auto taken = [&](std::size_t at) { return at < used.size() && used[at]; };
      const auto fits = [&] {
        return !taken(slot) && std::none_of(state.children.begin(), state.children.end(),
                                            [&](const auto& child) { return taken(slot + child.first + 1u); });
      };
      while (!fits()) ++slot;
      if (used.size() < slot + 257) used.resize(slot + 257);
      used[slot] = true;
      for (const auto& child : state.children) used[slot + child.first + 1u] = true;
      state.slot = static_cast<std::uint32_t>(slot);
      end = std::max(end, slot + 1);
    }
    table_size_ = end + 256;  // every byte may be asked of every state
  }

  std::vector<MadeState> states_;
  std::vector<std::uint32_t> order_;
  std::size_t table_size_ = 0;
};

std::size_t table_entries(const YR_RULES& rules) {
  return rules.arena->buffers[YR_AC_TRANSITION_TABLE].used / sizeof(YR_AC_TRANSITION);
}
std::size_t pool_entries(const YR_RULES& rules) {
  return rules.arena->buffers[YR_AC_STATE_MATCHES_POOL].used / sizeof(YR_AC_MATCH);
}

// Every rule's strings, with the parts that libyara cuts them into, follow each other.
bool strings_lie_by_rule(const YR_RULES& rules) {
  std::uint32_t next = 0;
  for (std::uint32_t rule = 0; rule < rules.num_rules; ++rule) {
    const YR_STRING* string = nullptr;
    yr_rule_strings_foreach((&rules.rules_table[rule]), string) {
      const bool in_place = next < rules.num_strings && string == &rules.strings_table[next];
      if (!in_place || string->idx != next || string->rule_idx != rule) return false;
      if (string->chained_to != nullptr && string->chained_to->rule_idx != rule) return false;
      ++next;
    }
  }
  return next == rules.num_strings;
}

}  // namespace

std::optional<RuleSet> RuleSet::read(YR_RULES& rules, const Conditions& conditions) {
  RuleSet set;
  set.whole_ = &rules;
  set.conditions_ = &conditions;
  set.atoms_.resize(rules.num_rules);
  set.global_.resize(rules.num_namespaces);
  for (std::uint32_t i = 0; i < rules.num_rules; ++i) {
    const YR_RULE& rule = rules.rules_table[i];
    if (RULE_IS_GLOBAL(&rule)) set.global_[rule.ns->idx].push_back(i);
  }
  if (!strings_lie_by_rule(rules)) return std::nullopt;
  const std::size_t slots = table_entries(rules), matches = pool_entries(rules);
  // Matches of a state are its own and those of shorter states. Read by depth, a match belongs where it is met first.
  constexpr std::uint8_t nowhere = 0xff;
  std::vector<std::uint8_t> met(matches, nowhere);
  std::vector<ReadState> states(1);
  for (std::size_t next = 0; next < states.size(); ++next) {
    const ReadState state = states[next];
    if (state.slot >= slots || slots - state.slot < 257) return std::nullopt;
    const std::uint32_t first = rules.ac_match_table[state.slot];
    if (first > matches) return std::nullopt;
    const YR_AC_MATCH* match = first == no_match ? nullptr : &rules.ac_match_pool[first - 1];
    std::size_t chained = 0;
    for (; match != nullptr; match = match->next) {
      const auto place = static_cast<std::size_t>(match - rules.ac_match_pool);
      if (place >= matches || ++chained > matches || match->string->rule_idx >= rules.num_rules) return std::nullopt;
      if (met[place] < state.depth) continue;
      met[place] = state.depth;
      set.atoms_[match->string->rule_idx].push_back({state.bytes, state.depth, match});
    }
    for (std::uint32_t code = 1; code <= 256; ++code) {
      const YR_AC_TRANSITION transition = rules.ac_transition_table[state.slot + code];
      if (YR_AC_INVALID_TRANSITION(transition, code)) continue;
      if (state.depth == YR_MAX_ATOM_LENGTH || states.size() > slots) return std::nullopt;
      ReadState child = state;
      child.slot = YR_AC_NEXT_STATE(transition);
      child.bytes[child.depth++] = static_cast<std::uint8_t>(code - 1);
      states.push_back(child);
    }
  }
  if (std::find(met.begin(), met.end(), nowhere) != met.end()) return std::nullopt;
  return set;
}

std::vector<std::uint32_t> RuleSet::with_all_needed(std::span<const std::uint32_t> wanted) const {
  std::set<std::uint32_t> needed;
  std::vector<std::uint32_t> open(wanted.begin(), wanted.end());
  while (!open.empty()) {
    const std::uint32_t rule = open.back();
    open.pop_back();
    if (!needed.insert(rule).second) continue;
    const auto& references = conditions_->rules()[rule].references;
    open.insert(open.end(), references.begin(), references.end());
    const auto& global = global_[whole_->rules_table[rule].ns->idx];
    open.insert(open.end(), global.begin(), global.end());
  }
  return {needed.begin(), needed.end()};
}

YR_RULES* RuleSubset::rules() {
  rules_.arena = &arena_;
  return &rules_;
}

YR_RULES* RuleSubset::search_alone() {
  static constexpr std::uint8_t halt = OP_HALT;
  search_alone_ = *rules();
  search_alone_.code_start = &halt;
  return &search_alone_;
}

RuleSubset RuleSet::subset(std::span<const std::uint32_t> rules) const {
  RuleSubset subset;
  copy_tables(rules, subset);
  copy_code(rules, subset);

  AutomatonBuilder automaton;
  for (const std::uint32_t rule : rules) {
    for (const Atom& atom : atoms_[rule]) automaton.add(std::span(atom.bytes).first(atom.length), *atom.match);
  }
  automaton.build(subset.transitions_, subset.state_matches_, subset.matches_);
  for (YR_AC_MATCH& match : subset.matches_) match.string = copy_of(subset, rules, *match.string);

  subset.rules_ = *whole_;
  subset.rules_.rules_table = subset.rules_table_.data();
  subset.rules_.strings_table = subset.strings_.data();
  subset.rules_.num_rules = static_cast<std::uint32_t>(rules.size());
  subset.rules_.num_strings = static_cast<std::uint32_t>(subset.strings_.size());
  subset.rules_.ac_transition_table = subset.transitions_.data();
  subset.rules_.ac_match_table = subset.state_matches_.data();
  subset.rules_.ac_match_pool = subset.matches_.data();
  subset.rules_.code_start = subset.code_.data();

  subset.arena_ = *whole_->arena;
  static_assert(YR_NUM_SECTIONS + 2 <= YR_MAX_ARENA_BUFFERS);
  const auto add_buffer = [&](void* data, std::size_t size) {
    subset.arena_.buffers[subset.arena_.num_buffers++] = {static_cast<std::uint8_t*>(data), size, size};
  };
  add_buffer(subset.rules_table_.data(), subset.rules_table_.size() * sizeof(YR_RULE));
  add_buffer(subset.strings_.data(), subset.strings_.size() * sizeof(YR_STRING));
  return subset;
}

// The copies are numbered anew. The rules' strings follow each other as the rules do.
void RuleSet::copy_tables(std::span<const std::uint32_t> rules, RuleSubset& subset) const {
  std::size_t count = 0;
  const YR_STRING* string = nullptr;
  for (const std::uint32_t rule : rules) {
    yr_rule_strings_foreach((&whole_->rules_table[rule]), string)++ count;
  }
  subset.strings_.reserve(count);  // they point to each other
  for (const std::uint32_t rule : rules) {
    YR_RULE copy = whole_->rules_table[rule];
    const YR_STRING* first = copy.strings;
    if (first != nullptr) copy.strings = subset.strings_.data() + subset.strings_.size();
    yr_rule_strings_foreach((&whole_->rules_table[rule]), string) {
      YR_STRING copied = *string;
      copied.idx = static_cast<std::uint32_t>(subset.strings_.size());
      copied.rule_idx = static_cast<std::uint32_t>(subset.rules_table_.size());
      if (copied.chained_to != nullptr) copied.chained_to = copy.strings + (copied.chained_to - first);
      subset.strings_.push_back(copied);
      subset.string_numbers_.push_back(string->idx);
    }
    subset.rules_table_.push_back(copy);
  }
  YR_RULE end{};
  end.flags = RULE_FLAGS_NULL;
  subset.rules_table_.push_back(end);
}

void RuleSet::copy_code(std::span<const std::uint32_t> rules, RuleSubset& subset) const {
  std::set<std::string_view> objects;
  for (const std::uint32_t rule : rules) {
    for (const char* object : conditions_->rules()[rule].objects) objects.insert(object);
  }
  std::vector<std::uint8_t>& code = subset.code_;
  for (const char* module : conditions_->imports()) {
    if (objects.erase(module) == 0) continue;
    subset.loads_modules_ = true;
    std::array<std::uint8_t, 1 + sizeof(module)> instruction{OP_IMPORT};
    std::memcpy(instruction.data() + 1, &module, sizeof(module));
    code.insert(code.end(), instruction.begin(), instruction.end());
  }
  for (const std::uint32_t rule : rules) {
    const RuleCode& original = conditions_->rules()[rule];
    code.insert(code.end(), original.code, original.code + original.size);
    std::uint8_t* copy = code.data() + code.size() - original.size;
    const std::uint32_t number = new_number(rules, rule);
    std::memcpy(copy + 1 + sizeof(std::int32_t), &number, sizeof number);  // OP_INIT_RULE's
    for (const std::uint32_t at : original.rule_operands) {
      std::uint64_t meant = 0;
      std::memcpy(&meant, copy + at, sizeof meant);
      meant = new_number(rules, static_cast<std::uint32_t>(meant));
      std::memcpy(copy + at, &meant, sizeof meant);
    }
    for (const std::uint32_t at : original.string_operands) {
      const YR_STRING* string = nullptr;
      std::memcpy(&string, copy + at, sizeof string);
      string = copy_of(subset, rules, *string);
      std::memcpy(copy + at, &string, sizeof string);
    }
  }
  code.push_back(OP_HALT);
}

// `rules` holds the rule: a subset has all that its rules refer to.
std::uint32_t RuleSet::new_number(std::span<const std::uint32_t> rules, std::uint32_t rule) {
  const auto found = std::lower_bound(rules.begin(), rules.end(), rule);
  EXHIBIT_CHECK(found != rules.end() && *found == rule);
  return static_cast<std::uint32_t>(found - rules.begin());
}

YR_STRING* RuleSet::copy_of(RuleSubset& subset, std::span<const std::uint32_t> rules, const YR_STRING& string) const {
  const YR_STRING* first = whole_->rules_table[string.rule_idx].strings;
  return subset.rules_table_[new_number(rules, string.rule_idx)].strings + (&string - first);
}

}  // namespace exhibit::match
