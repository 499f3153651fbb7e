#pragma once
// The case folder of manifest.md, "The case folder".

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "custody/ledger.h"
#include "hashset/hashset.h"
#include "manifest/manifest.h"

namespace exhibit::cmd {

class CaseFolder {
 public:
  explicit CaseFolder(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  bool sealed() const;
  // The folders: findings, secret (0700), log, work.
  Result<void> make() const;

  std::string findings(const std::string& evidence) const { return path_ + "/findings/" + evidence + ".jsonl"; }
  std::string ledger() const { return path_ + "/" + custody::ledger_name; }
  // SHA-256 digests of the medium's blocks, 32 bytes each: the leaves beneath block_root. Lets verify say where an
  // image differs. Under log/, as it is no claim: it counts for nothing unless its tree has the claimed root.
  std::string blocks(const std::string& evidence) const { return path_ + "/log/" + evidence + ".blocks"; }

  // Takes them from a file of the run; none where its name is empty.
  Result<void> keep_blocks(const std::string& evidence, const std::string& from) const;

  // Writes a file whole or not at all.
  Result<void> put(const std::string& file, std::string_view bytes, unsigned mode = 0644) const;
  Result<std::string> get(const std::string& file) const;

  // What sealing needs to know of processing; under log/, as it is no claim.
  struct Memory {
    base::Json case_fields = base::Json::object();
    base::Json inputs = base::Json::array();
  };
  Result<void> remember(const Memory& memory) const;
  Result<Memory> memory() const;

  // One line of log/runs.jsonl: times, host, versions, command line, how it ended.
  // A last line that was cut off is dropped, and a message says so.
  Result<void> log_run(base::Json run, const std::optional<base::Json>& sealed) const;
  // Error (corrupt) that names the line where one doesn't tell of a run.
  Result<std::vector<base::Json>> runs() const;

 private:
  std::string path_;
};

// The manifest's `inputs`: hash sets and rule files with the digests of the exact files; and the bounds of expanding
// and of what is alike, each a `config` whose `version` is their canonical JSON, with its digests. `expand`: null where
// nothing is expanded; `perceive`: empty where nothing is asked for its likeness.
// A hash set has its `identity` in place of digests yet: with_digests().
Result<base::Json> describe_inputs(const std::vector<std::unique_ptr<hashset::HashSet>>& sets,
                                   const std::vector<std::string>& rules, const base::Json& expand,
                                   const std::vector<std::string>& perceive);

// The same with the sets' digests, which are made beside the run. Error where a set isn't what its own checksum says.
Result<base::Json> with_digests(base::Json inputs, const std::vector<std::unique_ptr<hashset::HashSet>>& sets);

// The same after the run, as the worker that loaded the rules says: how many rules each file holds, and the files that
// they include. Error where a rule file isn't the one that was described.
Result<base::Json> with_loaded_inputs(base::Json inputs, const base::Json& sealed);

// The manifest's `tool`, with the libraries' versions as the worker told them.
Result<base::Json> describe_tool(const base::Json& libraries);

}  // namespace exhibit::cmd
