// The strict reader of json.h. It is our own because each record passes through it several times: nlohmann's lexer,
// which copies byte by byte, took most of the coordinator's time. base_test holds it against nlohmann's.

#include <charconv>
#include <cmath>

#include "base/json.h"
#include "base/utf8.h"

namespace exhibit::base {
namespace {

// The largest integer up to which every integer is an IEEE double (RFC 8785 section 3.2.2.3, I-JSON).
constexpr std::uint64_t largest_exact_integer = std::uint64_t{1} << 53;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Recursive descent over the grammar of RFC 8259; no deeper than the limit. Each function reads one thing from the
// front of what is left and says whether it was there; where it wasn't, error_ says why.
class Parser {
 public:
  Parser(std::string_view text, const JsonLimits& limits)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), limits_(limits) {}

  Result<Json> parse() {
    Json root;
    if (read_value(root, 0)) {
      skip_space();
      if (at_ == end_) return root;
      refuse_here();
    }
    return Error{ErrorCode::corrupt, std::move(error_), {}, {}};
  }

 private:
  bool refuse(std::string why) {
    error_ = std::move(why);
    return false;
  }
  bool refuse_here() { return refuse("not JSON at byte " + std::to_string(at_ - begin_)); }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }
  // Takes `c` where it comes next.
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool read_value(Json& value, std::size_t depth) {
    if (++values_ > limits_.values) return refuse("too many values");
    skip_space();
    if (at_ == end_) return refuse_here();
    switch (*at_) {
      case '{':
        return read_object(value, depth);
      case '[':
        return read_array(value, depth);
      case '"':
        value = std::string();
        return read_string(value.get_ref<std::string&>());
      case 't':
        value = true;
        return read_word("true");
      case 'f':
        value = false;
        return read_word("false");
      case 'n':
        value = nullptr;
        return read_word("null");
      default:
        return read_number(value);
    }
  }

  bool read_word(std::string_view word) {
    if (!std::string_view(at_, end_).starts_with(word)) return refuse_here();
    at_ += word.size();
    return true;
  }

  bool read_object(Json& value, std::size_t depth) {
    if (depth == limits_.depth) return refuse("nested too deeply");
    ++at_;
    value = Json::object();
    auto& members = value.get_ref<Json::object_t&>();
    skip_space();
    if (take('}')) return true;
    do {
      skip_space();
      std::string key;
      if (!read_string(key)) return false;
      skip_space();
      if (!take(':')) return refuse_here();
      // Keys mostly come sorted.
      const std::size_t before = members.size();
      const auto member = members.emplace_hint(members.end(), std::move(key), nullptr);
      if (members.size() == before) return refuse("the key \"" + member->first + "\" stands twice");
      if (!read_value(member->second, depth + 1)) return false;
      skip_space();
    } while (take(','));
    return take('}') || refuse_here();
  }

  bool read_array(Json& value, std::size_t depth) {
    if (depth == limits_.depth) return refuse("nested too deeply");
    ++at_;
    value = Json::array();
    auto& elements = value.get_ref<Json::array_t&>();
    skip_space();
    if (take(']')) return true;
    do {
      if (!read_value(elements.emplace_back(), depth + 1)) return false;
      skip_space();
    } while (take(','));
    return take(']') || refuse_here();
  }

  bool read_string(std::string& text) {
    if (!take('"')) return refuse_here();
    for (;;) {
      const char* const from = at_;
      while (at_ != end_) {
        if (is_plain[static_cast<unsigned char>(*at_)]) {
          ++at_;
        } else if (const std::size_t length = *at_ < 0 ? utf8_sequence_length({at_, end_}) : 0; length > 0) {
          at_ += length;
        } else {
          break;
        }
      }
      text.append(from, at_);
      if (take('"')) return true;
      if (!take('\\')) return refuse_here();
      if (!read_escape(text)) return refuse_here();
    }
  }

  // What follows a backslash.
  bool read_escape(std::string& text) {
    static constexpr std::string_view names = "\"\\/bfnrt", characters = "\"\\/\b\f\n\r\t";
    if (at_ == end_) return false;
    if (const std::size_t known = names.find(*at_); known != std::string_view::npos) {
      ++at_;
      text += characters[known];
      return true;
    }
    std::uint32_t unit = 0, low = 0;
    if (!read_unit(unit) || (unit >= 0xDC00 && unit <= 0xDFFF)) return false;
    if (unit < 0xD800 || unit > 0xDFFF) {
      append_utf8(text, unit);
      return true;
    }
    // A high surrogate is followed by a low one (RFC 8259 section 7).
    if (!take('\\') || !read_unit(low) || low < 0xDC00 || low > 0xDFFF) return false;
    append_utf8(text, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
    return true;
  }

  // `uXXXX`
  bool read_unit(std::uint32_t& unit) {
    constexpr std::ptrdiff_t digits = 4;
    if (!take('u') || end_ - at_ < digits) return false;
    const auto read = std::from_chars(at_, at_ + digits, unit, 16);  // takes neither sign nor prefix
    const bool whole = read.ec == std::errc() && read.ptr == at_ + digits;
    at_ = read.ptr;
    return whole;
  }

  bool read_number(Json& value) {
    const char* const from = at_;
    const bool negative = take('-');
    if (!take('0') && !read_digits()) return refuse_here();
    const char* const whole_end = at_;
    if (take('.') && !read_digits()) return refuse_here();
    if (take('e') || take('E')) {
      if (!take('+')) take('-');
      if (!read_digits()) return refuse_here();
    }
    // What fits no 64 bits is a double, as are fractions and powers.
    if (at_ == whole_end &&
        (negative ? read_integer<std::int64_t>(from, value) : read_integer<std::uint64_t>(from, value)))
      return is_exact(value);
    constexpr auto exact = static_cast<double>(largest_exact_integer);
    double number = 0;
    const auto read = std::from_chars(from, at_, number);
    if (read.ec != std::errc() || !std::isfinite(number)) return refuse("a number that no double holds");
    // A double that canonical() writes as one of the integers that are refused could not be read back.
    if (number > exact && number < 0x1p64) return refuse("an integer above 2^53");
    if (number < -exact && number >= -0x1p63) return refuse("an integer below -2^53");
    value = number;
    return true;
  }

  bool read_digits() {
    const char* const from = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != from;
  }

  template <typename Integer>
  bool read_integer(const char* from, Json& value) const {
    Integer integer = 0;
    if (std::from_chars(from, at_, integer).ec != std::errc()) return false;
    value = integer;
    return true;
  }

  bool is_exact(const Json& value) {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > largest_exact_integer)
      return refuse("an integer above 2^53");
    if (!value.is_number_unsigned() && value.get<std::int64_t>() < -static_cast<std::int64_t>(largest_exact_integer))
      return refuse("an integer below -2^53");
    return true;
  }

  const char* const begin_;
  const char* at_;
  const char* const end_;
  const JsonLimits& limits_;
  std::size_t values_ = 0;
  std::string error_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return Error{ErrorCode::corrupt, "a line of " + std::to_string(text.size()) + " bytes is too long", {}, {}};
  }
  return Parser(text, limits).parse();
}

}  // namespace exhibit::base
