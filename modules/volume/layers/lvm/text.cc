// LVM's text format: NAME { … } sections, NAME = value, values being numbers, strings and lists of them; # begins a
// comment (lvm2, libdm/libdm-config.c).

#include <charconv>

#include "volume/layers/lvm/metadata.h"

namespace exhibit::volume::lvm {
namespace {

using base::Json;

constexpr int deepest = 16;
constexpr std::size_t most_values = 1 << 20;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Json> all() {
    Json found = EXHIBIT_TRY(section(0));
    if (at_ < text_.size()) return damaged();
    return found;
  }

 private:
  Error damaged() const {
    return {ErrorCode::corrupt, "the group's description breaks off after " + std::to_string(at_) + " bytes", {}, {}};
  }

  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_[at_] == '\0' || std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else {
        return;
      }
    }
  }

  bool take(char wanted) {
    skip();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  std::string word() {
    skip();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view(" \t\r\n={}[],#\"\0", 13).find(text_[at_]) == std::string_view::npos)
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  // Up to the end of its section, which is left to the caller.
  Result<Json> section(int depth) {
    Json found = Json::object();
    if (depth > deepest) return damaged();
    for (skip(); at_ < text_.size() && text_[at_] != '}'; skip()) {
      const std::string name = word();
      if (name.empty() || ++values_ > most_values || found.contains(name)) return damaged();
      if (take('{')) {
        found[name] = EXHIBIT_TRY(section(depth + 1));
        if (!take('}')) return damaged();
      } else if (take('=')) {
        found[name] = EXHIBIT_TRY(value());
      } else {
        return damaged();
      }
    }
    return found;
  }

  Result<Json> value() {
    if (!take('[')) return scalar();
    Json list = Json::array();
    while (!take(']')) {
      if (++values_ > most_values) return damaged();
      list.push_back(EXHIBIT_TRY(scalar()));
      static_cast<void>(take(','));
      if (at_ >= text_.size()) return damaged();
    }
    return list;
  }

  Result<Json> scalar() {
    if (take('"')) {
      std::string text;
      for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        text += text_[at_];
      }
      if (!take('"')) return damaged();
      return Json(std::move(text));
    }
    const std::string number = word();
    std::uint64_t parsed = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), parsed);
    if (number.empty()) return damaged();
    if (error != std::errc() || end != number.data() + number.size()) return Json(number);  // a word, or a fraction
    return Json(parsed);
  }

  std::string_view text_;
  std::size_t at_ = 0, values_ = 0;
};

}  // namespace

Result<Json> parse_text(std::string_view text) { return Parser(text).all(); }

}  // namespace exhibit::volume::lvm
