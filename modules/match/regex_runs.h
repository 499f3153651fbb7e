#pragma once
// The runs of bytes that whatever matches a regular expression must hold.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "match/byte_runs.h"

namespace exhibit::match {

// Of a POSIX extended regular expression as glibc compiles it with REG_EXTENDED | REG_NEWLINE in the locale C: one of
// these runs must be there. Empty: none that can be told. `at_begin`: the text searched begins where the content does.
std::vector<ByteRun> runs_of_expression(std::string_view expression, bool at_begin, bool ignore_case);

// Of one that begins with `^`, a set, `*` and a set. The text searched begins where the content does.
std::optional<LineStart> line_start_of(std::string_view expression);

}  // namespace exhibit::match
