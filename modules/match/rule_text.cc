#include "match/rule_text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/json.h"

namespace exhibit::match {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

// Goes over a file token by token; YARA has no other `/` than those of comments and regular expressions.
class Tokens {
 public:
  explicit Tokens(std::string_view source) : source_(source) {}

  // The next word, brace or colon; a comment, string or other character is passed over. Empty at the end.
  Result<std::string_view> next() {
    while (at_ < source_.size()) {
      const char c = source_[at_];
      if (c == '/') {
        EXHIBIT_TRY(pass_slash());
      } else if (c == '"') {
        EXHIBIT_TRY(pass_quoted('"', "string"));
      } else if (c == '{' || c == '}' || c == ':') {
        return source_.substr(at_++, 1);
      } else if (is_word(c)) {
        const std::size_t start = at_;
        while (at_ < source_.size() && is_word(source_[at_])) ++at_;
        return source_.substr(start, at_ - start);
      } else {
        // A string's name may be any word.
        const bool is_name = c == '$' || c == '#' || c == '@' || c == '!';
        ++at_;
        while (is_name && at_ < source_.size() && is_word(source_[at_])) ++at_;
      }
    }
    return std::string_view();
  }
  std::size_t at() const { return at_; }

 private:
  Result<void> pass_slash() {
    const std::string_view rest = source_.substr(at_);
    if (rest.starts_with("//")) {
      at_ += std::min(rest.find('\n'), rest.size());
      return {};
    }
    if (!rest.starts_with("/*")) return pass_quoted('/', "regular expression");
    const std::size_t end = rest.find("*/", 2);
    if (end == std::string_view::npos) return unended("comment");
    at_ += end + 2;
    return {};
  }

  Result<void> pass_quoted(char quote, const char* what) {
    for (std::size_t i = at_ + 1; i < source_.size() && source_[i] != '\n'; ++i) {
      if (source_[i] == '\\') {
        ++i;
      } else if (source_[i] == quote) {
        at_ = i + 1;
        return {};
      }
    }
    return unended(what);
  }

  Error unended(const char* what) const {
    const auto line = std::count(source_.begin(), source_.begin() + static_cast<std::ptrdiff_t>(at_), '\n') + 1;
    return {ErrorCode::invalid_argument, std::to_string(line) + ": a " + what + " that doesn't end", {}, at_};
  }

  std::string_view source_;
  std::size_t at_ = 0;
};

// From behind the word `rule`: its name, and all up to its closing brace.
Result<std::string> read_rule(Tokens& tokens) {
  const std::string name(EXHIBIT_TRY(tokens.next()));
  for (std::size_t depth = 0;;) {
    const std::string_view token = EXHIBIT_TRY(tokens.next());
    if (token.empty()) return Error{ErrorCode::invalid_argument, "rule \"" + name + "\" doesn't end", {}, {}};
    if (token == "{") ++depth;
    if (token == "}" && --depth == 0) return name;
  }
}

}  // namespace

Result<std::vector<RuleText>> split_rules(std::string_view source) {
  std::vector<RuleText> rules;
  Tokens tokens(source);
  std::size_t start = 0;
  std::uint64_t line = 1;
  for (std::string_view token = EXHIBIT_TRY(tokens.next()); !token.empty(); token = EXHIBIT_TRY(tokens.next())) {
    if (token != "rule") continue;
    std::string name = EXHIBIT_TRY(read_rule(tokens));
    const std::string_view text = source.substr(start, tokens.at() - start);
    rules.push_back({std::move(name), line, text});
    line += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    start = tokens.at();
  }
  return rules;
}

std::string fingerprint_of(std::string_view rule) {
  Tokens tokens(rule);
  std::size_t body = rule.size(), word = 0;
  std::string_view before;
  for (auto token = tokens.next(); token.ok() && !token->empty(); token = tokens.next()) {
    if (*token == ":" && (before == "strings" || before == "condition")) {
      body = word;
      break;
    }
    before = *token;
    word = tokens.at() - token->size();
  }
  std::string plain;
  for (const char c : rule.substr(body, std::max(body, rule.rfind('}')) - body)) {
    if (!is_space(c)) {
      plain += c;
    } else if (!plain.empty() && plain.back() != ' ') {
      plain += ' ';
    }
  }
  if (plain.ends_with(' ')) plain.pop_back();
  std::array<unsigned char, 32> digest{};
  if (EVP_Digest(plain.data(), plain.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) return {};
  return base::to_hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace exhibit::match
