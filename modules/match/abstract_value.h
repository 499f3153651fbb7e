#pragma once
// What a value on libyara's stack can be while a condition is judged (conditions.h).

#include <cstdint>

namespace exhibit::match {

// What a value stands for besides a number.
enum class Kind : std::uint8_t {
  plain,
  iterator,
  pair_iterator,
  empty_iterator,
  empty_pair_iterator,
  hollow,      // a module's object, or part of it, without any value
  empty_text,  // a variable that is always empty, or its value
};

// What a value on libyara's stack can be: any mix of zero, another number, and undefined.
struct Value {
  bool zero = false, nonzero = false, undefined = false;
  bool known = false;  // where it is defined, it is `number`
  Kind kind = Kind::plain;
  std::int64_t number = 0;

  bool operator==(const Value&) const = default;
  bool is_number() const { return known && !undefined; }
  bool never_defined() const { return undefined && !zero && !nonzero; }
};

Value number_value(std::int64_t number);
Value object_value(Kind kind);
Value truth(bool may_be_false, bool may_be_true, bool may_be_undefined = false);
inline constexpr Value undefined_value{.undefined = true};
inline constexpr Value anything{.zero = true, .nonzero = true, .undefined = true};
// Zero or undefined: never true.
inline constexpr Value never{.zero = true, .undefined = true};

// A value that is one of both.
Value either(const Value& a, const Value& b);
// Of integers, OP_INT_EQ to OP_INT_GE.
Value comparison(std::uint8_t opcode, const Value& a, const Value& b);
// Undefined where an operand is. Wraps as the processor does.
Value arithmetic(std::uint8_t opcode, const Value& a, const Value& b);
Value sum(const Value& a, const Value& b);

}  // namespace exhibit::match
