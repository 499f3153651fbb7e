#include "match/condition_code.h"

#include <yara/compiler.h>
#include <yara/exec.h>

#include <algorithm>
#include <functional>

namespace exhibit::match {

bool is_jump(std::uint8_t opcode) {
  switch (opcode) {
    case OP_JUNDEF_P:
    case OP_JNUNDEF:
    case OP_JFALSE:
    case OP_JFALSE_P:
    case OP_JTRUE:
    case OP_JTRUE_P:
    case OP_JL_P:
    case OP_JLE_P:
    case OP_JZ:
    case OP_JZ_P:
      return true;
    default:
      return false;
  }
}

bool is_reader(std::uint8_t opcode) { return opcode >= OP_INT8 && opcode <= OP_UINT32BE; }

std::optional<std::uint32_t> operand_size(std::uint8_t opcode) {
  if (is_jump(opcode)) return 4;
  if (is_reader(opcode)) return 0;
  if (opcode >= OP_INT_BEGIN && opcode <= OP_INT_END) return 0;
  if (opcode >= OP_DBL_BEGIN && opcode <= OP_DBL_END) return 0;
  if (opcode >= OP_STR_BEGIN && opcode <= OP_STR_END) return 0;
  switch (opcode) {
    case OP_PUSH:
    case OP_CALL:
    case OP_OBJ_LOAD:
    case OP_OBJ_FIELD:
    case OP_INIT_RULE:
    case OP_MATCH_RULE:
    case OP_INCR_M:
    case OP_CLEAR_M:
    case OP_ADD_M:
    case OP_POP_M:
    case OP_PUSH_M:
    case OP_SET_M:
    case OP_SWAPUNDEF:
    case OP_IMPORT:
    case OP_PUSH_RULE:
    case OP_INT_TO_DBL:
    case OP_OF:
    case OP_OF_PERCENT:
      return 8;
    case OP_PUSH_8:
      return 1;
    case OP_PUSH_16:
      return 2;
    case OP_PUSH_32:
      return 4;
    case OP_NOP:
    case OP_AND:
    case OP_OR:
    case OP_NOT:
    case OP_DEFINED:
    case OP_BITWISE_NOT:
    case OP_BITWISE_AND:
    case OP_BITWISE_OR:
    case OP_BITWISE_XOR:
    case OP_SHL:
    case OP_SHR:
    case OP_MOD:
    case OP_STR_TO_BOOL:
    case OP_POP:
    case OP_OBJ_VALUE:
    case OP_INDEX_ARRAY:
    case OP_LOOKUP_DICT:
    case OP_COUNT:
    case OP_LENGTH:
    case OP_FOUND:
    case OP_FOUND_AT:
    case OP_FOUND_IN:
    case OP_OFFSET:
    case OP_COUNT_IN:
    case OP_OF_FOUND_IN:
    case OP_FILESIZE:
    case OP_ENTRYPOINT:
    case OP_MATCHES:
    case OP_ITER_NEXT:
    case OP_ITER_START_ARRAY:
    case OP_ITER_START_DICT:
    case OP_ITER_START_INT_RANGE:
    case OP_ITER_START_INT_ENUM:
    case OP_PUSH_U:
    case OP_CONTAINS:
    case OP_STARTSWITH:
    case OP_ENDSWITH:
    case OP_ICONTAINS:
    case OP_ISTARTSWITH:
    case OP_IENDSWITH:
    case OP_IEQUALS:
      return 0;
    default:
      return std::nullopt;
  }
}

std::optional<std::int64_t> pushed_number(const std::uint8_t* at) {
  switch (*at) {
    case OP_PUSH:
      return operand<std::int64_t>(at + 1);
    case OP_PUSH_8:
      return at[1];
    case OP_PUSH_16:
      return operand<std::uint16_t>(at + 1);
    case OP_PUSH_32:
      return operand<std::uint32_t>(at + 1);
    default:
      return std::nullopt;
  }
}

namespace {

bool uses_memory(std::uint8_t opcode) {
  switch (opcode) {
    case OP_INCR_M:
    case OP_CLEAR_M:
    case OP_ADD_M:
    case OP_POP_M:
    case OP_PUSH_M:
    case OP_SET_M:
    case OP_SWAPUNDEF:
      return true;
    default:
      return false;
  }
}

// Reads one rule's code: false where an instruction isn't known or the code isn't as compilers lay it out.
class RuleReader {
 public:
  RuleReader(RuleCode& rule, const YR_RULES& rules) : rule_(rule), rules_(rules) {}

  bool read() {
    std::uint32_t at = first_instruction;
    for (bool ended = false; !ended;) {
      if (at >= rule_.size) return false;
      const auto size = operand_size(rule_.code[at]);
      if (!size || *size >= rule_.size - at) return false;
      starts_.push_back(at);
      note(at);
      ended = rule_.code[at] == OP_MATCH_RULE;
      at += 1 + *size;
    }
    if (at != rule_.size) return false;
    const auto is_start = [&](std::uint32_t target) {
      return std::binary_search(starts_.begin(), starts_.end(), target);
    };
    if (!std::all_of(targets_.begin(), targets_.end(), is_start)) return false;
    find_tests();
    return true;
  }

 private:
  void note(std::uint32_t at) {
    const std::uint8_t* code = rule_.code + at;
    if (is_jump(*code)) targets_.push_back(at + static_cast<std::uint32_t>(operand<std::int32_t>(code + 1)));
    if (*code == OP_PUSH) {
      const auto* pushed = operand<const YR_STRING*>(code + 1);
      const bool is_string = !std::less<>{}(pushed, rules_.strings_table) &&
                             std::less<>{}(pushed, rules_.strings_table + rules_.num_strings);
      if (is_string) rule_.string_operands.push_back(at + 1);
    }
    if (*code == OP_PUSH_RULE || *code == OP_MATCH_RULE) rule_.rule_operands.push_back(at + 1);
    if (*code == OP_PUSH_RULE) {
      rule_.references.push_back(static_cast<std::uint32_t>(operand<std::uint64_t>(code + 1)));
    }
    if (uses_memory(*code)) rule_.uses_memory = true;
    if (*code == OP_OBJ_LOAD) rule_.objects.push_back(operand<const char*>(code + 1));
  }

  // Four instructions: offset, reader, value, comparison; or value, offset, reader, comparison.
  void find_tests() {
    for (std::size_t i = 3; i < starts_.size(); ++i) {
      if (rule_.code[starts_[i]] != OP_INT_EQ) continue;
      const std::uint8_t* first = rule_.code + starts_[i - 3];
      const std::uint8_t* second = rule_.code + starts_[i - 2];
      const std::uint8_t* third = rule_.code + starts_[i - 1];
      const bool value_last = is_reader(*second);
      if (!value_last && !is_reader(*third)) continue;
      const auto offset = pushed_number(value_last ? first : second);
      const auto value = pushed_number(value_last ? third : first);
      const bool entered = std::any_of(targets_.begin(), targets_.end(), [&](std::uint32_t target) {
        return target > starts_[i - 3] && target <= starts_[i];
      });
      if (!offset || !value || entered) continue;
      rule_.tests.emplace_back(starts_[i], PlaceTest{value_last ? *second : *third, *offset, *value});
    }
  }

  RuleCode& rule_;
  const YR_RULES& rules_;
  std::vector<std::uint32_t> starts_, targets_;
};

}  // namespace

std::optional<ConditionCode> read_condition_code(const YR_RULES& rules) {
  ConditionCode all;
  all.rules.resize(rules.num_rules);
  const std::uint8_t* at = rules.code_start;
  const YR_ARENA_BUFFER& section = rules.arena->buffers[YR_CODE_SECTION];
  const std::uint8_t* end = at + section.used;
  while (at < end && *at != OP_HALT) {
    if (*at == OP_IMPORT) {
      if (end - at < 9) return std::nullopt;
      all.imports.push_back(operand<const char*>(at + 1));
      at += 9;
      continue;
    }
    if (*at != OP_INIT_RULE || end - at < first_instruction) return std::nullopt;
    const auto size = operand<std::int32_t>(at + 1);
    const auto index = operand<std::uint32_t>(at + 5);
    if (size < static_cast<std::int32_t>(first_instruction) || size > end - at || index >= rules.num_rules) {
      return std::nullopt;
    }
    RuleCode& rule = all.rules[index];
    if (rule.code != nullptr) return std::nullopt;
    rule.code = at;
    rule.size = static_cast<std::uint32_t>(size);
    if (!RuleReader(rule, rules).read()) return std::nullopt;
    at += size;
  }
  const auto present = [](const RuleCode& rule) { return rule.code != nullptr; };
  if (at >= end || !std::all_of(all.rules.begin(), all.rules.end(), present)) return std::nullopt;
  return all;
}

}  // namespace exhibit::match
