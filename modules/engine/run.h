#pragma once
// The plan: which tasks an image needs, what each one's result leads to, and the findings that come of it. A pure
// function of the evidence and the options; how many workers there are, and who is done first, changes nothing.
//
//   survey ─► media digests ──────────────────────────────┐
//          └► per volume: walk ─► examine, in batches ────┴─► account ─► scan of what belongs to no item

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/assemble.h"
#include "engine/given.h"
#include "engine/pool.h"
#include "hashset/hashset.h"

namespace exhibit::engine {

struct RunOptions {
  std::vector<std::string> digests;  // of items and of the media; empty: none
  bool walk = true;                  // items
  bool examine = false;              // digests, type and rules for each item
  bool media = false;                // whole-media digests and block_root
  bool account = false;              // coverage
  bool rules = false;                // the workers have rules: items and regions are scanned
  const std::vector<std::unique_ptr<hashset::HashSet>>* sets = nullptr;
  // What came by a pipe: its items are taken instead of walking, and only what came is written again. Without
  // `examine` the evidence isn't opened at all.
  const Given* given = nullptr;
};

struct Counts {
  std::uint64_t items = 0, matches = 0, problems = 0;
};

class Run {
 public:
  // All must outlive the run. `evidence` is the pool's.
  Run(RunOptions options, const std::vector<Evidence>& evidence, Pool& pool);
  ~Run();

  // Everything, to the end.
  Result<void> execute();

  // The findings of one image, in canonical order, line by line without LF. After execute().
  Result<Counts> write(const std::string& evidence_id, const LineCall& write) const;

  // match, mismatch, no-stored-digest or unreadable; empty where the media weren't digested.
  std::string integrity(const std::string& evidence_id) const;

  // The SHA-256 digests of the medium's blocks, 32 bytes each: the leaves beneath block_root.
  const std::string& block_digests(const std::string& evidence_id) const;

  // The survey's own words: evidence and volume records (info).
  Result<void> write_survey(const std::string& evidence_id, const LineCall& write) const;

 private:
  struct VolumeState;
  struct EvidenceState;

  void adopt_given(EvidenceState& evidence);
  Result<void> look_up(VolumeState& volume, const std::string& path);
  bool is_wanted(const VolumeState& volume) const;
  Result<void> on_finished(const Task& task, const TaskOutput& output);
  Result<void> on_survey(EvidenceState& evidence, const TaskOutput& output);
  Result<void> on_media(EvidenceState& evidence, const TaskOutput& output);
  Result<void> on_walk(EvidenceState& evidence, VolumeState& volume, const TaskOutput& output);
  Result<void> on_examine(EvidenceState& evidence, VolumeState& volume, const TaskOutput& output);
  Result<void> on_account(VolumeState& volume, const TaskOutput& output);
  Result<void> on_scan(VolumeState& volume, const Task& task, const TaskOutput& output);
  void volume_examined(EvidenceState& evidence, VolumeState& volume);
  void submit_account(EvidenceState& evidence, VolumeState& volume);
  void submit_scans(VolumeState& volume);
  Task volume_task(const VolumeState& volume, const char* role, const char* stage) const;
  base::Json evidence_coverage(const EvidenceState& evidence) const;

  RunOptions options_;
  Pool& pool_;
  std::map<std::string, std::unique_ptr<EvidenceState>> evidence_;
};

}  // namespace exhibit::engine
