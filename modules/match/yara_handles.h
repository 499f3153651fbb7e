#pragma once
// Owners of what libyara allocates.

#include <yara.h>

#include <memory>

namespace exhibit::match {

// libyara's tables: initialised once per process, counted by libyara itself. Outlives every other handle.
class YaraLibrary {
 public:
  YaraLibrary() : status_(yr_initialize()) {}
  ~YaraLibrary() {
    if (status_ == ERROR_SUCCESS) yr_finalize();
  }
  YaraLibrary(const YaraLibrary&) = delete;
  YaraLibrary& operator=(const YaraLibrary&) = delete;
  bool ok() const { return status_ == ERROR_SUCCESS; }

 private:
  int status_;
};

struct YaraDeleter {
  void operator()(YR_COMPILER* compiler) const { yr_compiler_destroy(compiler); }
  void operator()(YR_RULES* rules) const { yr_rules_destroy(rules); }
  void operator()(YR_SCANNER* scanner) const { yr_scanner_destroy(scanner); }
};
using YaraCompiler = std::unique_ptr<YR_COMPILER, YaraDeleter>;
using YaraRules = std::unique_ptr<YR_RULES, YaraDeleter>;
using YaraScannerHandle = std::unique_ptr<YR_SCANNER, YaraDeleter>;

}  // namespace exhibit::match
