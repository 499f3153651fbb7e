#pragma once
// One sealed worker that gives contents, request after request, and is replaced once it dies: for whoever wants bytes
// now, outside of any plan. What it reads comes by memory that both see; the coordinator looks at none of it.

#include <atomic>
#include <cstddef>
#include <span>

#include "engine/answer.h"
#include "engine/worker_process.h"

namespace exhibit::engine {

// The most that one request gives: as much as the kernel asks of a FUSE file system at once.
inline constexpr std::size_t largest_read = std::size_t{1} << 20;

// What a worker is asked for. Role `read`: just `bytes` bytes (at most largest_read); `attributes`: at most so many.
struct ReadRequest {
  const char* role = "read";
  base::Json arguments;
  std::size_t bytes = 0;
};

// Blocks; for one thread, which must live as long as the reader does (the worker dies with the thread that started it).
class Reader {
 public:
  // All must outlive it. `stop`: set to give up what is under way.
  Reader(const WorkerSetup& setup, const Evidence& evidence, const std::atomic<bool>& stop);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Starts and seals a worker and has it open the evidence, unless there is one.
  Result<void> start();

  // What was asked for, valid until the next call. Error: crash or timeout where the worker came to its end over it;
  // else what the worker said. What is in doubt is an Error too: nothing is given that nobody vouches for.
  Result<std::span<const std::byte>> read(const ReadRequest& request);

  // Of the worker; -1 where there is none.
  pid_t pid() const { return process_ ? process_->pid() : -1; }

 private:
  class SharedMemory;

  Result<base::Json> converse(std::uint64_t seconds);
  Result<std::optional<base::Json>> take_line(std::string_view line, bool& done);
  Result<void> wait(std::chrono::steady_clock::time_point deadline);
  Error give_up(const char* lie, bool timed_out);

  const WorkerSetup& setup_;
  const Evidence& evidence_;
  const std::atomic<bool>& stop_;
  std::unique_ptr<SharedMemory> shared_;
  std::unique_ptr<WorkerProcess> process_;
  Answer answer_;
};

}  // namespace exhibit::engine
