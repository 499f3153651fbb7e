#pragma once
// The bytecode of libyara 4.2.3 (yara/exec.h), as far as it has to be read: where each rule's condition lies, and what
// stands in it.

#include <yara.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "match/content_facts.h"

namespace exhibit::match {

static_assert(YR_MAJOR_VERSION == 4 && YR_MINOR_VERSION == 2 && YR_MICRO_VERSION == 3,
              "the prefilter knows the bytecode of libyara 4.2.3 alone");

struct RuleCode {
  const std::uint8_t* code = nullptr;  // from OP_INIT_RULE to past OP_MATCH_RULE
  std::uint32_t size = 0;
  bool uses_memory = false;
  std::vector<std::uint32_t> string_operands;              // where in `code` a string's address stands
  std::vector<std::uint32_t> rule_operands;                // and a rule's number, of eight bytes
  std::vector<std::uint32_t> references;                   // other rules that it asks; always earlier ones
  std::vector<const char*> objects;                        // modules and variables that it loads, by name
  std::vector<std::pair<std::uint32_t, PlaceTest>> tests;  // by where in `code` their comparison stands, sorted
};

struct ConditionCode {
  std::vector<RuleCode> rules;       // by number
  std::vector<const char*> imports;  // module names, as OP_IMPORT points to them
};

// None where the code isn't laid out as libyara 4.2.3 does it.
std::optional<ConditionCode> read_condition_code(const YR_RULES& rules);

template <typename T>
T operand(const std::uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);  // NOLINT(bugprone-sizeof-expression): T may be a pointer
  return value;
}

// Past OP_INIT_RULE, the way past the rule and its number.
inline constexpr std::uint32_t first_instruction = 1 + sizeof(std::int32_t) + sizeof(std::uint32_t);

bool is_jump(std::uint8_t opcode);
// OP_INT8 to OP_UINT32BE.
bool is_reader(std::uint8_t opcode);
// The length of the operand; none for an opcode that isn't known.
std::optional<std::uint32_t> operand_size(std::uint8_t opcode);
// What the instruction pushes, where that is a constant.
std::optional<std::int64_t> pushed_number(const std::uint8_t* at);

}  // namespace exhibit::match
