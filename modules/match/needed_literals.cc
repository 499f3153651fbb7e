#include "match/needed_literals.h"

#include <yara/re.h>

#include <algorithm>
#include <bit>

namespace exhibit::match {
namespace {

// What is followed at once while a tree is read. Beyond, the tree is cut there: literals get shorter, never wrong.
constexpr std::size_t max_exact = 64;
constexpr std::size_t max_alternatives = 128;
constexpr std::size_t max_length = 64;
constexpr int max_depth = 200;
// Longer literals find no less: what is kept of them.
constexpr std::size_t kept_length = 24;
// Worth looking for: two rare bytes, or more of others.
constexpr double enough = 1.85;

// How rare a byte is in contents of every kind, 1 at most. For speed only.
double rarity(unsigned char byte) {
  if (byte == 0) return 0.3;
  if (byte == 0xff || byte == ' ' || byte == '0' || byte == 0x90 || byte == 0xcc) return 0.5;
  return (byte >= 'a' && byte <= 'z') || (byte >= '1' && byte <= '9') ? 0.75 : 0.95;
}

double worth_of_one(std::string_view literal) {
  double sum = 0;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    const bool repeated = i > 0 && literal[i] == literal[i - 1];
    sum += rarity(static_cast<unsigned char>(literal[i])) * (repeated ? 0.5 : 1);
  }
  return sum;
}

// The part of `literal` that is kept. Vectorscan takes a literal that begins with a zero for an empty one.
std::string best_part(std::string literal) {
  literal.erase(0, literal.find_first_not_of('\0'));
  if (literal.size() <= kept_length) return literal;
  std::string best = literal.substr(0, kept_length);
  for (std::size_t at = 1; at + kept_length <= literal.size(); ++at) {
    const std::string part = literal.substr(at, kept_length);
    if (part.front() != '\0' && worth_of_one(part) > worth_of_one(best)) best = part;
  }
  return best;
}

struct Reading {
  std::optional<NeededLiterals> exact;   // all that the node matches, where that is a few byte strings
  std::optional<NeededLiterals> needed;  // else, or besides: the best that any match holds
};

void offer(std::optional<NeededLiterals>& best, const NeededLiterals& literals) {
  if (literals.empty() || literals.size() > max_alternatives) return;
  if (std::any_of(literals.begin(), literals.end(), [](const std::string& l) { return l.empty(); })) return;
  if (!best || worth(literals) > worth(*best)) best = literals;
}

// What any match of the node holds.
std::optional<NeededLiterals> needed_of(const Reading& reading) {
  std::optional<NeededLiterals> best = reading.needed;
  if (reading.exact) offer(best, *reading.exact);
  return best;
}

Reading exactly(NeededLiterals literals) { return {std::move(literals), std::nullopt}; }

Reading read(const RE_NODE& node, int depth);

Reading read_masked(const RE_NODE& node) {
  NeededLiterals values;
  for (int value = 0; value < 256; ++value) {
    if ((value & node.mask) == (node.value & node.mask)) values.emplace_back(1, static_cast<char>(value));
  }
  return values.size() <= max_exact ? exactly(values) : Reading{};
}

Reading read_class(const RE_CLASS& members) {
  NeededLiterals values;
  for (unsigned value = 0; value < 256; ++value) {
    const bool listed = (members.bitmap[value / 8] >> (value % 8) & 1) != 0;
    if (listed != (members.negated != 0)) values.emplace_back(1, static_cast<char>(value));
  }
  return !values.empty() && values.size() <= max_exact ? exactly(values) : Reading{};
}

Reading read_concatenation(const RE_NODE& node, int depth) {
  Reading whole;
  NeededLiterals run{""};  // what the last children match together
  bool from_start = true;  // no child was left out of `run`
  for (const RE_NODE* child = node.children_head; child != nullptr; child = child->next_sibling) {
    const Reading part = read(*child, depth + 1);
    if (part.needed) offer(whole.needed, *part.needed);
    const bool goes_on = part.exact && run.size() * part.exact->size() <= max_exact &&
                         std::all_of(run.begin(), run.end(), [](const auto& l) { return l.size() < max_length; });
    if (goes_on) {
      NeededLiterals longer;
      for (const std::string& head : run) {
        for (const std::string& tail : *part.exact) longer.push_back(head + tail);
      }
      run = std::move(longer);
    } else {
      offer(whole.needed, run);
      run = part.exact ? *part.exact : NeededLiterals{""};
      from_start = false;
    }
  }
  if (from_start) {
    whole.exact = run;
  } else {
    offer(whole.needed, run);
  }
  return whole;
}

Reading read_alternatives(const RE_NODE& node, int depth) {
  Reading whole{NeededLiterals{}, NeededLiterals{}};
  for (const RE_NODE* child = node.children_head; child != nullptr; child = child->next_sibling) {
    const Reading part = read(*child, depth + 1);
    const auto needed = needed_of(part);
    const auto add = [](std::optional<NeededLiterals>& to, const std::optional<NeededLiterals>& more,
                        std::size_t most) {
      if (!to || !more || to->size() + more->size() > most) {
        to.reset();
      } else {
        to->insert(to->end(), more->begin(), more->end());
      }
    };
    add(whole.exact, part.exact, max_exact);
    add(whole.needed, needed, max_alternatives);
  }
  return whole;
}

// One child, from `least` to `most` times.
Reading read_repeated(const RE_NODE& node, int least, int most, int depth) {
  if (node.children_head == nullptr) return {};
  const Reading once = read(*node.children_head, depth + 1);
  if (least == 0 && most == 1 && once.exact && once.exact->size() < max_exact) {
    NeededLiterals optional = *once.exact;
    optional.emplace_back();
    return exactly(std::move(optional));
  }
  return least < 1 ? Reading{} : Reading{std::nullopt, needed_of(once)};
}

Reading read(const RE_NODE& node, int depth) {
  if (depth > max_depth) return {};
  switch (node.type) {
    case RE_NODE_LITERAL:
      return exactly({std::string(1, static_cast<char>(node.value))});
    case RE_NODE_MASKED_LITERAL:
      return read_masked(node);
    case RE_NODE_CLASS:
      return read_class(*node.re_class);
    case RE_NODE_CONCAT:
      return read_concatenation(node, depth);
    case RE_NODE_ALT:
      return read_alternatives(node, depth);
    case RE_NODE_PLUS:
      return read_repeated(node, 1, 2, depth);
    case RE_NODE_RANGE:
      return read_repeated(node, node.start, node.end, depth);
    default:
      return {};  // wildcards, jumps, anchors, and whatever another version of libyara adds
  }
}

std::optional<NeededLiterals> if_enough(const std::optional<NeededLiterals>& literals) {
  if (!literals) return std::nullopt;
  NeededLiterals kept;
  for (const std::string& literal : *literals) kept.push_back(best_part(literal));
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  if (worth(kept) < enough) return std::nullopt;
  return kept;
}

}  // namespace

double worth(const NeededLiterals& literals) {
  double least = literals.empty() ? 0 : 1e9;
  for (const std::string& literal : literals) least = std::min(least, worth_of_one(literal));
  // Twice as many literals are found twice as often: less than a byte.
  return least - 0.15 * static_cast<double>(std::bit_width(literals.size()) - 1);
}

std::optional<NeededLiterals> literals_of(const RE_AST& tree) {
  if (tree.root_node == nullptr) return std::nullopt;
  return if_enough(needed_of(read(*tree.root_node, 0)));
}

std::optional<NeededLiterals> literals_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return if_enough(NeededLiterals{std::string(text)});
}

NeededLiterals encoded(const NeededLiterals& literals, bool ascii, bool wide) {
  NeededLiterals result;
  for (const std::string& literal : literals) {
    if (ascii) result.push_back(literal);
    if (!wide) continue;
    std::string widened;
    for (const char c : literal) widened.append({c, '\0'});
    widened.pop_back();
    result.push_back(widened);
  }
  return result;
}

NeededLiterals with_every_key(const NeededLiterals& literals) {
  NeededLiterals result;
  for (unsigned key = 0; key < 256; ++key) {
    for (std::string literal : literals) {
      for (char& c : literal) c = static_cast<char>(static_cast<unsigned char>(c) ^ key);
      // Zeros at its start are dropped, as Vectorscan takes such a literal for an empty one.
      literal.erase(0, literal.find_first_not_of('\0'));
      result.push_back(std::move(literal));
    }
  }
  return result;
}

}  // namespace exhibit::match
