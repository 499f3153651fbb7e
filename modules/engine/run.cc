#include "engine/run.h"

#include <algorithm>

#include "base/record.h"
#include "engine/batches.h"
#include "engine/run_state.h"
#include "hash/chain_digest.h"

namespace exhibit::engine {
namespace {

using base::Json;

// Where an item's content begins in its volume; nothing where only its file system can give it.
std::optional<std::uint64_t> place_of(const base::RecordLine& item) {
  const base::TextValue* extents = item.find("extents");
  if (extents == nullptr) return std::nullopt;
  std::uint64_t place = 0;  // where nothing of it lies anywhere
  extents->each_element([&](const base::TextValue& extent) {
    const auto offset = extent.first();
    const bool is_stored = offset && offset->is_size();
    if (is_stored) place = offset->size();
    return !is_stored;
  });
  return place;
}

}  // namespace

Result<void> for_each_value(const LineSlice& lines, const ValueCall& call) {
  return for_each_line(
      {lines}, [&](std::string_view line) -> Result<void> { return call(EXHIBIT_TRY(base::parse_json(line))); });
}

Result<void> for_each_record(const std::string& path, const RecordCall& call) {
  std::uint64_t offset = 0;
  base::RecordLine record;
  return for_each_line(path, [&](std::string_view line) -> Result<void> {
    EXHIBIT_TRY(record.read_any(line));
    const std::uint64_t at = offset;
    offset += line.size() + 1;
    return call(record, at);
  });
}

Run::Run(RunOptions options, const std::vector<Evidence>& evidence, Pool& pool, std::string folder)
    : options_(std::move(options)), pool_(pool), folder_(std::move(folder)) {
  for (const Evidence& files : evidence) {
    auto state = std::make_unique<EvidenceState>();
    state->files = &files;
    evidence_[files.id] = std::move(state);
  }
}

Run::~Run() = default;

Result<void> Run::execute() {
  for (const auto& [id, state] : evidence_) {
    state->findings = EXHIBIT_TRY(FindingsSorter::create(folder_, id, options_.sort_bytes));
    if (options_.given != nullptr && options_.given->problems.contains(id)) {
      for (const Json& problem : options_.given->problems.at(id)) EXHIBIT_TRY(add(*state, problem));
    }
    if (options_.given != nullptr && !options_.examine) {
      EXHIBIT_TRY(adopt_given(*state));
      continue;
    }
    Task task;
    task.id = id + ".survey";
    task.role = "survey";
    task.evidence = task.subject = id;
    task.stage = "open";
    pool_.submit(std::move(task));
  }
  EXHIBIT_TRY(pool_.run([this](const Task& task, const TaskOutput& output) { return on_finished(task, output); }));
  // Nothing is left undone in silence.
  for (const auto& [id, state] : evidence_) EXHIBIT_CHECK(state->plan == nullptr && state->examining == 0);
  return {};
}

// The evidence as an earlier verb described it.
Result<void> Run::adopt_given(EvidenceState& evidence) {
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
    evidence.findings->add_volume(id);
    evidence.volumes.push_back(std::move(volume));
  }
  evidence.walks_left = evidence.volumes.size();
  for (const auto& volume : evidence.volumes) {
    const std::string& items = given.volumes.at(volume->id).items;
    if (!items.empty()) EXHIBIT_TRY(on_walk(evidence, *volume, {items, 0}));
  }
  return {};
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
  task.arguments["volume"] = volume.place;
  return task;
}

Result<void> Run::on_finished(const Task& task, const TaskOutput& output) {
  EXHIBIT_TRY(take_output(task, output));
  progress(task);
  return {};
}

// What was before the run and now lies behind it.
void Run::progress(const Task& task) {
  std::uint64_t bytes = 0;
  if (task.chained) bytes = task.arguments.at("stretch").at(1).get<std::uint64_t>();
  if (task.role == "examine") bytes = task.arguments.value("bytes", std::uint64_t{0});
  if (task.role == "scan") {
    for (const Json& region : task.arguments.at("regions")) bytes += region.at("length").get<std::uint64_t>();
  }
  progress_.bytes_done += bytes;
  if (pool_.is_resumed(task)) progress_.bytes_resumed += bytes;
  pool_.monitor().progressed(progress_);
}

Result<void> Run::take_output(const Task& task, const TaskOutput& output) {
  EvidenceState& evidence = *evidence_.at(task.evidence);
  if (task.role == "survey") return on_survey(evidence, output);
  if (task.role == "media") return on_media(evidence, task, output);
  if (task.role == "sweep") return on_sweep(evidence, task, output);
  if (task.role == "expand") return on_expand(evidence, task, output);
  VolumeState& volume = evidence.volume(task.subject);
  if (task.role == "walk") return on_walk(evidence, volume, output);
  if (task.role == "account" && task.arguments.at("tells") == Json::array({"runs"}))
    return on_runs(evidence, volume, LineSlice::from(output.path, 0));
  if (task.role == "account") return on_account(evidence, volume, LineSlice::from(output.path, 0));
  if (task.role == "scan") return on_scan(evidence, volume, task, output);
  if (task.role == "carve") return on_carve(evidence, volume, task, output);
  if (task.role == "resolve") return on_resolve(evidence, volume, task, output);
  EXHIBIT_TRY(take_examined(evidence, task, output));
  --evidence.examining;
  return proceed(evidence);
}

Result<void> Run::add(EvidenceState& evidence, const Json& record) {
  const std::string text = base::canonical(record);
  base::RecordLine line;
  EXHIBIT_TRY(line.read_any(text));
  return add(evidence, line);
}

Result<void> Run::add(EvidenceState& evidence, const base::RecordLine& record) {
  std::string scratch;
  const std::string kind(record.string("record", scratch));
  progress_.leads += kind == "match" && record.string("class", scratch) != "known";
  progress_.problems += kind == "problem";
  return evidence.findings->add(record);
}

// What a task that couldn't be done leaves behind.
Result<void> Run::add_problem(EvidenceState& evidence, const Task& task, const Json& failed) {
  return add(evidence,
             base::to_record(
                 Problem{task.subject, task.stage, failed.value("cause", "corrupt"), {}, failed.value("detail", "")}));
}

Result<void> Run::begin_volumes(EvidenceState& evidence) {
  evidence.walks_left = evidence.volumes.size() + 1;  // one for this function itself
  for (const auto& volume : evidence.volumes) {
    if (options_.account && options_.examine) {
      volume->accounted = EXHIBIT_TRY(OutputFile::create_one_of_many(folder_ + "/" + task_id(volume->id) + ".items"));
    }
    if (options_.given != nullptr) {
      const Given::Volume& from = options_.given->volumes.at(volume->id);
      if (from.coverage.contains("unchanged") && from.coverage.at("unchanged").is_number_unsigned())
        volume->unchanged = from.coverage.at("unchanged").get<std::uint64_t>();
      if (from.items.empty()) {
        EXHIBIT_TRY(volume_walked(evidence));
      } else {
        EXHIBIT_TRY(on_walk(evidence, *volume, {from.items, 0}));
      }
    } else if (options_.walk && volume->plan.value("filesystem", false)) {
      Task task = volume_task(*volume, "walk", "walk");
      const auto tells = told_by_walk(evidence, *volume);
      if (!tells.empty()) ask_account(task, evidence, *volume, tells);
      pool_.submit(std::move(task));
    } else {
      if (accounts_apart()) EXHIBIT_TRY(submit_account(evidence, *volume));
      EXHIBIT_TRY(begin_runs(evidence, *volume));
    }
  }
  return volume_walked(evidence);
}

// Digests whose state can't be handed from one worker to the next are made in a reading of their own.
Result<void> Run::on_media(EvidenceState& evidence, const Task& task, const TaskOutput& output) {
  EXHIBIT_TRY(for_each_value(output.path, [&](const Json& line) -> Result<void> {
    if (message_of(line) == "media" && line.contains("digests")) {
      for (const auto& [name, digest] : line.at("digests").items()) evidence.record["digests"][name] = digest;
    }
    if (message_of(line) == "failed") return add_problem(evidence, task, line);
    // What is wrong with the medium is told once, of the sweep; what was wrong with this reading is told here.
    const std::string cause = line.value("cause", "");
    const bool of_reading = cause == name_of(ErrorCode::crash) || cause == name_of(ErrorCode::timeout) ||
                            cause == name_of(ErrorCode::memory_limit);
    if (kind_of(line) == "problem" && of_reading) return add(evidence, line);
    return {};
  }));
  --evidence.examining;
  return proceed(evidence);
}

Result<void> Run::on_walk(EvidenceState& evidence, VolumeState& volume, const TaskOutput& output) {
  Batches batches(output.path);
  volume.walked = {output.path, 0, 0, 0};
  std::uint64_t told = UINT64_MAX;  // where that begins which is told of the volume's bytes
  bool accounted = false;           // it came to its end
  std::string scratch;
  EXHIBIT_TRY(for_each_record(output.path, [&](const base::RecordLine& line, std::uint64_t offset) -> Result<void> {
    volume.walked.length = offset + line.text().size() + 1;
    ++volume.walked.lines;
    const std::string_view message = line.string("message", scratch);
    if (message == "failed") {
      return add(evidence,
                 base::to_record(Problem{volume.id, "walk", line.string("cause"), {}, line.string("detail")}));
    }
    accounted = accounted || message == "accounted";
    if (message == "unchanged") volume.unchanged = line.find("items")->size();
    const std::string_view kind = line.string("record", scratch);
    if (kind.empty() || kind == "coverage") {
      told = std::min(told, offset);
      return {};
    }
    if (kind != "item") return add(evidence, line);
    if (options_.carved_only) return {};
    ++progress_.items;
    if (!options_.examine) {
      EXHIBIT_TRY(add(evidence, line));
      return look_up(evidence, line);
    }
    const auto place = evidence.plan != nullptr && !volume.is_nested() ? place_of(line) : std::nullopt;
    if (place) return evidence.plan->add(volume.number, *place, line.text());
    batches.take(offset, line.text().size() + 1, line.find("size")->size());
    return {};
  }));
  std::size_t number = 0;
  for (Batch& batch : batches.all()) {
    Task task = volume_task(volume, "examine", "hash");
    task.id += "." + std::to_string(number++);
    task.resume = Task::Resume::after;
    task.input = std::move(batch.slices);
    task.arguments["bytes"] = batch.bytes;
    progress_.bytes += batch.bytes;
    task.arguments["digests"] = options_.digests;
    ++evidence.examining;
    pool_.submit(std::move(task));
  }
  const LineSlice account = LineSlice::from(output.path, told);
  if (accounts_apart())
    EXHIBIT_TRY(accounted ? on_account(evidence, volume, account) : submit_account(evidence, volume));
  return accounted && finds_runs(evidence, volume) ? on_runs(evidence, volume, account) : begin_runs(evidence, volume);
}

Result<void> Run::volume_walked(EvidenceState& evidence) {
  if (--evidence.walks_left > 0) return {};
  if (evidence.plan != nullptr) EXHIBIT_TRY(begin_sweep(evidence));
  return proceed(evidence);
}

Result<void> Run::begin_sweep(EvidenceState& evidence) {
  std::vector<std::string> alone;
  for (const std::string& name : options_.digests) {
    if (!hash::can_chain(name)) alone.push_back(name);
  }
  if (!alone.empty()) {
    Task task;
    task.id = evidence.files->id + ".media";
    task.role = "media";
    task.evidence = task.subject = evidence.files->id;
    task.stage = "read";
    task.arguments["digests"] = alone;
    ++evidence.examining;
    pool_.submit(std::move(task));
  }
  return evidence.plan->finish();
}

// A few at a time: a large medium has many stretches.
Result<void> Run::submit_sweeps(EvidenceState& evidence) {
  if (evidence.plan == nullptr) return {};  // nothing to sweep; what came by a pipe has no record of the medium either
  std::vector<std::string> digests;
  for (const std::string& name : options_.digests) {
    if (hash::can_chain(name)) digests.push_back(name);
  }
  const Json stored = evidence.record.value("stored_digests", Json::object());
  for (const auto& [name, digest] : stored.items()) {
    if (std::find(digests.begin(), digests.end(), name) == digests.end()) digests.push_back(name);
  }
  while (evidence.plan != nullptr && evidence.examining < pool_.jobs() * 2 + 2) {
    auto task = evidence.plan->next();
    if (!task) task = next_nested_sweep(evidence);
    if (!task) {
      evidence.plan.reset();
      return {};
    }
    task->arguments["digests"] = options_.digests;
    if (task->chained) {  // once for each stretch
      task->arguments["carve"] = options_.carve;
      // What an allocated item holds is carved only with everything, or if it may be another volume's free space.
      task->arguments["carve_items"] = evidence.carving == nullptr || carves_all() || evidence.carving->has_overlap();
    }
    if (!options_.media) {
      task->chained = false;
      task->follows.clear();
    }
    if (task->chained) task->arguments["chain"]["digests"] = digests;
    ++evidence.examining;
    pool_.submit(std::move(*task));
  }
  return {};
}

Result<void> Run::on_sweep(EvidenceState& evidence, const Task& task, const TaskOutput& output) {
  EXHIBIT_TRY(take_examined(evidence, task, output));
  if (task.arguments.value("carve", false)) EXHIBIT_TRY(carve_stretch(evidence, task));
  --evidence.examining;
  return proceed(evidence);
}

// Items with what was found out about them, and a stretch's share of the medium's digests.
Result<void> Run::take_examined(EvidenceState& evidence, const Task& task, const TaskOutput& output) {
  bool linked = false;
  VolumeState* last = nullptr;  // the volume of the item before
  Batches containers(output.path);
  std::string scratch;
  EXHIBIT_TRY(for_each_record(output.path, [&](const base::RecordLine& line, std::uint64_t offset) -> Result<void> {
    const std::string_view kind = line.string("record", scratch);
    if (kind.empty()) {
      linked = linked || line.string("message", scratch) == "chain";
      return take_examined_message(evidence, task, EXHIBIT_TRY(base::parse_json(line.text())));
    }
    const bool is_item = kind == "item";
    const bool is_carved = task.arguments.value("carved", false);  // the account is made, and holds its bytes
    const bool of_scan = kind == "problem" && line.string("stage", scratch) == "scan";
    if (!is_carved && (is_item || of_scan)) {
      if (is_item) last = evidence.find_volume(line);
      if (last != nullptr) EXHIBIT_TRY(last->account_for(line.text()));
    }
    EXHIBIT_TRY(add(evidence, line));
    if (!is_item) return {};
    ++progress_.items_done;
    if (is_expanded(line)) containers.take(offset, line.text().size() + 1, line.find("size")->size());
    return look_up(evidence, line);
  }));
  submit_expansions(evidence, task, containers.all());
  if (task.chained && !linked) evidence.medium->lose();
  return {};
}

Result<void> Run::take_examined_message(EvidenceState& evidence, const Task& task, const Json& message) {
  if (message_of(message) == "failed") return add_problem(evidence, task, message);
  const bool of_search = message_of(message) == "candidates" || message_of(message) == "searched";
  if (of_search && task.arguments.value("carve", false)) return take_search(evidence, task, message);
  if (message_of(message) != "chain" || !task.chained) return {};
  pool_.know_link(task, message);
  const Json& stretch = task.arguments.at("stretch");
  return evidence.medium->take(stretch.at(0).get<std::uint64_t>(), stretch.at(1).get<std::uint64_t>(), message);
}

// Which items' digests the hash sets know.
Result<void> Run::look_up(EvidenceState& evidence, const base::RecordLine& record) {
  if (options_.sets == nullptr || options_.sets->empty() || record.find("digests") == nullptr) return {};
  const Item item = EXHIBIT_TRY(base::item_from_record(record));
  for (const auto& set : *options_.sets) {
    for (const auto& match : EXHIBIT_TRY(set->look_up(item))) EXHIBIT_TRY(add(evidence, hashset::to_record(match)));
  }
  const auto picture = hashset::picture_of(record);
  if (!picture) return {};
  for (const auto& set : *options_.sets) {
    for (const auto& match : EXHIBIT_TRY(set->look_up_alike(*picture)))
      EXHIBIT_TRY(add(evidence, hashset::to_record(match)));
  }
  return {};
}

// Whatever ended makes room for sweeps. Once every item is examined and the medium is read, what lies beside the items
// can be told.
Result<void> Run::proceed(EvidenceState& evidence) {
  if (evidence.walks_left > 0) return {};
  EXHIBIT_TRY(submit_sweeps(evidence));
  if (evidence.examining > 0 || evidence.plan != nullptr || evidence.accounting) return {};
  evidence.accounting = true;
  if (evidence.medium) {
    EXHIBIT_TRY(evidence.medium->finish(evidence.record, options_.digests));
    evidence.blocks_file = evidence.medium->blocks_file();
    for (const Json& problem : evidence.medium->problems()) EXHIBIT_TRY(add(evidence, problem));
  }
  for (const auto& volume : evidence.volumes) {
    if (!accounts_apart()) EXHIBIT_TRY(submit_account(evidence, *volume));
    if (evidence.carving != nullptr && volume->is_carved()) EXHIBIT_TRY(carved(evidence, *volume));
  }
  return {};
}

}  // namespace exhibit::engine
