#pragma once
// Bytes that YARA strings match, made from the strings: so that a prefilter's positive side is tried on every rule.

#include <map>
#include <random>
#include <string>
#include <vector>

namespace exhibit::prefilter {

struct RuleSamples {
  std::string name;
  // One entry a string: several forms (wide, other case, xor) of something that it matches, or nearly.
  std::vector<std::vector<std::string>> strings;
};

// Of every rule in the files, in order. Exits if one doesn't compile: the caller has compiled them before.
std::vector<RuleSamples> make_samples(const std::vector<std::string>& files, std::mt19937& random);

// A content that should match the rule: `variant` chooses the beginning and which strings are there.
std::string make_content(const RuleSamples& rule, int variant, std::mt19937& random);
constexpr int variants = 6;

}  // namespace exhibit::prefilter
