#pragma once
// Rows of the filters' tables; for this module's own files.

#include <seccomp.h>

#include <cstdint>
#include <vector>

namespace exhibit::sandbox {

using Condition = scmp_arg_cmp;

// Conditions on argument `index` (0 is the first). Compared as 64 bits, so that bits which the kernel would ignore can
// only make a call match less.
inline Condition equals(unsigned index, std::uint64_t value) { return {index, SCMP_CMP_EQ, value, 0}; }
inline Condition below(unsigned index, std::uint64_t value) { return {index, SCMP_CMP_LT, value, 0}; }
inline Condition above(unsigned index, std::uint64_t value) { return {index, SCMP_CMP_GT, value, 0}; }
inline Condition differs(unsigned index, std::uint64_t value) { return {index, SCMP_CMP_NE, value, 0}; }
inline Condition bits(unsigned index, std::uint64_t mask, std::uint64_t value) {
  return {index, SCMP_CMP_MASKED_EQ, mask, value};
}

// A call is answered by a row when all the row's conditions hold. Several rows of one call: any of them.
struct Row {
  int call;
  std::vector<Condition> conditions;
  const char* why;
};

struct Refusal {
  int call;
  std::vector<Condition> conditions;
  int error;
  const char* why;
};

// policy_of_helpers.cc. For Work::typeset: beside the parsers' tables, whose refusals without conditions give way.
std::vector<Row> allowed_to_typesetter();
std::vector<Refusal> refused_to_typesetter();
// For Work::token: all that is refused; the rest is allowed.
std::vector<Refusal> refused_to_token(std::uint64_t self);

}  // namespace exhibit::sandbox
