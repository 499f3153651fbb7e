#pragma once
// JSON (RFC 8259), read strictly, and its canonical form (RFC 8785). The formats have no numbers but whole ones.

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

  const Value* find(View key) const;  // nullptr where there is none, or this is no object
  const Value& at(View key) const;
  const Object& object_at(View key) const;
  const Array& array_at(View key) const;
  const std::string& text_at(View key) const;
  std::uint64_t number_at(View key) const;  // not negative
  // A member's text, or "" where there is no such member.
  std::string text_or_empty(View key) const { return find(key) == nullptr ? std::string() : text_at(key); }
  bool is_object() const { return std::holds_alternative<Object>(held); }
  bool operator==(const Value&) const = default;
};

// Exactly one value, in canonical form. Refuses duplicate keys, broken UTF-8, lone surrogates, numbers that aren't
// whole or are beyond 2^53, what is nested more than 32 deep, and more than eight million values.
Value parse_canonical(View text);
std::string canonical(const Value& value);

}  // namespace exhibit_verify
