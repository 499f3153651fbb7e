#pragma once
// Items cut into tasks.

#include <algorithm>
#include <string>
#include <vector>

#include "engine/task.h"

namespace exhibit::engine {

// A batch of items is small enough that a worker's death costs little, and large enough that handing it out costs less.
inline constexpr std::uint64_t items_per_batch = 256;
inline constexpr std::uint64_t bytes_per_batch = std::uint64_t{64} << 20;

// Items that one task examines.
struct Batch {
  std::vector<LineSlice> slices;
  std::uint64_t items = 0, bytes = 0;  // of content
};

// Gathers runs of neighbouring lines of a file into slices, and slices into batches.
class Batches {
 public:
  explicit Batches(std::string path) : path_(std::move(path)) {}
  void take(std::uint64_t offset, std::uint64_t length, std::uint64_t content_bytes) {
    if (all_.empty() || all_.back().items == items_per_batch || all_.back().bytes >= bytes_per_batch)
      all_.emplace_back();
    Batch& batch = all_.back();
    ++batch.items;
    batch.bytes += std::min(content_bytes, UINT64_MAX - batch.bytes);
    if (!batch.slices.empty() && batch.slices.back().offset + batch.slices.back().length == offset) {
      batch.slices.back().length += length;
      ++batch.slices.back().lines;
    } else {
      batch.slices.push_back({path_, offset, length, 1});
    }
  }
  std::vector<Batch>& all() { return all_; }

 private:
  std::string path_;
  std::vector<Batch> all_;
};

}  // namespace exhibit::engine
