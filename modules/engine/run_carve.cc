// What is carved: where the account lets objects be, then, while the sweep goes on, what lies at each stretch's
// candidates, and after it the items that stand.

#include <array>
#include <map>

#include "base/record.h"
#include "engine/batches.h"
#include "engine/run.h"
#include "engine/run_state.h"

namespace exhibit::engine {
namespace {

// A file system's allocation unit; objects in fragments break at its multiples. Where none is known, the usual one.
constexpr std::uint64_t usual_block = 4096, least_block = 512;  // bytes

}  // namespace

// Whether objects are looked for in a part of each volume. It rests on the items as they were walked, so that it is
// known before the sweep.
bool Run::finds_runs(const EvidenceState& evidence, const VolumeState& volume) const {
  return evidence.carving != nullptr && !carves_all() && volume.is_carved();
}

// Where the walk didn't tell them.
Result<void> Run::begin_runs(EvidenceState& evidence, VolumeState& volume) {
  if (evidence.carving == nullptr || !volume.is_carved()) return volume_walked(evidence);
  if (carves_all()) {
    EXHIBIT_TRY(
        evidence.carving->add_run(volume.carve_number, {0, volume.plan.at("size").get<std::uint64_t>()}, false));
    EXHIBIT_TRY(evidence.carving->finish_runs(volume.carve_number));
    return volume_walked(evidence);
  }
  Task task = volume_task(volume, "account", "read");
  task.id = task_id(volume.id) + ".runs";
  if (volume.walked.lines > 0) task.input = {volume.walked};
  ask_account(task, evidence, volume, {"runs"});
  pool_.submit(std::move(task));
  return {};
}

Result<void> Run::on_runs(EvidenceState& evidence, VolumeState& volume, const LineSlice& told) {
  volume.is_searched = false;
  EXHIBIT_TRY(for_each_value(told, [&](const Json& line) -> Result<void> {
    if (message_of(line) == "failed") return add(evidence, account_failure(volume.id, line));
    if (message_of(line) == "accounted") volume.is_searched = true;
    // The account of the coverage may say the same; then it stands once.
    if (kind_of(line) == "problem") return add(evidence, line);
    if (message_of(line) != "runs") return {};
    for (const Json& run : line.at("runs")) {
      EXHIBIT_TRY(evidence.carving->add_run(
          volume.carve_number, {run.at(0).get<std::uint64_t>(), run.at(1).get<std::uint64_t>()}, run.at(2) != 0U));
    }
    return {};
  }));
  EXHIBIT_TRY(evidence.carving->finish_runs(volume.carve_number));
  return volume_walked(evidence);
}

// Nested volumes are read once more for what may be carved in them: their bytes are none of the medium's.
std::optional<Task> Run::next_nested_sweep(EvidenceState& evidence) const {
  for (const auto& volume : evidence.volumes) {
    const auto size = volume->plan.at("size").get<std::uint64_t>();
    if (!volume->carve_offset || volume->swept == size) continue;
    Task task = volume_task(*volume, "sweep", "carve");
    task.id += "." + std::to_string(volume->swept / SweepPlan::stretch_bytes);
    const std::uint64_t length = std::min(SweepPlan::stretch_bytes, size - volume->swept);
    task.arguments["stretch"] = {volume->swept, length};
    task.arguments["volumes"] = Json::object();
    task.arguments["carve"] = true;
    volume->swept += length;
    return task;
  }
  return std::nullopt;
}

// What a sweep says of its search for candidates; it comes in pieces.
Result<void> Run::take_search(EvidenceState& evidence, const Task& task, const Json& message) {
  if (message_of(message) == "candidates") {
    const VolumeState* nested = evidence.find_volume(task.subject);
    evidence.carving->add_candidates(message.at("at"), nested != nullptr ? nested->carve_offset.value_or(0) : 0);
    return {};
  }
  evidence.stretch_searched = true;
  for (const Json& name : message.at("left_out")) {
    EXHIBIT_TRY(add(evidence, base::to_record(Problem{task.subject, "carve", name_of(ErrorCode::size_limit),
                                                      task.arguments.at("stretch").get<std::array<std::uint64_t, 2>>(),
                                                      "too many places that look like " + name.get<std::string>() +
                                                          "; the rest of them isn't carved"})));
  }
  return {};
}

// After each stretch that was to be searched.
Result<void> Run::carve_stretch(EvidenceState& evidence, const Task& task) {
  VolumeState* nested = evidence.find_volume(task.subject);
  Json& unsearched = nested != nullptr ? nested->unsearched : evidence.unsearched;
  if (!std::exchange(evidence.stretch_searched, false)) unsearched.push_back(task.arguments.at("stretch"));
  std::map<std::uint32_t, std::size_t> numbers;  // of each volume's tasks in this stretch
  const std::uint64_t begin = nested != nullptr ? nested->carve_offset.value_or(0) : 0;
  const std::uint64_t stretch =
      (begin + task.arguments.at("stretch").at(0).get<std::uint64_t>()) / SweepPlan::stretch_bytes;
  for (CarvePlan::Work& work : EXHIBIT_TRY(evidence.carving->end_stretch(std::to_string(stretch)))) {
    VolumeState& volume = evidence.carved_volume(work.volume);
    Task carve = volume_task(volume, "carve", "carve");
    carve.id += "." + std::to_string(stretch) + "." + std::to_string(numbers[work.volume]++);
    carve.input = std::move(work.input);
    const Json filesystem = volume.record.value("filesystem", Json::object());
    carve.arguments["block"] = std::max(filesystem.value("block_size", usual_block), least_block);
    carve.arguments["digests"] = options_.digests;
    ++volume.carving;
    pool_.submit(std::move(carve));
  }
  return {};
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
  LineSlice found = EXHIBIT_TRY(evidence.carving->found(volume.carve_number));
  if (found.lines == 0) return {};
  Task task = volume_task(volume, "resolve", "carve");
  task.input = {std::move(found)};
  pool_.submit(std::move(task));
  return {};
}
// Carved items are examined like any other.
Result<void> Run::on_resolve(EvidenceState& evidence, VolumeState& volume, const Task& task, const TaskOutput& output) {
  Batches batches(output.path), containers(output.path);
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
      if (is_expanded(line)) containers.take(offset, line.text().size() + 1, line.find("size")->size());
      return look_up(evidence, line);
    }
    batches.take(offset, line.text().size() + 1, line.find("size")->size());
    return {};
  }));
  submit_expansions(evidence, task, containers.all());
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
