// What is carved: candidates where the account lets objects be, then what was found, then the items that stand.

#include <fstream>

#include "engine/batches.h"
#include "engine/run.h"
#include "engine/run_state.h"

namespace exhibit::engine {
namespace {

// A file system's allocation unit; objects in fragments break at its multiples. Where none is known, the usual one.
constexpr std::uint64_t usual_block = 4096, least_block = 512;  // bytes

// The runs of a volume's account, one after the other.
class AccountRuns {
 public:
  explicit AccountRuns(const std::string& path) : file_(path) {}

  Result<std::optional<Json>> next() {
    while (next_ == runs_.size()) {
      std::string line;
      if (!std::getline(file_, line)) return std::optional<Json>();
      const Json value = EXHIBIT_TRY(base::parse_json(line));
      if (message_of(value) != "runs") continue;
      runs_ = value.at("runs");
      next_ = 0;
    }
    return std::optional<Json>(runs_[next_++]);
  }

 private:
  std::ifstream file_;
  Json runs_ = Json::array();
  std::size_t next_ = 0;
};

}  // namespace

// `account`: the output of the volume's account; empty: all of the volume is carved.
Result<void> Run::begin_carving(EvidenceState& evidence, VolumeState& volume, const std::string& account) {
  AccountRuns runs(account);
  std::optional<Json> whole = Json::array({std::uint64_t{0}, volume.plan.at("size"), 0U});
  const auto next = [&]() -> Result<std::optional<Json>> {
    if (account.empty()) return std::exchange(whole, std::nullopt);
    return runs.next();
  };
  auto tasks = EXHIBIT_TRY(evidence.carving->tasks(volume.carve_number, task_id(volume.id), next));
  const Json filesystem = volume.record.value("filesystem", Json::object());
  const std::uint64_t block = filesystem.value("block_size", usual_block);
  volume.carving = tasks.size() + 1;  // one for this function itself
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task task = volume_task(volume, "carve", "carve");
    task.id += "." + std::to_string(i);
    task.input = std::move(tasks[i]);
    task.arguments["block"] = std::max(block, least_block);
    task.arguments["digests"] = options_.digests;
    pool_.submit(std::move(task));
  }
  return carved(evidence, volume);
}

Result<void> Run::on_carve(EvidenceState& evidence, VolumeState& volume, const Task& task, const TaskOutput& output) {
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line) -> Result<void> {
    if (message_of(line) == "failed") return add_problem(evidence, task, line);
    if (message_of(line) == "found") return evidence.carving->add_found(volume.carve_number, line);
    return kind_of(line) == "problem" ? add(evidence, line) : Result<void>();
  }));
  return carved(evidence, volume);
}

// After the last of a volume's tasks: what was found is put together.
Result<void> Run::carved(EvidenceState& evidence, VolumeState& volume) {
  if (--volume.carving > 0) return {};
  LineSlice found = EXHIBIT_TRY(evidence.carving->found(volume.carve_number, task_id(volume.id)));
  if (found.lines == 0) return {};
  Task task = volume_task(volume, "resolve", "carve");
  task.input = {std::move(found)};
  pool_.submit(std::move(task));
  return {};
}

// Carved items are examined like any other.
Result<void> Run::on_resolve(EvidenceState& evidence, VolumeState& volume, const Task& task, const TaskOutput& output) {
  Batches batches(output.path);
  std::string scratch;
  EXHIBIT_TRY(for_each_record(output.path, [&](const base::RecordLine& line, std::uint64_t offset) -> Result<void> {
    if (line.string("message", scratch) == "failed")
      return add_problem(evidence, task, EXHIBIT_TRY(base::parse_json(line.text())));
    const std::string_view kind = line.string("record", scratch);
    if (kind != "item") return kind.empty() ? Result<void>() : add(evidence, line);
    ++progress_.items;
    if (line.find("digests") != nullptr) {  // it was examined where it was found
      ++progress_.items_done;
      EXHIBIT_TRY(add(evidence, line));
      return look_up(evidence, line);
    }
    batches.take(offset, line.text().size() + 1, line.find("size")->size());
    return {};
  }));
  std::size_t number = 0;
  for (Batch& batch : batches.all()) {
    Task examine = volume_task(volume, "examine", "hash");
    examine.id = task_id(volume.id) + ".carved." + std::to_string(number++);
    examine.resume = Task::Resume::after;
    examine.input = std::move(batch.slices);
    examine.arguments["bytes"] = batch.bytes;
    examine.arguments["carved"] = true;
    examine.arguments["digests"] = options_.digests;
    progress_.bytes += batch.bytes;
    ++evidence.examining;
    pool_.submit(std::move(examine));
  }
  return {};
}

}  // namespace exhibit::engine
