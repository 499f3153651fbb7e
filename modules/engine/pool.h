#pragma once
// The coordinator's loop: one thread, one poll, N workers. It starts workers, hands out tasks, takes down what comes
// back, and deals with workers that die. It trusts nothing that a worker says.

#include <atomic>
#include <functional>
#include <map>
#include <set>

#include "base/record_line.h"
#include "engine/journal.h"
#include "engine/worker_process.h"

namespace exhibit::engine {

// How far a run is, of what it knows to be before it. Grows as walks and accounts tell what there is.
struct Progress {
  std::uint64_t bytes = 0, bytes_done = 0;  // to be read; the media where they are swept
  std::uint64_t bytes_resumed = 0;          // of bytes_done: by an earlier run
  std::uint64_t items = 0, items_done = 0;
  std::uint64_t leads = 0, problems = 0;
};

// What a person wants to see of a run; all calls come from run()'s thread.
class Monitor {
 public:
  virtual ~Monitor() = default;
  virtual void progressed(const Progress& progress) { (void)progress; }
  virtual void log(const base::Json& line) { (void)line; }
  virtual void tick() {}  // a few times a second
};

struct PoolOptions {
  WorkerSetup worker;
  unsigned jobs = 1;
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler: stop cleanly
};

class Pool {
 public:
  // Called for each finished task, in any order; may submit more.
  using Finished = std::function<Result<void>(const Task&, const TaskOutput&)>;

  // All must outlive the pool.
  Pool(PoolOptions options, const std::vector<Evidence>& evidence, Journal& journal, Monitor& monitor);
  ~Pool();

  // A task that the journal knows as done is not done again: `finished` gets what it left.
  void submit(Task task);

  // What the chain came to in a task that was done before (its message `chain`, null where it has none): Run reads the
  // outputs of tasks that the journal knows.
  void know_link(const Task& task, const base::Json& link);

  // Until no task is left. Error: interrupted (stop was set), the disk is full, or workers can't be started or sealed.
  Result<void> run(const Finished& finished);

  // Ends the workers, none of which is busy; run() starts new ones.
  void stop_workers();

  unsigned jobs() const { return options_.jobs; }
  // Whether an earlier run did it.
  bool is_resumed(const Task& task) const { return journal_.find(task) != nullptr; }
  Monitor& monitor() { return monitor_; }

  // What the first sealed worker said: its seal and its rule files.
  const std::optional<base::Json>& sealed() const { return sealed_; }

 private:
  struct Job;     // a task on its way
  struct Worker;  // a process and what it does

  Result<void> start_workers();
  Result<void> poll_once(int milliseconds);
  std::unique_ptr<Job> take_waiting();
  Result<void> hand_out(Worker& worker);
  void start_task(Worker& worker);
  Result<void> take_lines(Worker& worker);
  Result<void> take_line(Worker& worker, std::string_view line);
  void take_touch(Worker& worker, const base::RecordLine& touch);
  Result<void> take_message(Worker& worker, const base::Json& message, std::string_view line);
  Result<void> take_record(Worker& worker, const base::RecordLine& record, std::string_view line);
  Result<void> take_done(Worker& worker, const base::Json& message);
  Result<void> take_link(Worker& worker, const base::Json& message);
  bool is_owed_a_link(const Worker& worker) const;
  void send_link(Worker& worker);
  Result<void> worker_ended(Worker& worker, bool timed_out);
  Result<void> failed(Worker& worker, const Ending& ending);
  static Result<void> rewind(Job& job, const Worker& worker);
  static Result<void> pass_on(Job& job, std::uint64_t count);
  void finish(std::unique_ptr<Job> job);
  Result<void> settle_one();
  Result<void> complete_finished(const Finished& finished);

  PoolOptions options_;
  const std::vector<Evidence>& evidence_;
  Journal& journal_;
  Monitor& monitor_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::deque<std::unique_ptr<Job>> ended_;  // done, but not on disk yet
  std::deque<std::pair<Task, TaskOutput>> finished_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::map<std::string, base::Json> links_;  // by task: what the task that follows it is to be told
  std::optional<base::Json> sealed_;
  base::RecordLine line_;  // the one being taken down
  unsigned failed_starts_ = 0;
};

}  // namespace exhibit::engine
