#pragma once
// How a medium is cut into stretches that workers read one after another, and which items each one examines: those that
// begin in it. A pure function of the medium's size and of the items.

#include <optional>
#include <string>
#include <vector>

#include "base/external_sorter.h"
#include "engine/task.h"

namespace exhibit::engine {

class SweepPlan {
 public:
  // A worker holds one stretch in memory; whole blocks of block_root.
  static constexpr std::uint64_t stretch_bytes = std::uint64_t{32} << 20;

  // `folder` is the work folder: what the plan holds lies there, not in memory. `medium_bytes` > 0.
  SweepPlan(std::string folder, std::string evidence_id, std::uint64_t medium_bytes, std::uint64_t memory_bytes);

  // A volume that items will be of; returns its number. In the plan's order, not in that of arrival.
  std::uint32_t add_volume(const std::string& id, std::uint64_t offset, std::uint64_t size);

  // One item's line, without LF, that begins at `offset` bytes of its volume. Items of one volume come in the order of
  // its walk.
  Result<void> add(std::uint32_t volume, std::uint64_t offset, std::string_view line);

  // After the last item.
  Result<void> finish();

  // The next task, in order of the medium; nothing after the last. Their arguments still lack what isn't the plan's.
  std::optional<Task> next();

 private:
  struct Volume {
    std::string id;
    std::uint64_t offset = 0, size = 0, items = 0;
  };
  // The items of one task.
  struct Part {
    std::uint64_t stretch = 0, number = 0;            // of the stretch; of the part in it
    std::uint64_t offset = 0, length = 0, lines = 0;  // in the file of items
    std::vector<std::uint32_t> volumes;
  };
  std::string items_file() const { return folder_ + "/" + evidence_ + ".sweep.items"; }
  void begin_part(std::uint64_t stretch);
  Task task_of(const Part& part) const;

  std::string folder_, evidence_;
  std::uint64_t medium_bytes_;
  base::ExternalSorter items_;
  std::vector<Volume> volumes_;
  std::vector<Part> parts_;  // those that have items
  std::size_t next_part_ = 0;
  std::uint64_t next_stretch_ = 0;  // every one before it was given out
};

}  // namespace exhibit::engine
