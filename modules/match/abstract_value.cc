#include "match/abstract_value.h"

#include <yara.h>
#include <yara/exec.h>

namespace exhibit::match {

Value number_value(std::int64_t number) {
  if (number == static_cast<std::int64_t>(YR_UNDEFINED)) return {.undefined = true};
  return {.zero = number == 0, .nonzero = number != 0, .known = true, .number = number};
}
Value object_value(Kind kind) { return {.nonzero = true, .kind = kind}; }

Value truth(bool may_be_false, bool may_be_true, bool may_be_undefined) {
  return {.zero = may_be_false, .nonzero = may_be_true, .undefined = may_be_undefined};
}

Value either(const Value& a, const Value& b) {
  if (a.kind != b.kind) return anything;
  Value sum{.zero = a.zero || b.zero,
            .nonzero = a.nonzero || b.nonzero,
            .undefined = a.undefined || b.undefined,
            .kind = a.kind};
  const bool a_defined = a.zero || a.nonzero, b_defined = b.zero || b.nonzero;
  if (a_defined && b_defined) {
    sum.known = a.known && b.known && a.number == b.number;
    sum.number = sum.known ? a.number : 0;
  } else {
    const Value& defined = a_defined ? a : b;
    sum.known = defined.known;
    sum.number = defined.number;
  }
  return sum;
}

Value comparison(std::uint8_t opcode, const Value& a, const Value& b) {
  if (a.never_defined() || b.never_defined()) return never;
  const bool undefined = a.undefined || b.undefined;
  if (!a.known || !b.known) return truth(true, true, undefined);
  bool result = false;
  switch (opcode) {
    case OP_INT_EQ:
      result = a.number == b.number;
      break;
    case OP_INT_NEQ:
      result = a.number != b.number;
      break;
    case OP_INT_LT:
      result = a.number < b.number;
      break;
    case OP_INT_GT:
      result = a.number > b.number;
      break;
    case OP_INT_LE:
      result = a.number <= b.number;
      break;
    default:
      result = a.number >= b.number;
      break;
  }
  return truth(!result || undefined, result, undefined);
}

Value arithmetic(std::uint8_t opcode, const Value& a, const Value& b) {
  if (a.never_defined() || b.never_defined()) return undefined_value;
  if (!a.is_number() || !b.is_number()) return anything;
  const auto x = static_cast<std::uint64_t>(a.number), y = static_cast<std::uint64_t>(b.number);
  switch (opcode) {
    case OP_INT_ADD:
      return number_value(static_cast<std::int64_t>(x + y));
    case OP_INT_SUB:
      return number_value(static_cast<std::int64_t>(x - y));
    case OP_INT_MUL:
      return number_value(static_cast<std::int64_t>(x * y));
    case OP_BITWISE_AND:
      return number_value(static_cast<std::int64_t>(x & y));
    case OP_BITWISE_OR:
      return number_value(static_cast<std::int64_t>(x | y));
    case OP_BITWISE_XOR:
      return number_value(static_cast<std::int64_t>(x ^ y));
    case OP_SHL:
      return y < 64 ? number_value(static_cast<std::int64_t>(x << y)) : anything;
    default:
      return anything;
  }
}

Value sum(const Value& a, const Value& b) { return arithmetic(OP_INT_ADD, a, b); }

}  // namespace exhibit::match
