#pragma once
// Heads of a ledger that somebody kept: a line of paper, or what `custody add` printed.

#include <exhibit/result.h>

#include <string>
#include <vector>

#include "exhibit/common.h"

namespace exhibit::cmd {

// --ledger-head HEX… and --head-from FILE…
void add_head_options(options::options_description& described);

// Lower-case hex of 64 digits each. White space and dashes within --ledger-head are left out, as people write groups.
// Throws Usage for what is no SHA-256. Error for a file without a head.
Result<std::vector<std::string>> ledger_heads(const options::variables_map& values);

// In groups of eight digits, as people compare them.
std::string in_groups(const std::string& hex);

}  // namespace exhibit::cmd
