#pragma once
// The plan: which tasks an image needs, what each one's result leads to, and the findings that come of it. A pure
// function of the evidence and the options; how many workers there are, and who is done first, changes nothing.
//
//   survey ─► per volume: walk ─┬► sweep: the medium stretch by stretch, its digests and ─┬► per volume: account ─►
//   scan
//                               │  the items that lie in it                               │  of what belongs to no item
//                               └► examine: items that only their file system can give ──┘
//
//   walk ─► runs: where objects may be;  each stretch's candidates in them ─► carve;  after the sweep, per volume:
//   resolve ─► examine
//
//   whatever was examined and turned out to hold others ─► expand: their members, and theirs
//
// Where the medium isn't digested, all items are examined by themselves.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/findings_sorter.h"
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
  bool carve = false;                // the workers have signatures: objects are looked for
  // Where: unallocated (deleted content too), slack, gaps; or all, which needs no account.
  std::vector<std::string> carve_where = {"unallocated", "slack", "gaps"};
  bool runs = false;  // the account tells where what is carved would lie, though nothing is (Run::volumes)
  // The bounds within which members of items are looked for (docs/expand.md); null: they aren't.
  base::Json expand = nullptr;
  bool carved_only = false;  // items of file systems are walked for the account alone
  const std::vector<std::unique_ptr<hashset::HashSet>>* sets = nullptr;
  // What came by a pipe: its items are taken instead of walking, and only what came is written again. Without
  // `examine` the evidence isn't opened at all.
  const Given* given = nullptr;
  std::uint64_t sort_bytes = std::uint64_t{32}
                             << 20;  // memory for sorting, of each image; more goes to the work folder
};

using Counts = FindingsSorter::Written;
struct Batch;

class Run {
 public:
  // All must outlive the run. `evidence` is the pool's; `folder` takes what doesn't fit into memory.
  Run(RunOptions options, const std::vector<Evidence>& evidence, Pool& pool, std::string folder);
  ~Run();

  // Everything, to the end.
  Result<void> execute();

  // The findings of one image, in canonical order, line by line without LF. After execute().
  Result<Counts> write(const std::string& evidence_id, const LineCall& write);

  // match, mismatch, no-stored-digest or unreadable; empty where the media weren't digested.
  std::string integrity(const std::string& evidence_id) const;

  // A file of the SHA-256 digests of the medium's blocks, 32 bytes each: the leaves beneath block_root. Empty where no
  // block_root is claimed.
  std::string blocks_file(const std::string& evidence_id) const;

  // A volume as the survey found it.
  struct Volume {
    std::string id;
    // Bytes of the medium: where the volume on it lies that the id begins with, which is this one but for nested ones.
    std::uint64_t offset = 0, size = 0;
    std::uint64_t bytes = 0;  // its own size
    std::string filesystem;   // its type; empty where it has none
    LineSlice account;        // what was told of its bytes; empty where nothing was
  };
  std::vector<Volume> volumes(const std::string& evidence_id) const;

  // The survey's own words: evidence and volume records (info).
  Result<void> write_survey(const std::string& evidence_id, const LineCall& write);

 private:
  struct VolumeState;
  struct EvidenceState;

  Result<void> adopt_given(EvidenceState& evidence);
  Result<void> look_up(EvidenceState& evidence, const base::RecordLine& item);
  bool is_wanted(const VolumeState& volume) const;
  bool sweeps() const { return (options_.media || options_.carve) && options_.given == nullptr; }
  // Coverage that rests on the walk alone: a volume's account need not wait for the others.
  bool accounts_apart() const { return options_.account && !options_.examine && !sweeps(); }
  bool carves_all() const { return options_.carve_where == std::vector<std::string>{"all"}; }
  Result<void> on_finished(const Task& task, const TaskOutput& output);
  Result<void> on_survey(EvidenceState& evidence, const TaskOutput& output);
  Result<void> take_survey(EvidenceState& evidence, const TaskOutput& output, std::vector<base::Json>& problems);
  void plan_sweep(EvidenceState& evidence, std::uint64_t size);
  Result<void> begin_volumes(EvidenceState& evidence);
  Result<void> on_media(EvidenceState& evidence, const Task& task, const TaskOutput& output);
  Result<void> on_walk(EvidenceState& evidence, VolumeState& volume, const TaskOutput& output);
  Result<void> on_sweep(EvidenceState& evidence, const Task& task, const TaskOutput& output);
  Result<void> on_account(EvidenceState& evidence, VolumeState& volume, const LineSlice& told);
  Result<void> on_scan(EvidenceState& evidence, VolumeState& volume, const Task& task, const TaskOutput& output);
  Result<void> take_output(const Task& task, const TaskOutput& output);
  Result<void> add(EvidenceState& evidence, const base::Json& record);
  Result<void> add(EvidenceState& evidence, const base::RecordLine& record);
  Result<void> add_problem(EvidenceState& evidence, const Task& task, const base::Json& failed);
  Result<void> take_examined(EvidenceState& evidence, const Task& task, const TaskOutput& output);
  Result<void> take_examined_message(EvidenceState& evidence, const Task& task, const base::Json& message);
  Result<void> volume_walked(EvidenceState& evidence);
  Result<void> begin_sweep(EvidenceState& evidence);
  Result<void> submit_sweeps(EvidenceState& evidence);
  std::optional<Task> next_nested_sweep(EvidenceState& evidence) const;
  Result<void> proceed(EvidenceState& evidence);
  Result<void> submit_account(EvidenceState& evidence, VolumeState& volume);
  void submit_scans(VolumeState& volume);
  bool finds_runs(const EvidenceState& evidence, const VolumeState& volume) const;
  std::vector<std::string> told_by_walk(const EvidenceState& evidence, const VolumeState& volume) const;
  std::vector<std::string> told_with_coverage() const;
  void ask_account(Task& task, const EvidenceState& evidence, const VolumeState& volume,
                   const std::vector<std::string>& tells) const;
  Result<void> begin_runs(EvidenceState& evidence, VolumeState& volume);
  Result<void> on_runs(EvidenceState& evidence, VolumeState& volume, const LineSlice& told);
  Result<void> take_search(EvidenceState& evidence, const Task& task, const base::Json& message);
  Result<void> carve_stretch(EvidenceState& evidence, const Task& task);
  Result<void> on_carve(EvidenceState& evidence, VolumeState& volume, const Task& task, const TaskOutput& output);
  Result<void> on_resolve(EvidenceState& evidence, VolumeState& volume, const Task& task, const TaskOutput& output);
  Result<void> carved(EvidenceState& evidence, VolumeState& volume);
  bool is_expanded(const base::RecordLine& item) const;
  void submit_expansions(EvidenceState& evidence, const Task& examined, std::vector<Batch>& batches);
  Result<void> on_expand(EvidenceState& evidence, const Task& task, const TaskOutput& output);
  Task volume_task(const VolumeState& volume, const char* role, const char* stage) const;
  base::Json evidence_coverage(const EvidenceState& evidence) const;

  void progress(const Task& task);

  RunOptions options_;
  Progress progress_;
  Pool& pool_;
  std::string folder_;
  std::map<std::string, std::unique_ptr<EvidenceState>> evidence_;
};

}  // namespace exhibit::engine
