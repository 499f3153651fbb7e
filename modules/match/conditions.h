#pragma once
// Whether a compiled rule can be true, judged without searching for its strings.
//
// The conditions are bytecode (yara/exec.h). It is run over abstract values: what is known of the content is a number,
// everything else may be zero, not zero or undefined, and where both ways of a jump are open both are followed. A rule
// whose condition can't come out true so is false in libyara too, whatever the rest of the content is. Anything that
// this reader of libyara 4.2.3's bytecode doesn't know makes the rule one that can be true.

#include <yara.h>

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace exhibit::match {

// A comparison with a number that stands at a fixed place, as in `uint16(0) == 0x5A4D`.
struct PlaceTest {
  std::uint8_t reader = 0;  // the opcode, OP_INT8 to OP_UINT32BE
  std::int64_t offset = 0;
  std::int64_t value = 0;
  auto operator<=>(const PlaceTest&) const = default;
};

// What is known of one content.
struct ContentFacts {
  std::span<const std::uint64_t> possible_strings;  // one bit a string of YR_RULES: it may match
  bool read = false;                                // else nothing below is known
  std::uint64_t size = 0;
  std::span<const std::byte> head;  // its first bytes
  // Taken for false or undefined wherever the rule that is asked about makes it.
  const PlaceTest* denied = nullptr;
};

// The number that libyara's `reader` gives at `offset`: none where that isn't known.
struct PlaceNumber {
  bool known = false;
  bool undefined = false;  // past the content's end
  std::int64_t value = 0;
};
// What a content begins with if YARA's module `pe` finds a program in it. Else all of the module but its constants and
// `is_pe` is undefined: pe.c of libyara 4.2.3, pe_get_header and module_load.
inline constexpr PlaceTest program_test{.reader = 244, .offset = 0, .value = 0x5A4D};  // OP_UINT16; MZ
bool has_no_program(const ContentFacts& facts);

PlaceNumber number_at(const ContentFacts& facts, std::uint8_t reader, std::int64_t offset);

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

class Conditions {
 public:
  // `rules` must outlive it. None where the code as a whole isn't laid out as libyara 4.2.3 does it.
  static std::optional<Conditions> read(const YR_RULES& rules);

  const std::vector<RuleCode>& rules() const { return rules_; }
  const std::vector<const char*>& imports() const { return imports_; }

  // False only if the rule can't match a content of which `facts` hold. Rules that it refers to are judged, too.
  bool can_match(std::uint32_t rule, const ContentFacts& facts) const;

 private:
  friend class Run;
  bool is_empty_variable(std::string_view name) const;
  bool can_fit_empty_text(std::uint8_t opcode, const std::uint8_t* operand_at) const;
  using Judged = std::map<std::uint32_t, bool>;  // by rule, while one rule is asked about
  bool can_match(std::uint32_t rule, const ContentFacts& facts, Judged& judged, int depth) const;

  const YR_RULES* libyara_ = nullptr;
  std::vector<RuleCode> rules_;
  std::vector<const char*> imports_;  // module names, as OP_IMPORT points to them
};

}  // namespace exhibit::match
