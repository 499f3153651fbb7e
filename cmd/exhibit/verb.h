#pragma once
// A verb is a row: one file in commands/.

#include <span>
#include <string>
#include <vector>

namespace exhibit::cmd {

struct Verb {
  const char* name;
  const char* usage;                                      // "IMAGE… [options]"
  const char* summary;                                    // one line
  int (*run)(const std::vector<std::string>& arguments);  // what stands behind the verb; returns the exit code
};

std::span<const Verb* const> verbs();

}  // namespace exhibit::cmd
