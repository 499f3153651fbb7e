#pragma once
// A run over images, as the verbs that read evidence start it: options, evidence, workers, progress, interruption.

#include <memory>
#include <string>
#include <vector>

#include "engine/run.h"
#include "exhibit/common.h"
#include "exhibit/unlock.h"

namespace exhibit::cmd {

struct RunSettings {
  std::vector<std::string> images;
  std::vector<std::string> evidence_ids;  // the images'; where there are fewer, E1, E2, … by their order
  bool open_images = true;                // false: they are only named
  std::string as;
  std::vector<std::string> segments;  // files that belong to the image too: only with one image
  std::vector<Unlock> unlock;         // of volumes of any evidence
  unsigned jobs = 1;
  std::uint64_t memory = 0;  // ceiling for the whole run, bytes
  bool sandbox_required = true;
  std::vector<std::string> rules;
  bool prefilter = true;
  base::Json carve;                   // engine::WorkerSetup::carve
  base::Json expand;                  // engine::RunOptions::expand
  std::string perceptual = "auto";    // what --perceptual says
  std::vector<std::string> perceive;  // what that comes to: documents, pictures
  std::vector<std::string> hash_sets;
  std::vector<std::string> digests = {"md5", "sha1", "sha256"};
  std::string progress = "auto";
  std::string worker_program;
  std::uint64_t object_seconds = 30;
  std::string work_folder;                 // empty: a temporary one
  base::Json plan = base::Json::object();  // what a resumed run must have in common with the first
};

// --jobs, --memory, --sandbox, --as, --segments, --unlock, --progress, --json
void add_run_options(options::options_description& described);
// --digests
void add_digest_options(options::options_description& described);
// --expand-depth, --expand-size, --expand-members
void add_expand_options(options::options_description& described);
// The bounds of expanding, by these and what is fixed.
base::Json expand_bounds(const options::variables_map& values);
// --hashset, --rules, --perceptual
void add_match_options(options::options_description& described);
// What --perceptual comes to with these sets: with `auto`, pictures where a set has hashes of pictures.
Result<std::vector<std::string>> perceived_kinds(const std::string& option,
                                                 const std::vector<std::unique_ptr<hashset::HashSet>>& sets);
RunSettings run_settings(const options::variables_map& values);

// Says on standard error which lines of a hash set were not taken.
void tell_refused(const std::string& path, const std::vector<hashset::Refused>& listed, std::uint64_t total);
// Loads the sets; says on standard error what was refused of each.
Result<std::vector<std::unique_ptr<hashset::HashSet>>> load_hash_sets(const std::vector<std::string>& paths);

class Session {
 public:
  static Result<std::unique_ptr<Session>> open(RunSettings settings);
  ~Session();

  // Runs the plan to its end.
  Result<void> execute(engine::RunOptions options);
  // Tasks by themselves (cat, verify's), a few at a time, until `next` gives none; their lines to `line` as each one
  // ends.
  using NextTask = std::function<std::optional<engine::Task>()>;
  using TaskLine = std::function<Result<void>(const engine::Task&, std::string_view)>;
  Result<void> execute(const NextTask& next, const TaskLine& line);

  engine::Run& run() { return *run_; }
  // Whatever descriptors workers were given are closed then.
  void stop_workers() { pool_->stop_workers(); }
  const std::vector<engine::Evidence>& evidence() const { return evidence_; }
  // For whoever goes on reading with workers of its own: how they are started, how many there may be, and the images,
  // which this session then has no more.
  const engine::WorkerSetup& worker_setup() const { return worker_; }
  unsigned jobs() const { return pool_->jobs(); }
  std::vector<engine::Evidence> take_evidence() { return std::move(evidence_); }
  const std::string& folder() const { return journal_->folder(); }
  // What the first worker said of itself; nothing where every task was known from before.
  const std::optional<base::Json>& sealed() const { return pool_->sealed(); }
  // Lines of the log: how the run went.
  const std::vector<base::Json>& log() const;
  std::uint64_t resumed_tasks() const { return journal_->resumed(); }

 private:
  class ProgressMonitor;
  Session() = default;

  RunSettings settings_;
  engine::WorkerSetup worker_;
  std::vector<engine::Evidence> evidence_;
  std::string temporary_;
  std::unique_ptr<engine::Journal> journal_;
  std::unique_ptr<ProgressMonitor> monitor_;
  std::unique_ptr<engine::Pool> pool_;
  std::unique_ptr<engine::Run> run_;
};

// {"record":"source"}: where a later verb of the same pipe finds an image that doesn't lie in the current folder.
// Part of a pipe only, never of findings (docs/decisions/0003).
void put_source(const engine::Evidence& evidence);

}  // namespace exhibit::cmd
