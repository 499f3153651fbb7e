// What lies beside the items: each byte's class, and rules over what belongs to no item.

#include "base/record.h"
#include "engine/run.h"
#include "engine/run_state.h"

namespace exhibit::engine {
namespace {

constexpr std::uint64_t bytes_per_batch = std::uint64_t{64} << 20;
constexpr std::size_t regions_per_batch = 4096;

Json unread(const std::string& where, std::uint64_t bytes) {
  return {{"record", "coverage"},
          {"where", where},
          {"bytes", {{"unreadable", bytes}}},
          {"examined", {{"hashed", 0U}, {"scanned", 0U}, {"carved", 0U}}}};
}

}  // namespace

// What a volume's walk is asked to tell of its bytes: what rests on its items as they were walked.
std::vector<std::string> Run::told_by_walk(const EvidenceState& evidence, const VolumeState& volume) const {
  if (finds_runs(evidence, volume)) return {"runs"};
  return accounts_apart() ? told_with_coverage() : std::vector<std::string>();
}

std::vector<std::string> Run::told_with_coverage() const {
  if (options_.runs) return {"coverage", "runs"};
  return {"coverage"};
}

// To be told of the volume's bytes by `task`, which has its items.
void Run::ask_account(Task& task, const EvidenceState& evidence, const VolumeState& volume,
                      const std::vector<std::string>& tells) const {
  for (const char* key : {"owned", "tables", "rest", "filesystem"}) task.arguments[key] = volume.plan.at(key);
  if (volume.plan.contains("held")) task.arguments["held"] = volume.plan.at("held");
  task.arguments["carve"] = options_.carve_where;
  task.arguments["tells"] = tells;
  if (tells.front() == "runs") return;  // they alone
  task.arguments["rules"] = options_.rules;
  const bool searched = evidence.carving != nullptr && volume.is_searched && volume.is_carved();
  const Json& size = volume.is_nested() ? volume.plan.at("size") : evidence.record.at("size");
  const Json& unsearched = volume.is_nested() ? volume.unsearched : evidence.unsearched;
  task.arguments["unsearched"] = searched ? unsearched : Json::array({{std::uint64_t{0}, size}});
  if (evidence.medium) task.arguments["doubt"] = evidence.medium->doubts();
}

Result<void> Run::submit_account(EvidenceState& evidence, VolumeState& volume) {
  if (!options_.account) return {};
  LineSlice items = volume.walked;
  if (volume.accounted) {
    EXHIBIT_TRY(volume.accounted->finish());
    items = {volume.accounted->path(), 0, volume.accounted->size(), volume.accounted->lines()};
  }
  // Of a listing that isn't whole nobody can say what lies beside its items.
  if (options_.given != nullptr && options_.given->volumes.at(volume.id).coverage.is_null()) return {};
  Task task = volume_task(volume, "account", "read");
  if (items.lines > 0) task.input = {std::move(items)};
  ask_account(task, evidence, volume, told_with_coverage());
  pool_.submit(std::move(task));
  return {};
}

Json account_failure(const std::string& volume, const Json& failed) {
  return base::to_record(Problem{volume, "read", failed.value("cause", "corrupt"), {}, failed.value("detail", "")});
}

Result<void> Run::on_account(EvidenceState& evidence, VolumeState& volume, const LineSlice& told) {
  volume.account = told;
  EXHIBIT_TRY(for_each_value(told, [&](const Json& line) -> Result<void> {
    if (message_of(line) == "failed") EXHIBIT_TRY(add(evidence, account_failure(volume.id, line)));
    if (kind_of(line) == "problem") EXHIBIT_TRY(add(evidence, line));
    if (kind_of(line) == "coverage") volume.coverage = line;
    if (message_of(line) == "owned") volume.owned_coverage = line;
    if (message_of(line) == "regions") {
      for (const Json& region : line.at("regions")) {
        volume.regions.push_back(region);
        progress_.bytes += region.at("length").get<std::uint64_t>();
      }
    }
    return {};
  }));
  // Nobody can say what the bytes are whose account can't be made: they are told as not read.
  if (volume.coverage.is_null()) volume.coverage = unread(volume.id, volume.plan.at("size").get<std::uint64_t>());
  if (options_.rules) submit_scans(volume);
  return {};
}

void Run::submit_scans(VolumeState& volume) {
  std::size_t number = 0;
  for (std::size_t first = 0; first < volume.regions.size();) {
    Json regions = Json::array();
    std::uint64_t bytes = 0;
    while (first < volume.regions.size() && regions.size() < regions_per_batch && bytes < bytes_per_batch) {
      bytes += volume.regions[first].at("length").get<std::uint64_t>();
      regions.push_back(volume.regions[first++]);
    }
    Task task = volume_task(volume, "scan", "scan");
    task.id += "." + std::to_string(number++);
    task.arguments["regions"] = std::move(regions);
    pool_.submit(std::move(task));
  }
}

Result<void> Run::on_scan(EvidenceState& evidence, VolumeState& volume, const Task& task, const TaskOutput& output) {
  std::set<std::uint64_t> unscanned;
  bool failed = false;
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line) -> Result<void> {
    if (message_of(line) == "failed") {
      failed = true;
      return add_problem(evidence, task, line);
    }
    EXHIBIT_TRY(add(evidence, line));
    if (kind_of(line) != "problem") return {};
    if (line.contains("extent")) {
      unscanned.insert(line.at("extent").at(0).get<std::uint64_t>());
    } else {
      failed = true;
    }
    return {};
  }));
  if (failed || volume.coverage.is_null() || volume.owned_coverage.is_null()) return {};
  for (const Json& region : task.arguments.at("regions")) {
    if (unscanned.contains(region.at("offset").get<std::uint64_t>())) continue;
    add_numbers(volume.coverage["examined"], {{"scanned", region.at("length")}});
    add_numbers(volume.owned_coverage["examined"], {{"scanned", region.at("owned")}});
  }
  return {};
}

}  // namespace exhibit::engine
