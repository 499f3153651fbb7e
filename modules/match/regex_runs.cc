#include "match/regex_runs.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace exhibit::match {
namespace {

// One of `choices` must follow here; empty: anything, or nothing.
struct Atom {
  std::vector<ByteRun> choices;
};
const Atom anything{};
constexpr std::string_view operators = "*?+{";
// More combinations than this aren't worth looking for.
constexpr std::size_t most_runs = 32;
// Nor a pair of bytes that content has at every turn; two lower-case letters of any kind are far above this.
constexpr std::uint64_t most_frequent = 4096;

Atom one_of(ByteSet set) { return {{{set}}}; }

// Reads an expression into a sequence of atoms. What it doesn't know for sure makes it fail.
class Reader {
 public:
  Reader(std::string_view text, bool at_begin) : text_(text), at_begin_(at_begin) {}

  std::optional<std::vector<Atom>> read() {
    auto atoms = sequence();
    if (at_ != text_.size()) return std::nullopt;  // `|`, or a `)` without its `(`
    return atoms;
  }

  std::optional<LineStart> read_line_start() {
    if (!text_.starts_with('^') || text_.find('|') != std::string_view::npos) return std::nullopt;
    at_ = 1;
    const auto skipped = more() ? piece() : std::nullopt;
    if (!skipped || !one_byte(*skipped) || !more() || text_[at_++] != '*' || !more()) return std::nullopt;
    const auto then = piece();
    const auto least = repetitions();
    if (!then || !one_byte(*then) || !least || *least == Least::none) return std::nullopt;
    LineStart line{skipped->front().choices[0][0], then->front().choices[0][0]};
    return (line.skipped & line.then).none() ? std::optional(line) : std::nullopt;
  }

 private:
  static bool one_byte(const std::vector<Atom>& atoms) {
    return atoms.size() == 1 && atoms[0].choices.size() == 1 && atoms[0].choices[0].size() == 1;
  }
  bool more() const { return at_ < text_.size(); }
  char peek() const { return text_[at_]; }

  // Up to the end, a `|` or a `)`.
  std::optional<std::vector<Atom>> sequence() {
    std::vector<Atom> out;
    while (more() && peek() != '|' && peek() != ')') {
      auto atoms = piece();
      if (!atoms) return std::nullopt;
      const auto least = repetitions();
      if (!least) return std::nullopt;
      if (*least == Least::none) {
        out.push_back(anything);
        continue;
      }
      out.insert(out.end(), atoms->begin(), atoms->end());
      if (*least == Least::several) out.push_back(anything);
    }
    return out;
  }

  std::optional<std::vector<Atom>> piece() {
    const char c = text_[at_++];
    switch (c) {
      case '^':
        return std::vector{at_ == 1 && at_begin_ ? one_of(ByteSet().set('\n')) : anything};
      case '$':
      case '.':
        return std::vector{anything};
      case '[':
        return bracket();
      case '(':
        return group();
      case '\\':
        return escaped();
      case '*':
      case '+':
      case '?':
      case '{':
        return std::nullopt;  // nothing before it that it could repeat
      default:
        return std::vector{one_of(ByteSet().set(static_cast<unsigned char>(c)))};
    }
  }

  std::optional<std::vector<Atom>> escaped() {
    if (!more()) return std::nullopt;
    const auto c = static_cast<unsigned char>(text_[at_++]);
    // Letters, digits and these have meanings of GNU's own.
    if (std::isalnum(c) != 0 || c == '<' || c == '>' || c == '`' || c == '\'') return std::vector{anything};
    return std::vector{one_of(ByteSet().set(c))};
  }

  std::optional<std::vector<Atom>> group() {
    std::vector<std::vector<Atom>> branches;
    do {
      auto branch = sequence();
      if (!branch || !more()) return std::nullopt;
      branches.push_back(std::move(*branch));
    } while (text_[at_++] == '|');
    if (branches.size() == 1) return branches[0];
    Atom choice;
    for (const auto& branch : branches) {
      ByteRun run;
      for (const Atom& atom : branch) {
        if (atom.choices.size() != 1) return std::vector{anything};
        run.insert(run.end(), atom.choices[0].begin(), atom.choices[0].end());
      }
      if (run.empty()) return std::vector{anything};
      choice.choices.push_back(std::move(run));
    }
    return std::vector{std::move(choice)};
  }

  // Behind `[`. A backslash is a plain byte here.
  std::optional<std::vector<Atom>> bracket() {
    ByteSet set;
    const bool negated = more() && peek() == '^';
    if (negated) ++at_;
    for (const std::size_t begin = at_; more() && (peek() != ']' || at_ == begin);) {
      if (peek() == '[' && at_ + 1 < text_.size() &&
          std::string_view(":.=").find(text_[at_ + 1]) != std::string::npos) {
        if (!named_class(set)) return std::nullopt;
        continue;
      }
      const auto low = static_cast<unsigned char>(text_[at_++]);
      auto high = low;
      if (at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']') {
        high = static_cast<unsigned char>(text_[at_ + 1]);
        if (high == '[' || high < low) return std::nullopt;
        at_ += 2;
      }
      for (std::size_t byte = low; byte <= high; ++byte) set.set(byte);
    }
    if (!more()) return std::nullopt;
    ++at_;
    return std::vector{one_of(negated ? ~set : set)};
  }

  bool named_class(ByteSet& set) {
    constexpr std::string_view space = "[:space:]";
    if (!text_.substr(at_).starts_with(space)) return false;  // the only one that the database has
    at_ += space.size();
    for (const unsigned char c : {' ', '\t', '\n', '\v', '\f', '\r'}) set.set(c);
    return true;
  }

  // How often at least the piece before must be there: perhaps not at all; once and no more; once, then unknown.
  enum class Least { none, once, several };
  std::optional<Least> repetitions() {
    if (!at_operator()) return Least::once;
    Least least = text_[at_] == '+' ? Least::several : Least::none;
    if (text_[at_++] == '{') {
      const std::size_t close = text_.find('}', at_);
      if (close == std::string_view::npos || std::isdigit(static_cast<unsigned char>(peek())) == 0) return std::nullopt;
      if (peek() != '0') least = Least::several;
      at_ = close + 1;
    }
    if (at_operator()) return std::nullopt;  // repeated repetitions
    return least;
  }
  bool at_operator() const { return more() && operators.find(peek()) != std::string_view::npos; }

  std::string_view text_;
  bool at_begin_;
  std::size_t at_ = 0;
};

// All runs that the atoms of one stretch (no `anything` in it) may make.
std::vector<ByteRun> combine(const std::vector<Atom>& stretch) {
  std::vector<ByteRun> runs(1);
  for (const Atom& atom : stretch) {
    if (runs.size() * atom.choices.size() > most_runs) return {};
    std::vector<ByteRun> longer;
    for (const ByteRun& run : runs) {
      for (const ByteRun& choice : atom.choices) {
        longer.push_back(run);
        longer.back().insert(longer.back().end(), choice.begin(), choice.end());
      }
    }
    runs = std::move(longer);
  }
  return runs;
}

// Lower is better; nullopt: no use.
std::optional<std::uint64_t> cost(const std::vector<ByteRun>& runs) {
  std::uint64_t sum = 0;
  for (const ByteRun& run : runs) {
    if (run.size() < 2) return std::nullopt;
    sum += run_frequency(run);
  }
  return runs.empty() || sum > most_frequent ? std::nullopt : std::optional(sum);
}

// libmagic gives up on the whole content at an expression that it refuses to compile (funcs.c, check_regex()), so such
// an entry must never be left out.
bool refused(std::string_view expression) {
  char before = 0;
  for (const char c : expression) {
    const bool doubled = c == before && operators.find(c) != std::string_view::npos;
    const bool plain = (c >= ' ' && c <= '~') || (c >= '\t' && c <= '\r') || c == '\b';
    if (doubled || !plain) return true;
    before = c;
  }
  return false;
}

}  // namespace

std::optional<LineStart> line_start_of(std::string_view expression) {
  return refused(expression) ? std::nullopt : Reader(expression, true).read_line_start();
}

std::vector<ByteRun> runs_of_expression(std::string_view expression, bool at_begin, bool ignore_case) {
  if (refused(expression)) return {};
  auto atoms = Reader(expression, at_begin).read();
  if (!atoms) return {};
  atoms->push_back(anything);
  std::vector<ByteRun> best;
  std::vector<Atom> stretch;
  for (const Atom& atom : *atoms) {
    if (!atom.choices.empty()) {
      stretch.push_back(atom);
      continue;
    }
    auto runs = combine(stretch);
    stretch.clear();
    const auto price = cost(runs);
    if (price && (best.empty() || *price < *cost(best))) best = std::move(runs);
  }
  if (ignore_case) {
    for (ByteRun& run : best) std::transform(run.begin(), run.end(), run.begin(), both_cases);
  }
  return best;
}

}  // namespace exhibit::match
