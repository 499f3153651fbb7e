#pragma once
// N sealed workers that answer reads, each led by a thread of its own. One that dies or hangs costs the read that it
// was on, and is replaced.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/reader.h"

namespace exhibit::mount {

class ReadPool {
 public:
  // What came of a read, valid within the call only; comes from a thread of the pool.
  using Done = std::function<void(const Result<std::span<const std::byte>>&)>;

  ReadPool(engine::WorkerSetup setup, engine::Evidence evidence, unsigned workers);
  ~ReadPool();  // gives up what is under way; whoever waits for it is told so
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  void submit(engine::ReadRequest request, Done done);

 private:
  struct Read {
    engine::ReadRequest request;
    Done done;
  };

  void work();

  engine::WorkerSetup setup_;
  engine::Evidence evidence_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Read> waiting_;
  std::vector<std::thread> threads_;
};

}  // namespace exhibit::mount
