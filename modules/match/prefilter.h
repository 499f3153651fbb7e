#pragma once
// Which rules can match a content at all.
//
// A rule is left to libyara unless its condition can't be true with what is known without libyara: the content's size
// and first bytes, and which of the rule's strings can match. A string can't where none of the literals that any match
// of it holds occurs. Nothing here is a guess: where something isn't known, the rule goes to libyara.

#include <exhibit/result.h>
#include <yara.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "match/conditions.h"
#include "match/literal_search.h"
#include "match/needed_literals.h"

namespace exhibit::match {

// A hex string, regular expression or base64 string, as the compiler read it.
struct StringTree {
  std::uint32_t rule = 0;
  std::string identifier;  // `$` for every string without a name
  std::optional<NeededLiterals> literals;
  bool ignore_case = false;
};

class Prefilter {
 public:
  // `rules` and `conditions` must outlive it. `trees` in the order of compilation.
  static Result<std::unique_ptr<Prefilter>> make(const YR_RULES& rules, const Conditions& conditions,
                                                 const std::vector<StringTree>& trees);

  // A content: begin, then its bytes, in pieces that overlap by longest_literal bytes at least.
  void begin();
  void look_at(std::span<const std::byte> bytes);
  // The rules that can match it, sorted. `head` is its beginning, or all of it.
  std::vector<std::uint32_t> candidates(std::uint64_t size, std::span<const std::byte> head);

  // Those of `candidates` that can match now that it is known which strings of `searched` rules match, and which don't.
  std::vector<std::uint32_t> narrowed(std::vector<std::uint32_t> candidates, const std::vector<std::uint32_t>& searched,
                                      const std::vector<std::uint32_t>& matching_strings, std::uint64_t size,
                                      std::span<const std::byte> head) const;

  static constexpr std::size_t longest_literal = 64;
  std::size_t memory() const { return search_.memory(); }

 private:
  Prefilter(const YR_RULES& rules, const Conditions& conditions) : rules_(rules), conditions_(conditions) {}
  struct StringLiterals {
    NeededLiterals literals;
    bool ignore_case = false;
  };
  std::vector<StringLiterals> literals_by_string(const std::vector<StringTree>& trees) const;
  void drop_needless(std::vector<StringLiterals>& all);
  Result<void> compile_literals(const std::vector<StringTree>& trees);
  std::optional<PlaceTest> guard_of(std::uint32_t rule, ContentFacts facts) const;
  void find_referring_rules();
  void sort_rules();

  // Rules that may match without any literal, if `test` holds.
  struct Guarded {
    PlaceTest test;
    std::vector<std::uint32_t> rules;
  };

  const YR_RULES& rules_;
  const Conditions& conditions_;
  LiteralSearch search_;
  std::vector<std::vector<std::uint32_t>> strings_of_literal_;
  std::vector<std::vector<std::uint32_t>> asked_for_;  // by rule: whom a match of its strings may make match
  std::vector<std::uint64_t> always_possible_;         // one bit a string: it has no literal
  std::vector<std::uint32_t> always_asked_;            // rules that may match without any literal
  std::vector<Guarded> guarded_;                       // the same, but for a number that must stand at some place

  // Of the content at hand.
  bool failed_ = false;
  std::vector<std::uint64_t> possible_;
  std::vector<std::uint32_t> touched_strings_;
};

}  // namespace exhibit::match
