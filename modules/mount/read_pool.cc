#include "mount/read_pool.h"

namespace exhibit::mount {

ReadPool::ReadPool(engine::WorkerSetup setup, engine::Evidence evidence, unsigned workers)
    : setup_(std::move(setup)), evidence_(std::move(evidence)) {
  for (unsigned i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

ReadPool::~ReadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (const Read& read : waiting_) read.done(Error{ErrorCode::interrupted, "stopped before the end", {}, {}});
}

void ReadPool::submit(engine::ReadRequest request, Done done) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back({std::move(request), std::move(done)});
  }
  ready_.notify_one();
}

void ReadPool::work() {
  engine::Reader reader(setup_, evidence_, stop_);
  (void)reader.start();  // so that the first read need not wait for it; if it fails, each read tries again
  while (true) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const Read read = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    auto bytes = reader.read(read.request);
    // A worker may have been ended from outside. One that died of what it read dies again.
    if (!bytes.ok() && bytes.error().code == ErrorCode::crash) bytes = reader.read(read.request);
    read.done(bytes);
  }
}

}  // namespace exhibit::mount
