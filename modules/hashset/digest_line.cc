#include "hashset/digest_line.h"

#include <algorithm>

#include "hashset/hex.h"

namespace exhibit::hashset {
namespace {

struct Tag {
  std::string_view text;
  Algorithm algorithm;
};
constexpr Tag tags[] = {{"MD5", Algorithm::md5},         {"SHA1", Algorithm::sha1},
                        {"SHA256", Algorithm::sha256},   {"SHA512", Algorithm::sha512},
                        {"SHA2-256", Algorithm::sha256}, {"SHA2-512", Algorithm::sha512}};

bool blank(char c) { return c == ' ' || c == '\t'; }

bool hex_digit(char c) { return hex_value(c) != not_hex; }

std::string_view without_leading_blanks(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

const AlgorithmFacts* of_hex_length(std::size_t length) {
  const auto found = std::ranges::find(algorithm_facts, length, [](const auto& facts) { return facts.bytes * 2; });
  return found == algorithm_facts.end() ? nullptr : &*found;
}

// `TAG (name) = hex`
std::variant<DigestLine, NoEntry, Refusal> read_tagged(std::string_view line, bool escaped) {
  const Refusal no_digest{"it doesn't begin with a digest"};
  const std::size_t open = line.find('('), close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return no_digest;
  std::string_view rest = without_leading_blanks(line.substr(close + 1));
  if (rest.empty() || rest.front() != '=') return no_digest;
  rest = without_trailing_blanks(without_leading_blanks(rest.substr(1)));
  const auto tag = std::ranges::find(tags, without_trailing_blanks(line.substr(0, open)), &Tag::text);
  if (tag == std::end(tags)) return Refusal{"its algorithm isn't MD5, SHA1, SHA256 or SHA512"};
  return DigestLine{.style = DigestLine::Style::tagged,
                    .algorithm = tag->algorithm,
                    .hex = rest,
                    .name = line.substr(open + 1, close - open - 1),
                    .escaped = escaped};
}

// What follows the digest: two characters (a blank, then a blank or the star of binary mode) and the name, or blanks
// as other programs write.
std::string_view name_after(std::string_view rest) {
  if (rest.size() > 2 && rest[0] == ' ' && (rest[1] == ' ' || rest[1] == '*')) return rest.substr(2);
  rest = without_leading_blanks(rest);
  if (rest.size() > 1 && rest.front() == '*') rest.remove_prefix(1);
  return rest;
}

// False where a backslash is followed by something that coreutils never writes.
bool unescape(std::string_view name, std::string& plain) {
  plain.clear();
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\') {
      plain += name[i];
      continue;
    }
    if (++i == name.size()) return false;
    switch (name[i]) {
      case '\\':
        plain += '\\';
        break;
      case 'n':
        plain += '\n';
        break;
      case 'r':
        plain += '\r';
        break;
      default:
        return false;
    }
  }
  return true;
}

class DigestLineParser final : public Parser {
 public:
  Result<Line> parse(std::string_view line) override {
    auto read = read_digest_line(line);
    if (std::holds_alternative<NoEntry>(read)) return Line(NoEntry{});
    if (auto* refusal = std::get_if<Refusal>(&read)) return Line(std::move(*refusal));
    const DigestLine& digest = std::get<DigestLine>(read);
    if (digest.style != DigestLine::Style::tagged) {
      if (!settled_) settled_ = digest.algorithm;
      if (*settled_ != digest.algorithm) {
        return Line(Refusal{"as long as a " + std::string(facts(digest.algorithm).name) + " in a list of " +
                            std::string(facts(*settled_).name)});
      }
    }
    Entry& entry = new_entry();
    entry[digest.algorithm] = digest.hex;
    entry.name = digest.name;
    if (digest.escaped) {
      if (!unescape(digest.name, unescaped_)) return Line(Refusal{"a backslash in the name escapes nothing"});
      entry.name = unescaped_;
    }
    return Line(&entry);
  }

 private:
  std::optional<Algorithm> settled_;
  std::string unescaped_;
};

}  // namespace

std::variant<DigestLine, NoEntry, Refusal> read_digest_line(std::string_view line) {
  line = without_leading_blanks(line);
  if (line.empty() || line.front() == '#') return NoEntry{};
  const bool escaped = line.front() == '\\';
  if (escaped) line.remove_prefix(1);

  const std::size_t digits = static_cast<std::size_t>(std::ranges::find_if_not(line, hex_digit) - line.begin());
  const std::string_view rest = line.substr(digits);
  if (digits == 0 || (!rest.empty() && !blank(rest.front()))) return read_tagged(line, escaped);

  const AlgorithmFacts* algorithm = of_hex_length(digits);
  if (algorithm == nullptr) {
    return Refusal{std::to_string(digits) + " hexadecimal digits aren't an md5, sha1, sha256 or sha512"};
  }
  const std::string_view name = name_after(rest);
  const bool bare = without_leading_blanks(name).empty();
  return DigestLine{.style = bare ? DigestLine::Style::bare : DigestLine::Style::named,
                    .algorithm = static_cast<Algorithm>(algorithm - algorithm_facts.data()),
                    .hex = line.substr(0, digits),
                    .name = bare ? std::string_view() : name,
                    .escaped = escaped};
}

std::unique_ptr<Parser> digest_line_parser() { return std::make_unique<DigestLineParser>(); }

}  // namespace exhibit::hashset
