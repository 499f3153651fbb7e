// Longer than 500 lines because it is one interpreter: every instruction of libyara's once.
#include "match/conditions.h"

#include <yara/compiler.h>
#include <yara/exec.h>
#include <yara/re.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "match/abstract_value.h"

namespace exhibit::match {
namespace {

// A rule that takes more instructions than this is one that can be true.
constexpr int max_instructions = 20000;
constexpr int max_reference_depth = 32;
// libyara's MEM_SIZE (exec.c).
constexpr std::size_t memory_size =
    std::size_t{YR_MAX_LOOP_NESTING} * (std::size_t{YR_MAX_LOOP_VARS} + std::size_t{YR_INTERNAL_LOOP_VARS});

struct State {
  std::vector<Value> stack;
  std::vector<Value> memory;  // memory_size values, or none for a rule that uses none

  bool operator==(const State&) const = default;
};

// Of equal depth.
void merge(State& into, const State& more) {
  for (std::size_t i = 0; i < into.stack.size(); ++i) into.stack[i] = either(into.stack[i], more.stack[i]);
  for (std::size_t i = 0; i < into.memory.size(); ++i) into.memory[i] = either(into.memory[i], more.memory[i]);
}

}  // namespace

// One rule's condition, run over abstract values.
class Run {
 public:
  Run(const Conditions& conditions, const RuleCode& rule, const ContentFacts& facts, Conditions::Judged& judged,
      int depth)
      : conditions_(conditions), rule_(rule), facts_(facts), judged_(judged), depth_(depth) {}

  bool can_be_true() {
    State start;
    if (rule_.uses_memory) start.memory.assign(memory_size, anything);  // what an earlier rule left there
    go_to(first_instruction, start);
    while (!pending_.empty() && !unknown_) {
      auto lowest = pending_.extract(pending_.begin());
      at_ = lowest.key().first;
      state_ = std::move(lowest.mapped());
      run_on();
    }
    return unknown_ || true_;
  }

 private:
  using Key = std::pair<std::uint32_t, std::size_t>;  // instruction, depth of the stack

  // On from at_ until the condition ends, or another state lies nearer to the rule's start.
  void run_on() {
    while (!unknown_) {
      const Key here{at_, state_.stack.size()};
      if (!pending_.empty() && pending_.begin()->first <= here) return go_to(at_, state_);
      if (++instructions_ > max_instructions) return give_up();
      const std::uint8_t* code = rule_.code + at_;
      if (*code == OP_MATCH_RULE) {
        if (pop().nonzero) true_ = true;
        return;
      }
      const std::uint32_t next = at_ + 1 + *operand_size(*code);
      if (is_jump(*code)) {
        if (!jump(*code, at_ + static_cast<std::uint32_t>(operand<std::int32_t>(code + 1)))) return;
      } else {
        step(code);
      }
      at_ = next;
    }
  }

  void give_up() { unknown_ = true; }

  void go_to(std::uint32_t target, const State& state) {
    const Key key{target, state.stack.size()};
    const auto [known, is_new] = pending_.try_emplace(key, state);
    if (!is_new) merge(known->second, state);
  }

  // Backwards: on only while that adds something.
  void go_back_to(std::uint32_t target, const State& state) {
    const Key key{target, state.stack.size()};
    const auto [known, is_new] = seen_.try_emplace(key, state);
    if (!is_new) {
      State both = known->second;
      merge(both, state);
      if (both == known->second) return;
      known->second = both;
    }
    go_to(target, known->second);
  }

  Value pop() {
    if (state_.stack.empty()) {
      give_up();
      return anything;
    }
    const Value top = state_.stack.back();
    state_.stack.pop_back();
    return top;
  }
  void push(const Value& value) { state_.stack.push_back(value); }

  void take(std::uint32_t target) {
    if (target <= at_) {
      go_back_to(target, state_);
    } else {
      go_to(target, state_);
    }
  }

  // Follows the jump if it can be taken; true if the code can also go on, with the state for that.
  bool jump(std::uint8_t opcode, std::uint32_t target) {
    if (opcode == OP_JL_P || opcode == OP_JLE_P) {
      const Value b = pop(), a = pop();
      const bool decided = a.is_number() && b.is_number();
      const bool taken = opcode == OP_JL_P ? a.number < b.number : a.number <= b.number;
      if (!decided || taken) take(target);
      return !decided || !taken;
    }
    const Value top = pop();
    Value jumps = top, stays = top;
    switch (opcode) {
      case OP_JUNDEF_P:
        jumps.zero = jumps.nonzero = stays.undefined = false;
        break;
      case OP_JNUNDEF:
        stays.zero = stays.nonzero = jumps.undefined = false;
        break;
      case OP_JTRUE:
      case OP_JTRUE_P:
        jumps.zero = jumps.undefined = stays.nonzero = false;
        break;
      default:  // OP_JFALSE, OP_JZ and the like: zero jumps
        jumps.nonzero = jumps.undefined = stays.zero = false;
        break;
    }
    const bool keeps = opcode == OP_JNUNDEF || opcode == OP_JTRUE || opcode == OP_JFALSE || opcode == OP_JZ;
    if (jumps.zero || jumps.nonzero || jumps.undefined) {
      if (keeps) push(jumps);
      take(target);
      if (keeps) pop();
    }
    if (keeps) push(stays);
    return stays.zero || stays.nonzero || stays.undefined;
  }

  Value* memory_slot(const std::uint8_t* code) {
    const auto slot = operand<std::uint64_t>(code + 1);
    if (slot < state_.memory.size()) return &state_.memory[slot];
    give_up();
    return nullptr;
  }

  // None where it isn't known which.
  const YR_STRING* string_of(const Value& pointer) {
    if (!pointer.is_number()) return nullptr;
    const auto* string = reinterpret_cast<const YR_STRING*>(static_cast<std::uintptr_t>(pointer.number));
    const YR_RULES& rules = *conditions_.libyara_;
    if (std::less<>{}(string, rules.strings_table) || !std::less<>{}(string, rules.strings_table + rules.num_strings)) {
      give_up();
      return nullptr;
    }
    return string;
  }

  bool may_match(const YR_STRING* string) const {
    if (string == nullptr) return true;
    return (facts_.possible_strings[string->idx / 64] >> (string->idx % 64) & 1) != 0;
  }

  bool may_match_within(const YR_STRING* string, const Value& from, const Value& to) const {
    if (!may_match(string)) return false;
    if (string == nullptr || !from.is_number() || !to.is_number()) return true;
    return text_may_start_within(facts_, *string, from.number, to.number);
  }

  Value asked_rule(std::uint64_t index) {
    if (index >= conditions_.code_.rules.size()) {
      give_up();
      return anything;
    }
    // Undefined where the rule was left out.
    return conditions_.can_match(static_cast<std::uint32_t>(index), facts_, judged_, depth_ + 1) ? anything : never;
  }

  void pop_several(std::size_t count) {
    for (; count > 0; --count) pop();
  }

  void step(const std::uint8_t* code) {
    if (const auto number = pushed_number(code)) return push(number_value(*number));
    if (is_reader(*code)) return read_number(*code);
    if (*code >= OP_INT_BEGIN && *code <= OP_INT_END) return integers(*code, code);
    if (*code == OP_DBL_MINUS) return pop_and_push(1, anything);
    if (*code >= OP_DBL_BEGIN && *code <= OP_DBL_END) return compare_unknown();
    if (*code >= OP_STR_BEGIN && *code <= OP_STR_END) return compare_texts(*code);
    switch (*code) {
      case OP_NOP:
        break;
      case OP_PUSH_U:
        push(undefined_value);
        break;
      case OP_POP:
        pop();
        break;
      case OP_AND:
      case OP_OR:
      case OP_NOT:
      case OP_DEFINED:
        logic(*code);
        break;
      case OP_CLEAR_M:
      case OP_ADD_M:
      case OP_INCR_M:
      case OP_PUSH_M:
      case OP_POP_M:
      case OP_SET_M:
      case OP_SWAPUNDEF:
        use_memory(code);
        break;
      case OP_COUNT:
      case OP_FOUND:
      case OP_FOUND_AT:
      case OP_FOUND_IN:
      case OP_COUNT_IN:
      case OP_OFFSET:
      case OP_LENGTH:
        ask_string(*code);
        break;
      case OP_OF:
      case OP_OF_PERCENT:
        ask_set(*code, operand<std::uint64_t>(code + 1) == OF_STRING_SET);
        break;
      case OP_OF_FOUND_IN:
        pop_several(2);
        ask_set(*code, true);
        break;
      case OP_PUSH_RULE:
        push(asked_rule(operand<std::uint64_t>(code + 1)));
        break;
      case OP_FILESIZE:
        push(facts_.read ? number_value(static_cast<std::int64_t>(facts_.size)) : truth(true, true));
        break;
      case OP_INT_TO_DBL: {
        const auto below_top = operand<std::uint64_t>(code + 1);
        if (below_top == 0 || below_top > state_.stack.size()) return give_up();
        state_.stack[state_.stack.size() - below_top] = anything;
        break;
      }
      case OP_ITER_START_ARRAY:
      case OP_ITER_START_DICT:
      case OP_ITER_START_INT_RANGE:
      case OP_ITER_START_INT_ENUM:
      case OP_ITER_NEXT:
        iterate(*code);
        break;
      case OP_CALL:
      case OP_OBJ_LOAD:
      case OP_OBJ_FIELD:
      case OP_OBJ_VALUE:
      case OP_INDEX_ARRAY:
      case OP_LOOKUP_DICT:
        use_object(code);
        break;
      case OP_ENTRYPOINT:
        push(anything);
        break;
      case OP_STR_TO_BOOL:
        push(pop().kind == Kind::empty_text ? number_value(0) : anything);
        break;
      case OP_BITWISE_NOT:
        push(pop().never_defined() ? undefined_value : anything);
        break;
      case OP_BITWISE_AND:
      case OP_BITWISE_OR:
      case OP_BITWISE_XOR:
      case OP_SHL:
      case OP_SHR:
      case OP_MOD: {
        const Value b = pop(), a = pop();
        push(arithmetic(*code, a, b));
        break;
      }
      case OP_MATCHES:
      case OP_CONTAINS:
      case OP_STARTSWITH:
      case OP_ENDSWITH:
      case OP_ICONTAINS:
      case OP_ISTARTSWITH:
      case OP_IENDSWITH:
      case OP_IEQUALS:
        compare_texts(*code);
        break;
      default:
        give_up();
    }
  }

  // The variables that packs expect are always empty; a module whose format the content isn't has no values.
  void use_object(const std::uint8_t* code) {
    switch (*code) {
      case OP_OBJ_LOAD: {
        const std::string_view name = operand<const char*>(code + 1);
        if (conditions_.is_empty_variable(name)) return push(object_value(Kind::empty_text));
        return push(name == "pe" && has_no_program(facts_) ? object_value(Kind::hollow) : anything);
      }
      case OP_OBJ_FIELD: {
        const std::string_view name = operand<const char*>(code + 1);
        const Value object = pop();
        if (object.never_defined()) return push(undefined_value);
        // Constants and `is_pe` are always there.
        const bool always = name == "is_pe" || name.empty() || (name.front() >= 'A' && name.front() <= 'Z');
        return push(object.kind == Kind::hollow && !always ? object : anything);
      }
      case OP_OBJ_VALUE: {
        const Value object = pop();
        if (object.kind == Kind::hollow || object.never_defined()) return push(undefined_value);
        return push(object.kind == Kind::empty_text ? object : anything);
      }
      case OP_CALL: {
        // The types of the arguments, one letter each; the function lies below them.
        bool undefined = false;
        for (std::size_t count = std::strlen(operand<const char*>(code + 1)); count > 0; --count) {
          undefined = pop().never_defined() || undefined;
        }
        const Value function = pop();
        const bool hollow = function.kind == Kind::hollow || function.never_defined();
        return push(hollow || undefined ? undefined_value : anything);
      }
      default: {  // OP_INDEX_ARRAY, OP_LOOKUP_DICT
        const Value index = pop(), object = pop();
        const bool hollow = object.kind == Kind::hollow || object.never_defined();
        return push(hollow || index.never_defined() ? undefined_value : anything);
      }
    }
  }

  void compare_unknown() {
    const Value b = pop(), a = pop();
    push(a.never_defined() || b.never_defined() ? never : anything);
  }

  void compare_texts(std::uint8_t opcode) {
    const Value b = pop(), a = pop();
    if (a.never_defined() || b.never_defined()) return push(never);
    if (a.kind != Kind::empty_text || !b.is_number()) return push(anything);
    const auto* pointer = reinterpret_cast<const std::uint8_t*>(static_cast<std::uintptr_t>(b.number));
    push(conditions_.can_fit_empty_text(opcode, pointer) ? anything : never);
  }

  void pop_and_push(std::size_t count, const Value& value) {
    pop_several(count);
    push(value);
  }

  void read_number(std::uint8_t reader) {
    const Value offset = pop();
    if (offset.never_defined()) return push(undefined_value);  // read far past any end
    if (!offset.is_number()) return push(anything);
    const PlaceNumber found = number_at(facts_, reader, offset.number);
    push(!found.known ? anything : found.undefined ? undefined_value : number_value(found.value));
  }

  bool is_denied(const std::uint8_t* comparison) const {
    if (facts_.denied == nullptr) return false;
    const auto at = static_cast<std::uint32_t>(comparison - rule_.code);
    return std::find(rule_.tests.begin(), rule_.tests.end(), std::pair(at, *facts_.denied)) != rule_.tests.end();
  }

  void integers(std::uint8_t opcode, const std::uint8_t* code) {
    if (opcode == OP_INT_MINUS) return push(arithmetic(OP_INT_SUB, number_value(0), pop()));
    const Value b = pop(), a = pop();
    switch (opcode) {
      case OP_INT_EQ:
        push(is_denied(code) ? never : comparison(opcode, a, b));
        break;
      case OP_INT_NEQ:
      case OP_INT_LT:
      case OP_INT_GT:
      case OP_INT_LE:
      case OP_INT_GE:
        push(comparison(opcode, a, b));
        break;
      default:
        push(arithmetic(opcode, a, b));
    }
  }

  // Undefined counts as false. What comes of it may stay undefined here, so that `not` of it may be anything.
  void logic(std::uint8_t opcode) {
    const Value b = pop();
    if (opcode == OP_NOT) return push(truth(b.nonzero, b.zero || b.undefined, b.undefined));
    if (opcode == OP_DEFINED) return push(truth(b.undefined, b.zero || b.nonzero));
    const Value a = pop();
    const bool a_false = a.zero || a.undefined, b_false = b.zero || b.undefined;
    const bool undefined = a.undefined || b.undefined;
    if (opcode == OP_AND) return push(truth(a_false || b_false, a.nonzero && b.nonzero, undefined));
    push(truth(a_false && b_false, a.nonzero || b.nonzero, undefined && a_false && b_false));
  }

  void use_memory(const std::uint8_t* code) {
    Value* slot = memory_slot(code);
    if (slot == nullptr) return;
    switch (*code) {
      case OP_CLEAR_M:
        *slot = number_value(0);
        break;
      case OP_INCR_M:
        *slot = sum(*slot, number_value(1));
        break;
      case OP_ADD_M:
        *slot = added(*slot, pop());
        break;
      case OP_PUSH_M:
        push(*slot);
        break;
      case OP_POP_M:
        *slot = pop();
        break;
      case OP_SET_M: {
        const Value top = pop();
        push(top);
        *slot = top.undefined ? either(*slot, top) : top;
        break;
      }
      default: {  // OP_SWAPUNDEF
        Value top = pop();
        if (!top.undefined) return push(top);
        top.undefined = false;
        push(top.zero || top.nonzero ? either(top, *slot) : *slot);
      }
    }
  }

  // An undefined result of a loop's body isn't counted.
  static Value added(const Value& slot, const Value& more) {
    if (more.never_defined()) return slot;
    Value defined = more;
    defined.undefined = false;
    Value result = slot;  // more is zero
    if (defined.known) {
      result = sum(slot, defined);
    } else if (defined.nonzero) {
      result = anything;
    }
    return more.undefined ? either(result, slot) : result;
  }

  void ask_string(std::uint8_t opcode) {
    const YR_STRING* string = string_of(pop());
    const bool found = may_match(string);
    switch (opcode) {
      case OP_COUNT:
      case OP_FOUND:
        return push(found ? truth(true, true) : number_value(0));
      case OP_FOUND_AT: {
        const Value place = pop();
        return push(may_match_within(string, place, place) ? truth(true, true, true) : never);
      }
      case OP_FOUND_IN: {
        const Value to = pop(), from = pop();
        return push(may_match_within(string, from, to) ? truth(true, true, true) : never);
      }
      case OP_COUNT_IN:
        // libyara 4.2.3 often gives up the whole scan here. That, too, must stay as it is.
        return give_up();
      default:  // OP_OFFSET, OP_LENGTH
        return pop_and_push(1, found ? anything : undefined_value);
    }
  }

  // `n of (…)`: the members down to an undefined value, then n; undefined stands for `all`.
  // Sets of rules are for libyara alone: a rule that was left out unbalances its stack there.
  void ask_set(std::uint8_t opcode, bool strings) {
    if (!strings) return give_up();
    std::int64_t members = 0, possible = 0;
    for (Value member = pop(); !member.never_defined() && !unknown_; member = pop()) {
      ++members;
      if (may_match(string_of(member))) ++possible;
    }
    const Value wanted = pop();
    std::int64_t least = 0;
    if (opcode == OP_OF_PERCENT) {
      least = wanted.is_number() && wanted.number > 0 ? 1 : 0;
    } else if (wanted.never_defined()) {
      least = members;
    } else if (wanted.is_number()) {
      least = wanted.number;
    }
    // None wanted: true of a set that isn't there at all.
    push(least <= 0 || possible >= least ? anything : never);
  }

  void iterate(std::uint8_t opcode) {
    switch (opcode) {
      case OP_ITER_START_ARRAY:
        return push(object_value(pop().kind == Kind::hollow ? Kind::empty_iterator : Kind::iterator));
      case OP_ITER_START_DICT:
        return push(object_value(pop().kind == Kind::hollow ? Kind::empty_pair_iterator : Kind::pair_iterator));
      case OP_ITER_START_INT_RANGE: {
        const Value last = pop(), first = pop();
        const bool empty = first.is_number() && last.is_number() && first.number > last.number;
        return push(object_value(empty ? Kind::empty_iterator : Kind::iterator));
      }
      case OP_ITER_START_INT_ENUM: {
        const Value count = pop();
        if (!count.is_number() || count.number < 0 || count.number > max_instructions) return give_up();
        return pop_and_push(static_cast<std::size_t>(count.number), object_value(Kind::iterator));
      }
      default:
        return next_of_iterator();
    }
  }

  // OP_ITER_NEXT: whether it is at its end, then its value or values.
  void next_of_iterator() {
    const Value iterator = pop();
    const bool empty = iterator.kind == Kind::empty_iterator || iterator.kind == Kind::empty_pair_iterator;
    const bool pairs = iterator.kind == Kind::pair_iterator || iterator.kind == Kind::empty_pair_iterator;
    if (!empty && !pairs && iterator.kind != Kind::iterator) return give_up();
    push(iterator);
    push(empty ? number_value(1) : truth(true, true));
    push(anything);
    if (pairs) push(anything);
  }

  const Conditions& conditions_;
  const RuleCode& rule_;
  const ContentFacts& facts_;
  Conditions::Judged& judged_;
  const int depth_;
  std::map<Key, State> pending_, seen_;
  State state_;
  std::uint32_t at_ = 0;
  int instructions_ = 0;
  bool unknown_ = false, true_ = false;
};

std::optional<Conditions> Conditions::read(const YR_RULES& rules) {
  auto code = read_condition_code(rules);
  if (!code) return std::nullopt;
  Conditions conditions;
  conditions.libyara_ = &rules;
  conditions.code_ = std::move(*code);
  return conditions;
}

bool Conditions::is_empty_variable(std::string_view name) const {
  const YR_EXTERNAL_VARIABLE* variable = libyara_->ext_vars_table;
  for (; !EXTERNAL_VARIABLE_IS_NULL(variable); ++variable) {
    const bool text =
        variable->type == EXTERNAL_VARIABLE_TYPE_STRING || variable->type == EXTERNAL_VARIABLE_TYPE_MALLOC_STRING;
    if (name == variable->identifier) return text && *variable->value.s == '\0';
  }
  return false;
}

// `operand_at` is a text or, for OP_MATCHES, a regular expression's flags and code.
bool Conditions::can_fit_empty_text(std::uint8_t opcode, const std::uint8_t* operand_at) const {
  const auto lies_in = [&](int buffer, std::size_t size) {
    const YR_ARENA_BUFFER& memory = libyara_->arena->buffers[buffer];
    const auto start = reinterpret_cast<std::uintptr_t>(memory.data);
    const auto at = reinterpret_cast<std::uintptr_t>(operand_at);
    return at >= start && at - start <= memory.used && memory.used - (at - start) >= size;
  };
  if (opcode == OP_MATCHES) {
    // Its first instruction takes a byte: nothing matches the empty text.
    if (!lies_in(YR_RE_CODE_SECTION, sizeof(RE) + 1)) return true;
    const std::uint8_t first = operand_at[sizeof(RE)];
    return first < RE_OPCODE_ANY || first > RE_OPCODE_NON_DIGIT;
  }
  if (!lies_in(YR_SZ_POOL, sizeof(SIZED_STRING))) return true;
  const bool empty = operand<std::uint32_t>(operand_at) == 0;  // SIZED_STRING's length
  switch (opcode) {
    case OP_STR_EQ:
    case OP_CONTAINS:
    case OP_STARTSWITH:
    case OP_ENDSWITH:
    case OP_ICONTAINS:
    case OP_ISTARTSWITH:
    case OP_IENDSWITH:
    case OP_IEQUALS:
      return empty;
    default:
      return true;
  }
}

bool Conditions::can_match(std::uint32_t rule, const ContentFacts& facts) const {
  Judged judged;
  return can_match(rule, facts, judged, 0);
}

bool Conditions::can_match(std::uint32_t rule, const ContentFacts& facts, Judged& judged, int depth) const {
  if (depth > max_reference_depth) return true;
  const auto known = judged.find(rule);
  if (known != judged.end()) return known->second;
  const bool result = Run(*this, code_.rules[rule], facts, judged, depth).can_be_true();
  judged.emplace(rule, result);
  return result;
}

}  // namespace exhibit::match