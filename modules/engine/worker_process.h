#pragma once
// One worker as the coordinator sees it: a passive object, told when its socket is ready (Ninja's Subprocess).

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/channel.h"
#include "base/json.h"
#include "engine/segments.h"
#include "engine/task.h"

namespace exhibit::engine {

struct WorkerSetup {
  std::string program;             // path of exhibit-worker
  std::vector<std::string> rules;  // YARA files and folders
  std::uint64_t memory = 0;        // of one worker, bytes resident; 0: not limited
  bool sandbox_required = true;
  std::uint64_t object_seconds = 30;  // what an object may take, beside what its size allows
  bool prefilter = true;              // libyara is given the rules alone that a content can match
  // What is carved: {"types": names of signatures (none: all), "tier": the least that is told}; null: nothing.
  base::Json carve = nullptr;
  std::vector<std::string> perceive = {};  // what is asked for its likeness: documents, pictures
};

// How a worker ended.
struct Ending {
  std::string cause;   // a problem's cause: crash, memory-limit, timeout
  std::string detail;  // deterministic
};

class WorkerProcess {
 public:
  // Forks and executes; the process gets an empty environment but for TZ and LC_ALL, so that no setting of the machine
  // reaches a parser.
  static Result<std::unique_ptr<WorkerProcess>> start(const WorkerSetup& setup);
  ~WorkerProcess();  // kills what still runs
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  int socket() const { return socket_.get(); }
  int errors() const { return errors_.get(); }  // its standard error, for the log
  pid_t pid() const { return pid_; }

  // Queues; nothing blocks.
  void send(std::string line, std::vector<int> descriptors = {});
  void send(const LineSlice& slice);
  // The first message: what to load before it seals itself. `shared`: memory that both sides see, `shared_bytes` long,
  // into which its role `read` puts contents; -1: none.
  void send_load(const WorkerSetup& setup, int shared = -1, std::uint64_t shared_bytes = 0);
  // The image, with the descriptors of its segments.
  void send_evidence(const Evidence& evidence);
  bool wants_to_send() const { return !outgoing_.empty(); }
  // Sends what the socket takes. An Error: it is gone.
  Result<void> on_writable();

  base::LineReader& reader() { return reader_; }

  // Reads the standard error; keeps its end.
  void on_errors();
  const std::string& error_text() const { return error_text_; }

  // Waits for the end that has come (or is forced) and says what it was.
  Ending end(bool timed_out);

 private:
  WorkerProcess() = default;

  struct Parcel {
    std::string bytes;
    std::vector<int> descriptors;
    LineSlice slice;  // where bytes is empty
  };
  Result<bool> load_next_piece();

  pid_t pid_ = -1;
  base::UniqueFd socket_, errors_;
  std::deque<Parcel> outgoing_;
  std::size_t sent_ = 0;  // of the first parcel's bytes
  base::UniqueFd slice_file_;
  base::LineReader reader_;
  std::string error_text_;
};

}  // namespace exhibit::engine
