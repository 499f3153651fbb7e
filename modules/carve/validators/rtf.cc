// Rich Text Format (Microsoft, specification 1.9.1, 2008): groups in braces; the object ends with the brace that closes
// the first.

#include "carve/text.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view head = "{\\rtf";
constexpr std::uint32_t deepest = 4096;                  // groups in groups
constexpr std::uint64_t step = std::uint64_t{64} << 10;  // bytes between remembered states
constexpr std::uint64_t least = 128;                     // bytes that must hold of a broken one
constexpr std::size_t longest_word = 32;                 // "Control Word": letters

struct State : Memory::State {
  std::uint64_t position = 0;
  std::uint32_t depth = 0;
  std::uint32_t picture_depth = 0;  // of the group with \pict or \objdata, whose text is hexadecimal; 0: none
  bool is_provable = true;          // no cluster of it could be any text
  std::uint64_t control_end = 0;    // of the last control or brace
  std::uint32_t words = 0;          // control words that every writer puts at the beginning
};

// The words of the header that the specification lists ("Header"), any of which a real document has.
bool is_header_word(std::string_view word) {
  for (const std::string_view one : {"ansi", "mac", "pc", "pca", "ansicpg", "deff", "fonttbl", "deflang", "colortbl",
                                     "stylesheet", "generator", "info", "pard", "par"}) {
    if (word == one) return true;
  }
  return false;
}

class Scanner {
 public:
  Scanner(const Content& content, State& state) : content_(content), cursor_(content, state.position), state_(state) {}

  // Goes to the next brace's other side; false: what is there can't be.
  bool step_on() {
    for (;;) {
      const int byte = cursor_.next();
      if (byte == '\\' || byte == '{' || byte == '}') {
        const bool is_data = state_.picture_depth == state_.depth && state_.depth > 0;
        if (!is_data && covers_cluster(state_.control_end, cursor_.position())) state_.is_provable = false;
        state_.control_end = cursor_.position();
      }
      if (byte == '\\') {
        if (!control()) return false;
        state_.control_end = cursor_.position();
      } else if (byte == '{') {
        // A document in a document begins another: this one's end is lost.
        if (state_.depth > 0 && cursor_.is_at(head.substr(1))) return false;
        return ++state_.depth <= deepest;
      } else if (byte == '}') {
        if (state_.picture_depth == state_.depth) state_.picture_depth = 0;
        --state_.depth;
        return true;
      } else if (byte < 0 || is_control(byte)) {
        return false;
      } else if (state_.picture_depth == state_.depth && state_.depth > 0 && !is_hex(byte) && !is_space(byte)) {
        return false;
      }
    }
  }
  std::uint64_t position() const { return cursor_.position(); }

 private:
  bool control() {
    const int first = cursor_.next();
    if (first == '\'') return is_hex(cursor_.next()) && is_hex(cursor_.next());
    if (!is_letter(first)) return first >= 0 && !is_control(first);  // a control symbol
    char word[longest_word];
    std::size_t length = 0;
    word[length++] = static_cast<char>(first);
    while (is_letter(cursor_.peek())) {
      if (length == longest_word) return false;
      word[length++] = static_cast<char>(cursor_.next());
    }
    const auto number = parameter();
    if (cursor_.peek() == ' ') cursor_.next();
    const std::string_view name(word, length);
    if (is_header_word(name)) ++state_.words;
    if (name == "pict" || name == "objdata") state_.picture_depth = state_.depth;
    if (name == "bin") {
      if (number > content_.size() - std::min(content_.size(), cursor_.position())) return false;
      cursor_.seek(cursor_.position() + number);
    }
    return true;
  }

  // The number behind a control word; no document has one of more than 10 digits.
  std::uint64_t parameter() {
    if (cursor_.peek() == '-') cursor_.next();
    std::uint64_t number = 0;
    for (int digits = 0; digits < 10 && is_digit(cursor_.peek()); ++digits) {
      number = number * 10 + static_cast<std::uint64_t>(cursor_.next() - '0');
    }
    return number;
  }

  const Content& content_;
  Cursor cursor_;
  State& state_;
};

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else if (!starts_with(content.at(0, head.size()), head)) {
    return {};
  }
  Scanner scanner(content, state);
  std::uint64_t kept = state.position;
  while (scanner.step_on()) {
    state.position = scanner.position();
    if (state.depth == 0) {
      if (state.words == 0) return {};
      Verdict verdict = Verdict::whole(text_file_end(content, state.position));
      if (!state.is_provable) verdict.tier = Tier::plausible;
      return verdict;
    }
    if (state.position - kept < step) continue;
    memory.keep(state.position, std::make_shared<State>(state));
    kept = state.position;
  }
  // The byte that can't be is the last that was read.
  const std::uint64_t position = std::min(scanner.position(), content.size());
  if (state.words == 0) return {};
  return broken_text(position - (position < content.size() ? 1 : 0), least);
}

}  // namespace

extern const Validator rtf_validator;
const Validator rtf_validator = {"rtf", validate};

}  // namespace exhibit::carve
