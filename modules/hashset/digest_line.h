#pragma once
// A line that holds one digest, as checksum programs write it. Shared by the formats plain and md5sum.

#include <string>
#include <string_view>

#include "hashset/format.h"

namespace exhibit::hashset {

struct DigestLine {
  // `hex`, `hex  name` or `hex *name` (coreutils), `MD5 (name) = hex` (BSD; `MD5(name)= hex`, OpenSSL).
  enum class Style { bare, named, tagged };
  Style style = Style::bare;
  Algorithm algorithm = Algorithm::md5;
  std::string_view hex;
  std::string_view name;  // as written
  bool escaped = false;   // the name has \\, \n and \r for those bytes (coreutils: the line begins with a backslash)
};

std::variant<DigestLine, NoEntry, Refusal> read_digest_line(std::string_view line);

// The parser of both formats. The first line whose algorithm only its length tells settles it for all such lines, so
// that a damaged digest can't pass for one of another algorithm.
std::unique_ptr<Parser> digest_line_parser();

}  // namespace exhibit::hashset
