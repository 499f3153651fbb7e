#include "engine/run.h"

#include <algorithm>

#include "base/record.h"
#include "engine/run_state.h"

namespace exhibit::engine {
namespace {

using base::Json;

// A batch of items is small enough that a worker's death costs little, and large enough that handing it out costs less.
constexpr std::uint64_t items_per_batch = 256;
constexpr std::uint64_t bytes_per_batch = std::uint64_t{64} << 20;
constexpr std::size_t regions_per_batch = 4096;

std::string task_id(std::string id) {
  std::replace(id.begin(), id.end(), '/', '.');
  return id;
}

// Gathers runs of neighbouring lines of a file into slices.
class SliceGatherer {
 public:
  explicit SliceGatherer(std::string path) : path_(std::move(path)) {}
  void take(std::uint64_t offset, std::uint64_t length) {
    if (!slices_.empty() && slices_.back().offset + slices_.back().length == offset) {
      slices_.back().length += length;
      ++slices_.back().lines;
    } else {
      slices_.push_back({path_, offset, length, 1});
    }
  }
  std::vector<LineSlice> slices() { return std::exchange(slices_, {}); }

 private:
  std::string path_;
  std::vector<LineSlice> slices_;
};

// Calls with each line's value and place.
Result<void> for_each_value(const std::string& path,
                            const std::function<Result<void>(const Json&, std::uint64_t, std::uint64_t)>& call) {
  std::uint64_t offset = 0;
  return for_each_line(path, [&](std::string_view line) -> Result<void> {
    const Json value = EXHIBIT_TRY(base::parse_json(line));
    const std::uint64_t at = offset;
    offset += line.size() + 1;
    return call(value, at, line.size() + 1);
  });
}

std::string kind_of(const Json& line) { return line.value("record", ""); }
std::string message_of(const Json& line) { return line.value("message", ""); }

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

Run::Run(RunOptions options, const std::vector<Evidence>& evidence, Pool& pool)
    : options_(std::move(options)), pool_(pool) {
  for (const Evidence& files : evidence) {
    auto state = std::make_unique<EvidenceState>();
    state->files = &files;
    state->media_done = !options_.media;
    evidence_[files.id] = std::move(state);
  }
}

Run::~Run() = default;

Result<void> Run::execute() {
  for (const auto& [id, state] : evidence_) {
    if (options_.given != nullptr && !options_.examine) {
      adopt_given(*state);
      for (const auto& volume : state->volumes) {
        const std::string& items = options_.given->volumes.at(volume->id).items;
        if (!items.empty()) EXHIBIT_TRY(on_walk(*state, *volume, {items, 0}));
      }
      continue;
    }
    Task task;
    task.id = id + ".survey";
    task.role = "survey";
    task.evidence = task.subject = id;
    task.stage = "open";
    pool_.submit(std::move(task));
  }
  return pool_.run([this](const Task& task, const TaskOutput& output) { return on_finished(task, output); });
}

// The evidence as an earlier verb described it.
void Run::adopt_given(EvidenceState& evidence) {
  const Given& given = *options_.given;
  for (const auto& [id, from] : given.volumes) {
    if (from.evidence != evidence.files->id) continue;
    auto volume = std::make_unique<VolumeState>();
    volume->evidence = from.evidence;
    volume->id = id;
    volume->plan = {
        {"offset", from.record.is_null() ? std::uint64_t{0} : from.record.value("offset", std::uint64_t{0})}};
    volume->record = from.record;
    volume->coverage = from.coverage;
    volume->findings = std::make_unique<VolumeFindings>(id);
    evidence.volumes.push_back(std::move(volume));
  }
}

// Of what the survey found, only what was given.
bool Run::is_wanted(const VolumeState& volume) const {
  return options_.given == nullptr || options_.given->volumes.contains(volume.id);
}

Task Run::volume_task(const VolumeState& volume, const char* role, const char* stage) const {
  Task task;
  task.id = task_id(volume.id) + "." + role;
  task.role = role;
  task.evidence = volume.evidence;
  task.subject = volume.id;
  task.stage = stage;
  task.arguments["volume"] = {
      {"id", volume.id}, {"offset", volume.plan.at("offset")}, {"size", volume.plan.at("size")}};
  return task;
}

Result<void> Run::on_finished(const Task& task, const TaskOutput& output) {
  EvidenceState& evidence = *evidence_.at(task.evidence);
  if (task.role == "survey") return on_survey(evidence, output);
  if (task.role == "media") return on_media(evidence, output);
  VolumeState& volume = evidence.volume(task.subject);
  if (task.role == "walk") return on_walk(evidence, volume, output);
  if (task.role == "examine") return on_examine(evidence, volume, output);
  if (task.role == "account") return on_account(volume, output);
  return on_scan(volume, task, output);
}

Result<void> Run::on_survey(EvidenceState& evidence, const TaskOutput& output) {
  const std::string& id = evidence.files->id;
  std::map<std::string, Json> records;
  std::vector<Json> plans, problems;
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line, auto, auto) -> Result<void> {
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
    volume->findings = std::make_unique<VolumeFindings>(volume->id);
    evidence.volumes.push_back(std::move(volume));
  }
  for (Json& problem : problems) {
    const std::string where = problem.value("where", "");
    if (records.contains(where)) {
      evidence.volume(where).findings->add(std::move(problem));
    } else {
      evidence.problems.push_back(std::move(problem));
    }
  }
  if (options_.media) {
    Task task;
    task.id = id + ".media";
    task.role = "media";
    task.evidence = task.subject = id;
    task.stage = "read";
    task.arguments["digests"] = options_.digests;
    pool_.submit(std::move(task));
  }
  std::erase_if(evidence.volumes, [&](const auto& volume) { return !is_wanted(*volume); });
  for (const auto& volume : evidence.volumes) {
    if (options_.given != nullptr) {
      const Given::Volume& from = options_.given->volumes.at(volume->id);
      if (from.items.empty()) {
        volume_examined(evidence, *volume);
      } else {
        EXHIBIT_TRY(on_walk(evidence, *volume, {from.items, 0}));
      }
    } else if (options_.walk && volume->plan.value("filesystem", false)) {
      pool_.submit(volume_task(*volume, "walk", "walk"));
    } else {
      volume_examined(evidence, *volume);
    }
  }
  return {};
}

Result<void> Run::on_media(EvidenceState& evidence, const TaskOutput& output) {
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line, auto, auto) -> Result<void> {
    if (kind_of(line) == "problem") evidence.problems.push_back(line);
    if (message_of(line) == "failed") {
      evidence.problems.push_back(base::to_record(
          Problem{evidence.files->id, "read", line.value("cause", "io-error"), {}, line.value("detail", "")}));
    }
    if (message_of(line) == "blocks") evidence.blocks += EXHIBIT_TRY(base::from_hex(line.value("sha256", "")));
    if (message_of(line) == "media") {
      for (const char* key : {"digests", "integrity", "block_root", "block_size"}) {
        if (line.contains(key)) evidence.record[key] = line.at(key);
      }
      evidence.doubts = line.value("doubt", Json::array());
    }
    return {};
  }));
  if (!evidence.record.contains("integrity")) evidence.record["integrity"] = "unreadable";
  if (evidence.record.at("integrity") == "unreadable") evidence.blocks.clear();
  evidence.media_done = true;
  for (const auto& volume : evidence.volumes) {
    if (volume->examined) submit_account(evidence, *volume);
  }
  return {};
}

Result<void> Run::on_walk(EvidenceState& evidence, VolumeState& volume, const TaskOutput& output) {
  EXHIBIT_TRY(volume.findings->add(output.path, !options_.examine));
  SliceGatherer all(output.path), batch(output.path);
  std::vector<std::vector<LineSlice>> batches;
  std::uint64_t items = 0, bytes = 0;
  EXHIBIT_TRY(
      for_each_value(output.path, [&](const Json& line, std::uint64_t offset, std::uint64_t length) -> Result<void> {
        if (message_of(line) == "failed") {
          volume.findings->add(base::to_record(
              Problem{volume.id, "walk", line.value("cause", "corrupt"), {}, line.value("detail", "")}));
        }
        if (kind_of(line) != "item") return {};
        all.take(offset, length);
        batch.take(offset, length);
        bytes += line.at("size").get<std::uint64_t>() < bytes_per_batch ? line.at("size").get<std::uint64_t>()
                                                                        : bytes_per_batch;
        if (++items < items_per_batch && bytes < bytes_per_batch) return {};
        batches.push_back(batch.slices());
        items = bytes = 0;
        return {};
      }));
  if (items > 0) batches.push_back(batch.slices());
  if (!options_.examine) {
    volume.items = all.slices();
    EXHIBIT_TRY(look_up(volume, output.path));
  }
  if (!options_.examine || batches.empty()) {
    volume_examined(evidence, volume);
    return {};
  }
  volume.batches_left = batches.size();
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Task task = volume_task(volume, "examine", "hash");
    task.id += "." + std::to_string(i);
    task.resume = Task::Resume::after;
    task.input = std::move(batches[i]);
    task.arguments["digests"] = options_.digests;
    pool_.submit(std::move(task));
  }
  return {};
}

Result<void> Run::on_examine(EvidenceState& evidence, VolumeState& volume, const TaskOutput& output) {
  EXHIBIT_TRY(volume.findings->add(output.path));
  SliceGatherer items(output.path);
  EXHIBIT_TRY(
      for_each_value(output.path, [&](const Json& line, std::uint64_t offset, std::uint64_t length) -> Result<void> {
        if (message_of(line) == "failed") {
          volume.findings->add(base::to_record(
              Problem{volume.id, "hash", line.value("cause", "corrupt"), {}, line.value("detail", "")}));
        }
        if (kind_of(line) == "problem" && line.value("stage", "") == "scan")
          volume.unscanned.push_back(line.value("where", ""));
        if (kind_of(line) != "item") return {};
        items.take(offset, length);
        if (options_.sets == nullptr || !line.contains("digests")) return {};
        const Item item = EXHIBIT_TRY(base::item_from_record(line));
        for (const auto& set : *options_.sets) {
          for (const Match& match : set->look_up(item)) volume.findings->add(base::to_record(match));
        }
        return {};
      }));
  for (LineSlice& slice : items.slices()) volume.items.push_back(std::move(slice));
  if (--volume.batches_left == 0) volume_examined(evidence, volume);
  return {};
}

// Which items' digests the hash sets know.
Result<void> Run::look_up(VolumeState& volume, const std::string& path) {
  if (options_.sets == nullptr || options_.sets->empty()) return {};
  return for_each_value(path, [&](const Json& line, auto, auto) -> Result<void> {
    if (kind_of(line) != "item" || !line.contains("digests")) return {};
    const Item item = EXHIBIT_TRY(base::item_from_record(line));
    for (const auto& set : *options_.sets) {
      for (const Match& match : set->look_up(item)) volume.findings->add(base::to_record(match));
    }
    return {};
  });
}

void Run::volume_examined(EvidenceState& evidence, VolumeState& volume) {
  volume.examined = true;
  if (evidence.media_done) submit_account(evidence, volume);
}

void Run::submit_account(EvidenceState& evidence, VolumeState& volume) {
  if (!options_.account) return;
  // Of a listing that isn't whole nobody can say what lies beside its items.
  if (options_.given != nullptr && options_.given->volumes.at(volume.id).coverage.is_null()) return;
  // In order of the plan, not of arrival.
  std::sort(volume.items.begin(), volume.items.end(), [](const LineSlice& a, const LineSlice& b) {
    return std::tie(a.path, a.offset) < std::tie(b.path, b.offset);
  });
  std::sort(volume.unscanned.begin(), volume.unscanned.end());
  Task task = volume_task(volume, "account", "read");
  task.input = volume.items;
  for (const char* key : {"owned", "tables", "rest", "filesystem"}) task.arguments[key] = volume.plan.at(key);
  task.arguments["rules"] = options_.rules;
  task.arguments["doubt"] = evidence.doubts;
  task.arguments["unscanned"] = volume.unscanned;
  pool_.submit(std::move(task));
}

Result<void> Run::on_account(VolumeState& volume, const TaskOutput& output) {
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line, auto, auto) -> Result<void> {
    if (message_of(line) == "failed") {
      volume.findings->add(
          base::to_record(Problem{volume.id, "read", line.value("cause", "corrupt"), {}, line.value("detail", "")}));
    }
    if (kind_of(line) == "problem") volume.findings->add(line);
    if (kind_of(line) == "coverage") volume.coverage = line;
    if (message_of(line) == "owned") volume.owned_coverage = line;
    if (message_of(line) == "regions") {
      for (const Json& region : line.at("regions")) volume.regions.push_back(region);
    }
    return {};
  }));
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

Result<void> Run::on_scan(VolumeState& volume, const Task& task, const TaskOutput& output) {
  EXHIBIT_TRY(volume.findings->add(output.path));
  std::set<std::uint64_t> unscanned;
  bool failed = false;
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line, auto, auto) -> Result<void> {
    if (message_of(line) == "failed") {
      volume.findings->add(
          base::to_record(Problem{volume.id, "scan", line.value("cause", "corrupt"), {}, line.value("detail", "")}));
      failed = true;
    }
    if (kind_of(line) != "problem") return {};
    if (line.contains("extent")) {
      unscanned.insert(line.at("extent").at(0).get<std::uint64_t>());
    } else {
      failed = true;
    }
    return {};
  }));
  if (failed || volume.coverage.is_null()) return {};
  for (const Json& region : task.arguments.at("regions")) {
    if (unscanned.contains(region.at("offset").get<std::uint64_t>())) continue;
    add_numbers(volume.coverage["examined"], {{"scanned", region.at("length")}});
    add_numbers(volume.owned_coverage["examined"], {{"scanned", region.at("owned")}});
  }
  return {};
}

}  // namespace exhibit::engine
