#pragma once
// Rules tried in sealed workers before anybody relies on them: compiled rule by rule, measured, and run over files that
// are no evidence (samples, clean folders).

#include <exhibit/result.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/conversation.h"

namespace exhibit::engine {

struct TriedRule {
  std::string name;
  std::map<std::string, std::string> meta;
  std::string fingerprint;  // as it should be
  std::uint64_t strings = 0;
  std::uint64_t nanoseconds_per_mib = 0;  // beyond no rule at all; 2^53: the scan didn't end
};

struct TriedFile {
  std::vector<TriedRule> rules;          // in their order; none where there is a complaint
  std::optional<std::string> complaint;  // why it can't be used: line and rule, or the rule that the compiler died of
};

// Compiles and measures one rule file's text in a worker of its own. Error: no worker can be had.
Result<TriedFile> try_rule_file(const WorkerSetup& setup, const std::string& text);

struct ScannedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::string, std::string>> matches;  // source, rule
  std::vector<std::string> troubles;                         // what wasn't scanned, and why
};

// Runs the setup's rules over files, one after the other. A worker that dies of a file is replaced; the file gets a
// trouble.
class RuleTrial {
 public:
  explicit RuleTrial(WorkerSetup setup) : setup_(std::move(setup)) {}
  // Error: the rules can't be loaded, or no worker can be had.
  Result<void> scan(const std::vector<std::string>& paths, const std::function<void(const ScannedFile&)>& each);

 private:
  Result<void> start();
  Result<std::size_t> scan_batch(std::vector<ScannedFile>& files);

  WorkerSetup setup_;
  std::unique_ptr<Conversation> worker_;
};

}  // namespace exhibit::engine
