#pragma once
// Which places of which volume are looked at for objects, and in which tasks: a pure function of what the sweep found
// and of each volume's account. What it holds lies in the work folder, not in memory.

#include <optional>
#include <string>
#include <vector>

#include "engine/external_sorter.h"
#include "engine/journal.h"
#include "engine/task.h"

namespace exhibit::engine {

class CarvePlan {
 public:
  CarvePlan(std::string folder, std::uint64_t memory_bytes);

  // A volume whose bytes may be carved; returns its number. In the plan's order.
  std::uint32_t add_volume(std::uint64_t offset, std::uint64_t size);

  // The message `candidates` of a stretch, with media offsets: each belongs to every volume that holds it.
  Result<void> add_candidates(const base::Json& at);

  // After the last candidate: input for a volume's tasks, given its runs, in order: [offset, length, stands alone].
  // `runs` gives the next one, or nothing. Each slice list is a task's.
  using NextRun = std::function<Result<std::optional<base::Json>>()>;
  Result<std::vector<std::vector<LineSlice>>> tasks(std::uint32_t volume, const std::string& name, const NextRun& runs);

  // A message `found` of a volume's task.
  Result<void> add_found(std::uint32_t volume, const base::Json& message);
  // All that was found in a volume, in order of place: a resolve task's input. No lines: nothing was.
  Result<LineSlice> found(std::uint32_t volume, const std::string& name);

 private:
  struct Volume {
    std::uint64_t offset = 0, size = 0;
  };
  class TaskFiles;

  std::string folder_;
  std::vector<Volume> volumes_;
  ExternalSorter candidates_, found_;
};

}  // namespace exhibit::engine
