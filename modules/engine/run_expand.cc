// What items hold: whatever was examined and is a container by its type is expanded, in tasks that follow from the
// output of the task that examined it.

#include "base/container_types.h"
#include "engine/batches.h"
#include "engine/run.h"
#include "engine/run_state.h"

namespace exhibit::engine {

// Members aren't asked again: the worker that finds them goes on into them.
bool Run::is_expanded(const base::RecordLine& item) const {
  if (options_.expand.is_null() || item.string("state") == "member" || item.find("size")->size() == 0) return false;
  return base::container_of(item.string("type"), item.string("path")).has_value();
}

void Run::submit_expansions(EvidenceState& evidence, const Task& examined, std::vector<Batch>& batches) {
  if (batches.empty()) return;
  Json volumes = Json::object();
  for (const auto& volume : evidence.volumes) volumes[volume->id] = volume->place;
  std::size_t number = 0;
  for (Batch& batch : batches) {
    Task task;
    task.id = examined.id + ".expand." + std::to_string(number++);
    task.role = task.stage = "expand";
    task.evidence = task.subject = evidence.files->id;
    task.of_members = true;
    task.input = std::move(batch.slices);
    task.arguments["digests"] = options_.digests;
    task.arguments["limits"] = options_.expand;
    task.arguments["volumes"] = volumes;
    pool_.submit(std::move(task));
  }
}

// Members lie in no bytes of the volume that their container doesn't: the account knows nothing of them.
Result<void> Run::on_expand(EvidenceState& evidence, const Task& task, const TaskOutput& output) {
  std::string scratch;
  return for_each_record(output.path, [&](const base::RecordLine& line, std::uint64_t) -> Result<void> {
    if (line.string("message", scratch) == "failed")
      return add_problem(evidence, task, EXHIBIT_TRY(base::parse_json(line.text())));
    const std::string kind = line.string("record");
    if (kind.empty()) return {};
    EXHIBIT_TRY(add(evidence, line));
    if (kind != "item") return {};
    ++progress_.items;
    ++progress_.items_done;
    return look_up(evidence, line);
  });
}

}  // namespace exhibit::engine
