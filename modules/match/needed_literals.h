#pragma once
// The bytes that a YARA string leaves in whatever it matches: found without libyara, they say where it can't match.

#include <yara.h>

#include <optional>
#include <string>
#include <vector>

namespace exhibit::match {

// One of these byte strings at least lies inside any match, contiguous.
using NeededLiterals = std::vector<std::string>;

// Of a hex string or regular expression, as its characters: not widened yet, and for `nocase` in any case. None where
// a match needn't hold a literal that is worth looking for.
std::optional<NeededLiterals> literals_of(const RE_AST& tree);

// Of a text string.
std::optional<NeededLiterals> literals_of(std::string_view text);

// How seldom one of them is found, roughly: about 1 for each byte that isn't common.
double worth(const NeededLiterals& literals);

// As the content holds them for the modifiers `ascii` and `wide` (UTF-16LE without its last zero); at least one is set.
NeededLiterals encoded(const NeededLiterals& literals, bool ascii, bool wide);

// As the modifier `xor` may leave them: with every key, whichever were asked for.
NeededLiterals with_every_key(const NeededLiterals& literals);

}  // namespace exhibit::match
