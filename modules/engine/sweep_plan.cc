#include "engine/sweep_plan.h"

#include <algorithm>

#include "engine/journal.h"
#include "engine/number_key.h"

namespace exhibit::engine {
namespace {

// A worker holds the records of one task in memory; a stretch with more of them is worked on in several tasks.
constexpr std::uint64_t most_items = 4096;
constexpr std::uint64_t most_item_bytes = std::uint64_t{8} << 20;

}  // namespace

SweepPlan::SweepPlan(std::string folder, std::string evidence_id, std::uint64_t medium_bytes,
                     std::uint64_t memory_bytes)
    : folder_(std::move(folder)),
      evidence_(std::move(evidence_id)),
      medium_bytes_(medium_bytes),
      items_(folder_, memory_bytes) {}

std::uint32_t SweepPlan::add_volume(const std::string& id, std::uint64_t offset, std::uint64_t size) {
  volumes_.push_back({id, offset, size, 0});
  return static_cast<std::uint32_t>(volumes_.size() - 1);
}

// The key: stretch, volume, and the item's number in its volume's walk.
Result<void> SweepPlan::add(std::uint32_t volume, std::uint64_t offset, std::string_view line) {
  Volume& of = volumes_[volume];
  const std::uint64_t place = of.offset + std::min(offset, UINT64_MAX - of.offset);
  std::string key;
  put_number(key, std::min(place, medium_bytes_ - 1) / stretch_bytes);
  put_number(key, volume);
  put_number(key, of.items++);
  return items_.add(0, key, line);
}

void SweepPlan::begin_part(std::uint64_t stretch) {
  const bool again = !parts_.empty() && parts_.back().stretch == stretch;
  const std::uint64_t offset = parts_.empty() ? 0 : parts_.back().offset + parts_.back().length;
  parts_.push_back({stretch, again ? parts_.back().number + 1 : 0, offset, 0, 0, {}});
}

Result<void> SweepPlan::finish() {
  auto file = EXHIBIT_TRY(OutputFile::create(items_file()));
  EXHIBIT_TRY(items_.for_each(0, [&](std::string_view key, std::string_view line) -> Result<void> {
    const std::uint64_t stretch = number_at(key, 0);
    const auto volume = static_cast<std::uint32_t>(number_at(key, 8));
    const bool full =
        !parts_.empty() && (parts_.back().lines >= most_items || parts_.back().length + line.size() >= most_item_bytes);
    if (full || parts_.empty() || parts_.back().stretch != stretch) begin_part(stretch);
    Part& part = parts_.back();
    part.length += line.size() + 1;
    ++part.lines;
    if (part.volumes.empty() || part.volumes.back() != volume) part.volumes.push_back(volume);
    return file.write(line);
  }));
  return file.finish();
}

// Each stretch has a task, whether or not an item begins in it.
std::optional<Task> SweepPlan::next() {
  const bool has_part = next_part_ < parts_.size() && parts_[next_part_].stretch <= next_stretch_;
  if (has_part) {
    next_stretch_ = parts_[next_part_].stretch + 1;
    return task_of(parts_[next_part_++]);
  }
  if (next_stretch_ > (medium_bytes_ - 1) / stretch_bytes) return std::nullopt;
  return task_of({next_stretch_++, 0, 0, 0, 0, {}});
}

Task SweepPlan::task_of(const Part& part) const {
  const std::uint64_t offset = part.stretch * stretch_bytes;
  Task task;
  task.id = evidence_ + ".sweep." + std::to_string(part.stretch);
  task.chained = part.number == 0;
  if (!task.chained) task.id += "." + std::to_string(part.number);
  if (task.chained && part.stretch > 0) task.follows = evidence_ + ".sweep." + std::to_string(part.stretch - 1);
  task.role = "sweep";
  task.evidence = task.subject = evidence_;
  task.stage = "hash";
  task.resume = Task::Resume::after;
  if (part.lines > 0) task.input = {{items_file(), part.offset, part.length, part.lines}};
  task.arguments["stretch"] = {offset, std::min(stretch_bytes, medium_bytes_ - offset)};
  base::Json& volumes = task.arguments["volumes"] = base::Json::object();
  for (const std::uint32_t number : part.volumes) {
    volumes[volumes_[number].id] = {{"offset", volumes_[number].offset}, {"size", volumes_[number].size}};
  }
  return task;
}

}  // namespace exhibit::engine
