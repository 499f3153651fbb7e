#include "base/record_line.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.h"

namespace exhibit::base {
namespace {

constexpr std::size_t most_digits = 16;  // of an integer: 2^53 has as many

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Recursive descent over canonical JSON alone. Each function takes one thing from the front of what is left, and says
// whether it was there.
class Scanner {
 public:
  Scanner(std::string_view text, std::vector<RecordLine::Member>& members)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), members_(members) {}

  bool scan() { return at_ != end_ && *at_ == '{' && take_value(0) && at_ == end_; }

 private:
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (!std::string_view(at_, end_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  bool take_value(std::size_t depth) {
    if (at_ == end_ || ++values_ > limits_.values) return false;
    switch (*at_) {
      case '{':
        return depth < limits_.depth && take_object(depth);
      case '[':
        return depth < limits_.depth && take_array(depth);
      case '"':
        return take_string();
      case 't':
        return take_word("true");
      case 'f':
        return take_word("false");
      case 'n':
        return take_word("null");
      default:
        return take_number();
    }
  }

  bool take_array(std::size_t depth) {
    ++at_;
    if (take(']')) return true;
    do {
      if (!take_value(depth + 1)) return false;
    } while (take(','));
    return take(']');
  }

  bool take_object(std::size_t depth) {
    ++at_;
    if (take('}')) return true;
    std::string_view before;
    bool first = true, before_is_plain = true;
    do {
      const char* const from = at_;
      was_plain_ = true;
      if (!take_string()) return false;
      const std::string_view key(from + 1, at_ - 1);
      if (!first && !in_order(before, key, before_is_plain && was_plain_)) return false;
      before = key;
      before_is_plain = was_plain_;
      first = false;
      if (!take(':')) return false;
      const char* const value = at_;
      if (!take_value(depth + 1)) return false;
      if (depth == 0) members_.push_back({key, TextValue({value, at_})});
    } while (take(','));
    return take('}');
  }

  // Keys ascend; equal ones are refused with that. Plain ones compare as they stand.
  static bool in_order(std::string_view a, std::string_view b, bool plain) {
    if (plain) return a < b;
    const auto quoted = [](std::string_view key) { return '"' + std::string(key) + '"'; };
    return key_comes_before(TextValue(quoted(a)).string(), TextValue(quoted(b)).string());
  }

  bool take_string() {
    if (!take('"')) return false;
    for (;;) {
      while (at_ != end_ && is_plain[static_cast<unsigned char>(*at_)]) ++at_;
      if (take('"')) return true;
      was_plain_ = false;
      if (at_ == end_) return false;
      if (*at_ == '\\') {
        if (!take_escape()) return false;
      } else {
        const std::size_t length = *at_ < 0 ? utf8_sequence_length({at_, end_}) : 0;
        if (length == 0) return false;
        at_ += length;
      }
    }
  }

  // RFC 8785 section 3.2.2.2: the short form where there is one, else \u00 and lower-case hex; of control characters
  // alone.
  bool take_escape() {
    ++at_;
    if (at_ == end_) return false;
    if (std::string_view("\"\\bfnrt").find(*at_) != std::string_view::npos) {
      ++at_;
      return true;
    }
    if (!take_word("u00") || end_ - at_ < 2 || (at_[0] != '0' && at_[0] != '1')) return false;
    const bool is_hex = is_digit(at_[1]) || (at_[1] >= 'a' && at_[1] <= 'f');
    const bool has_short_form = at_[0] == '0' && std::string_view("89acd").find(at_[1]) != std::string_view::npos;
    at_ += 2;
    return is_hex && !has_short_form;
  }

  bool take_number() {
    const char* const from = at_;
    take('-');
    const char* const digits = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    const auto count = static_cast<std::size_t>(at_ - digits);
    const bool is_whole = at_ == end_ || (*at_ != '.' && *at_ != 'e');
    if (is_whole && count < most_digits)
      return count == 1 ? digits == from || *digits != '0' : count > 0 && *digits != '0';
    // Large ones and doubles are rare: by the reader and the writer themselves.
    while (at_ != end_ && (is_digit(*at_) || std::string_view("+-.e").find(*at_) != std::string_view::npos)) ++at_;
    const std::string_view number(from, at_);
    const auto value = parse_json(number);
    return value.ok() && canonical(*value) == number;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  std::vector<RecordLine::Member>& members_;
  const JsonLimits limits_{};
  std::size_t values_ = 0;
  bool was_plain_ = true;  // the strings since it was set hold ASCII without escapes
};

// What may begin or end a value, or hide such bytes.
constexpr auto is_mark = [] {
  std::array<bool, 256> marks{};
  for (const unsigned char byte : {'"', '{', '}', '[', ']', ','}) marks[byte] = true;
  return marks;
}();

// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) at += text[at] == '\\';
  return at + 1;
}

}  // namespace

bool TextValue::is_digits(std::string_view text) {
  return text.size() <= most_digits && !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

std::uint64_t TextValue::size() const {
  std::uint64_t value = 0;
  std::from_chars(text_.data(), text_.data() + text_.size(), value);
  return value;
}

std::int64_t TextValue::integer() const {
  std::int64_t value = 0;
  std::from_chars(text_.data(), text_.data() + text_.size(), value);
  return value;
}

std::string TextValue::string() const {
  std::string scratch;
  return std::string(string(scratch));
}

std::string_view TextValue::string(std::string& scratch) const {
  const std::string_view inner = text_.substr(1, text_.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return inner;
  auto value = parse_json(text_);
  EXHIBIT_CHECK(value.ok());
  scratch = std::move(value->get_ref<std::string&>());
  return scratch;
}

TextValue TextValue::value_at(std::size_t at) const {
  std::size_t end = at, depth = 0;
  do {
    switch (text_[end]) {
      case '"':
        end = end_of_string(text_, end);
        break;
      case '{':
      case '[':
        ++depth;
        ++end;
        break;
      case '}':
      case ']':
        --depth;
        ++end;
        break;
      default:  // a number or a word; within another value also what stands between two
        ++end;
        while (!is_mark[static_cast<unsigned char>(text_[end])]) ++end;
    }
  } while (depth > 0);
  return TextValue(text_.substr(at, end - at));
}

std::optional<TextValue> TextValue::find(std::string_view key) const {
  std::optional<TextValue> found;
  each_member([&](std::string_view name, const TextValue& value) {
    if (name == key) found = value;
    return !found;
  });
  return found;
}

bool RecordLine::read(std::string_view text) {
  members_.clear();
  text_ = text;
  return text.size() <= JsonLimits().bytes && Scanner(text, members_).scan();
}

Result<void> RecordLine::read_any(std::string_view text) {
  if (read(text)) return {};
  const Json value = EXHIBIT_TRY(parse_json(text));
  if (!value.is_object()) return Error{ErrorCode::corrupt, "not a JSON object", {}, {}};
  own_text_ = base::canonical(value);
  EXHIBIT_CHECK(read(own_text_));
  return {};
}

const TextValue* RecordLine::find(std::string_view key) const {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const Member& each) { return each.key == key; });
  return found == members_.end() ? nullptr : &found->value;
}

std::string_view RecordLine::string(std::string_view key, std::string& scratch) const {
  const TextValue* value = find(key);
  return value == nullptr || !value->is_string() ? std::string_view() : value->string(scratch);
}

std::string RecordLine::string(std::string_view key) const {
  std::string scratch;
  return std::string(string(key, scratch));
}

std::string with_members(const RecordLine& record,
                         const std::vector<std::pair<std::string_view, std::string>>& members) {
  std::string out = "{";
  const auto put = [&](std::string_view key, std::string_view value) {
    if (out.size() > 1) out += ',';
    out.append("\"").append(key).append("\":").append(value);
  };
  auto next = members.begin();
  for (const RecordLine::Member& member : record.members()) {
    // Keys that aren't ASCII, or hold an escape, are compared as what they stand for.
    const std::string key = TextValue(std::string_view(member.key.data() - 1, member.key.size() + 2)).string();
    while (next != members.end() && key_comes_before(std::string(next->first), key))
      put(next->first, next->second), ++next;
    if (next == members.end() || next->first != member.key) put(member.key, member.value.canonical());
  }
  for (; next != members.end(); ++next) put(next->first, next->second);
  return out + '}';
}

}  // namespace exhibit::base
