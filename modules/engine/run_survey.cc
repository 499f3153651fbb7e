// What lies in an image, as the survey found it, and what is planned on that.

#include <algorithm>

#include "base/record.h"
#include "engine/run.h"
#include "engine/run_state.h"

namespace exhibit::engine {
namespace {

Error error_from(const Json& failed, const std::string& where) {
  const std::string cause = failed.value("cause", "");
  for (int code = 0; code <= static_cast<int>(ErrorCode::internal); ++code) {
    if (cause == name_of(static_cast<ErrorCode>(code))) {
      return {static_cast<ErrorCode>(code), failed.value("detail", ""), where, {}};
    }
  }
  return {ErrorCode::internal, failed.value("detail", ""), where, {}};
}

}  // namespace

Result<void> Run::take_survey(EvidenceState& evidence, const TaskOutput& output, std::vector<Json>& problems) {
  const std::string& id = evidence.files->id;
  std::map<std::string, Json> records;
  std::vector<Json> plans;
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line) -> Result<void> {
    if (message_of(line) == "failed") return error_from(line, id);
    if (kind_of(line) == "evidence") evidence.record = line;
    if (kind_of(line) == "volume") records[line.value("id", "")] = line;
    if (kind_of(line) == "problem") problems.push_back(line);
    if (message_of(line) == "volume") plans.push_back(line);
    return {};
  }));
  if (evidence.record.is_null()) {
    const std::string why = problems.empty() ? "nothing was found out" : problems.front().value("detail", "");
    return Error{ErrorCode::crash, evidence.files->path + ": cannot be surveyed: " + why, id, {}};
  }
  Json segments = Json::array();
  for (const Segment& segment : evidence.files->segments)
    segments.push_back({{"name", segment.name}, {"size", segment.size}});
  evidence.record["segments"] = segments;
  for (const Json& plan : plans) {
    auto volume = std::make_unique<VolumeState>();
    volume->evidence = id;
    volume->id = plan.value("id", "");
    volume->plan = plan;
    volume->record = records[volume->id];
    evidence.findings->add_volume(volume->id);
    evidence.volumes.push_back(std::move(volume));
  }
  for (const auto& volume : evidence.volumes) {
    const VolumeState* around = evidence.find_volume(base::medium_volume(volume->id));
    if (around == nullptr)
      return Error{ErrorCode::crash, volume->id + ": a volume within one that isn't there", id, {}};
    volume->place = {{"id", volume->id}, {"offset", around->plan.at("offset")}, {"size", around->plan.at("size")}};
  }
  return {};
}

// Which volumes' items and objects are found in which sweep. What a snapshot has beside its volume is told by its
// items; what another volume holds whole is looked for there.
void Run::plan_sweep(EvidenceState& evidence, std::uint64_t size) {
  constexpr std::uint64_t stretch = SweepPlan::stretch_bytes;
  std::uint64_t behind = (size + stretch - 1) / stretch * stretch;
  for (const auto& volume : evidence.volumes) {
    const auto bytes = volume->plan.at("size").get<std::uint64_t>();
    std::uint64_t offset = volume->plan.at("offset").get<std::uint64_t>();
    if (!volume->is_nested()) volume->number = evidence.plan->add_volume(volume->id, offset, bytes);
    if (evidence.carving == nullptr) continue;
    if (volume->is_nested()) {
      const bool is_held = volume->plan.value("held", Json()) == Json::array({{std::uint64_t{0}, bytes}});
      const bool is_swept = volume->record.value("kind", "") != "snapshot" && !is_held && bytes > 0 && bytes <= size;
      if (!is_swept || bytes > UINT64_MAX / 4 - behind) continue;
      offset = behind;
      volume->carve_offset = offset;
      behind += (bytes + stretch - 1) / stretch * stretch;
    }
    volume->carve_number = evidence.carving->add_volume(task_id(volume->id), offset, bytes);
  }
}

Result<void> Run::on_survey(EvidenceState& evidence, const TaskOutput& output) {
  std::vector<Json> problems;
  EXHIBIT_TRY(take_survey(evidence, output, problems));
  for (const Json& problem : problems) {
    // Of what came by a pipe the evidence's own problems came with it.
    const bool is_told = options_.given != nullptr && problem.value("where", "") == evidence.files->id;
    if (!is_told) EXHIBIT_TRY(add(evidence, problem));
  }
  for (const VolumeKey& key : evidence.files->keys) {
    if (evidence.find_volume(key.volume) == nullptr)
      return Error{ErrorCode::not_found, "--unlock " + key.volume + ": there is no such volume", key.volume, {}};
  }
  std::erase_if(evidence.volumes, [&](const auto& volume) { return !is_wanted(*volume); });
  const std::uint64_t size = evidence.record.value("size", std::uint64_t{0});
  if (sweeps() && size > 0) {
    evidence.plan = std::make_unique<SweepPlan>(folder_, evidence.files->id, size, options_.sort_bytes);
    if (options_.media) {
      evidence.medium =
          EXHIBIT_TRY(Medium::create(folder_ + "/" + evidence.files->id + ".blocks", evidence.files->id, size));
    }
    if (options_.carve) evidence.carving = std::make_unique<CarvePlan>(folder_, options_.sort_bytes);
    progress_.bytes += size;
    plan_sweep(evidence, size);
  }
  return begin_volumes(evidence);
}

}  // namespace exhibit::engine
