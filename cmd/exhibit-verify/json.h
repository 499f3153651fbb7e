#pragma once
// JSON (RFC 8259), read strictly, and its canonical form (RFC 8785). The formats have no numbers but whole ones.

#include <charconv>
#include <utility>
#include <variant>

#include "base.h"

namespace exhibit_verify {

struct Value;
using Array = std::vector<Value>;
using Object = std::vector<std::pair<std::string, Value>>;  // in the order of RFC 8785, each key once

// One value. What reads a member refuses one that is missing, or isn't what was asked for.
struct Value {
  std::variant<std::nullptr_t, bool, std::int64_t, std::string, Array, Object> held = nullptr;

  const Value* find(View key) const {  // nullptr where there is none, or this is no object
    const auto* members = std::get_if<Object>(&held);
    if (members == nullptr) return nullptr;
    const auto at = std::find_if(members->begin(), members->end(), [&](const auto& one) { return one.first == key; });
    return at == members->end() ? nullptr : &at->second;
  }
  const Value& at(View key) const {
    if (const Value* found = find(key)) return *found;
    throw Refused{"\"" + std::string(key) + "\" is missing"};
  }
  template <typename T>
  const T& held_at(View key, const char* what) const {
    if (const T* found = std::get_if<T>(&at(key).held)) return *found;
    throw Refused{"\"" + std::string(key) + "\" isn't " + what};
  }
  const Object& object_at(View key) const { return held_at<Object>(key, "an object"); }
  const Array& array_at(View key) const { return held_at<Array>(key, "a list"); }
  const std::string& text_at(View key) const { return held_at<std::string>(key, "a string"); }
  std::uint64_t number_at(View key) const {  // not negative
    const std::int64_t number = held_at<std::int64_t>(key, "a whole number");
    if (number < 0) throw Refused{"\"" + std::string(key) + "\" is below zero"};
    return static_cast<std::uint64_t>(number);
  }
  // A member's text, or "" where there is none.
  std::string text_or_empty(View key) const {
    const Value* found = find(key);
    const auto* text = found == nullptr ? nullptr : std::get_if<std::string>(&found->held);
    return text == nullptr ? "" : *text;
  }
  bool operator==(const Value&) const = default;
};

// The length of the UTF-8 sequence at the front (RFC 3629 section 4); 0 where there is none.
inline std::size_t utf8_length(View text) {
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && static_cast<unsigned char>(text[i]) >= low && static_cast<unsigned char>(text[i]) <= high;
  };
  if (within(0, 0x00, 0x7F)) return 1;
  if (within(0, 0xC2, 0xDF)) return within(1, 0x80, 0xBF) ? 2 : 0;
  if (within(0, 0xE0, 0xEF)) {
    const bool second = within(1, within(0, 0xE0, 0xE0) ? 0xA0 : 0x80, within(0, 0xED, 0xED) ? 0x9F : 0xBF);
    return second && within(2, 0x80, 0xBF) ? 3 : 0;
  }
  const bool second = within(1, within(0, 0xF0, 0xF0) ? 0x90 : 0x80, within(0, 0xF4, 0xF4) ? 0x8F : 0xBF);
  return within(0, 0xF0, 0xF4) && second && within(2, 0x80, 0xBF) && within(3, 0x80, 0xBF) ? 4 : 0;
}

// RFC 8785 section 3.2.3: by UTF-16 code units. That is the order of the UTF-8 bytes, but that surrogate pairs (UTF-8
// of four bytes, from F0 on) come before U+E000 to U+FFFF (which begin with EE and EF).
inline bool comes_before(const std::string& a, const std::string& b) {
  const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
  const auto rank = [](char c) {
    return static_cast<unsigned char>(c) >= 0xF0 ? 0xED * 2 + 1 : 2 * static_cast<unsigned char>(c);
  };
  return rank(*x) == rank(*y) ? static_cast<unsigned char>(*x) < static_cast<unsigned char>(*y) : rank(*x) < rank(*y);
}

// Since the text must be canonical in the end, escapes are read only as far as canonical text has them: a surrogate or
// any other character that needs no escape is refused here rather than there.
class JsonParser {
 public:
  explicit JsonParser(View text) : text_(text) {}

  Value parse() {
    Value root = value(0);
    if (at_ != text_.size()) bad();
    return root;
  }

 private:
  [[noreturn]] void bad() const {
    throw Refused{"isn't JSON in canonical form (RFC 8785): byte " + std::to_string(at_)};
  }
  bool next_is(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) { return next_is(c) ? ++at_, true : false; }
  void need(char c) { take(c) ? void() : bad(); }

  Value value(int depth) {
    constexpr int deepest = 32;
    constexpr std::size_t most_values = std::size_t{8} << 20;
    if (++values_ > most_values) throw Refused{"too many values"};
    if (depth > deepest) throw Refused{"nested too deeply"};
    if (take('{')) return {object(depth + 1)};
    if (take('[')) return {array(depth + 1)};
    if (next_is('"')) return {string()};
    for (const auto& [word, meaning] : {std::pair<View, Value>{"true", {true}}, {"false", {false}}, {"null", {}}}) {
      if (text_.substr(at_, word.size()) != word) continue;
      at_ += word.size();
      return meaning;
    }
    return {number()};
  }

  Object object(int depth) {
    Object members;
    if (take('}')) return members;
    do {
      std::string key = string();
      if (!members.empty() && members.back().first == key) throw Refused{"the key \"" + key + "\" stands twice"};
      if (!members.empty() && !comes_before(members.back().first, key)) throw Refused{"keys out of order, or twice"};
      need(':');
      members.emplace_back(std::move(key), value(depth));
    } while (take(','));
    need('}');
    return members;
  }

  Array array(int depth) {
    Array elements;
    if (take(']')) return elements;
    do elements.push_back(value(depth));
    while (take(','));
    need(']');
    return elements;
  }

  std::string string() {
    std::string out;
    need('"');
    while (!take('"')) {
      if (take('\\')) {
        escape(out);
        continue;
      }
      const std::size_t length = utf8_length(text_.substr(at_));
      if (length == 0 || static_cast<unsigned char>(text_[at_]) < 0x20) bad();
      out += text_.substr(at_, length);
      at_ += length;
    }
    return out;
  }

  void escape(std::string& out) {
    constexpr View names = "\"\\bfnrt", characters = "\"\\\b\f\n\r\t";
    if (const std::size_t known = at_ < text_.size() ? names.find(text_[at_]) : View::npos; known != View::npos) {
      ++at_;
      out += characters[known];
      return;
    }
    const auto code = from_hex(text_.substr(std::min(at_ + 3, text_.size()), 2));  // of \u00XX
    if (text_.substr(at_, 3) != "u00" || !code || code->size() != 1 || static_cast<unsigned char>((*code)[0]) >= 0x20)
      bad();
    out += *code;
    at_ += 5;
  }

  std::int64_t number() {
    constexpr std::int64_t largest = std::int64_t{1} << 53;  // RFC 8785 section 3.2.2.3
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), out);
    if (error == std::errc::invalid_argument) bad();
    if (error != std::errc() || out > largest || out < -largest) throw Refused{"a number beyond 2^53"};
    at_ = static_cast<std::size_t>(end - text_.data());
    if (next_is('.') || next_is('e') || next_is('E')) throw Refused{"a number that isn't whole"};
    return out;
  }

  View text_;
  std::size_t at_ = 0, values_ = 0;
};

inline void append_string(std::string& out, View text) {
  constexpr View named = "\b\t\n\f\r\"\\", names = "btnfr\"\\";
  out += '"';
  for (const char c : text) {
    if (const std::size_t known = named.find(c); known != View::npos) {
      (out += '\\') += names[known];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00" + to_hex(View(&c, 1));
    } else {
      out += c;
    }
  }
  out += '"';
}

inline void append(std::string& out, const Value& value) {
  if (std::holds_alternative<std::nullptr_t>(value.held)) out += "null";
  if (const auto* truth = std::get_if<bool>(&value.held)) out += *truth ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value.held)) out += std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value.held)) append_string(out, *text);
  if (const auto* array = std::get_if<Array>(&value.held)) {
    out += '[';
    for (const Value& element : *array) append(out += &element == &array->front() ? "" : ",", element);
    out += ']';
  }
  if (const auto* object = std::get_if<Object>(&value.held)) {
    out += '{';
    for (const auto& member : *object) {
      append_string(out += &member == &object->front() ? "" : ",", member.first);
      append(out += ':', member.second);
    }
    out += '}';
  }
}

inline std::string canonical(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

// Exactly one value, in canonical form. Refuses duplicate keys, broken UTF-8, lone surrogates, numbers that aren't
// whole or are beyond 2^53, what is nested more than 32 deep, and more than eight million values.
inline Value parse_canonical(View text) {
  Value value = JsonParser(text).parse();
  if (canonical(value) != text) throw Refused{"isn't in canonical form (RFC 8785)"};
  return value;
}

}  // namespace exhibit_verify
