#include "engine/carve_plan.h"

#include <algorithm>
#include <deque>

#include "engine/number_key.h"

namespace exhibit::engine {
namespace {

using base::Json;

constexpr std::size_t runs_per_line = 256;
constexpr std::size_t candidates_per_line = 256;
constexpr std::size_t slacks_per_task = 1024;
// How much of a volume's unallocated space a task sees around its candidates, in lines of runs: objects reach forward,
// fragments may lie before.
constexpr std::size_t lines_before = 64, lines_behind = 1024;

}  // namespace

// Writes a volume's runs and candidates as its tasks want them.
class CarvePlan::TaskFiles {
 public:
  static Result<TaskFiles> create(const std::string& stem) {
    return TaskFiles(EXHIBIT_TRY(OutputFile::create(stem + ".runs")),
                     EXHIBIT_TRY(OutputFile::create(stem + ".candidates")),
                     EXHIBIT_TRY(OutputFile::create(stem + ".slacks")));
  }

  // A run of the space that all unallocated runs make.
  Result<void> add_run(std::uint64_t offset, std::uint64_t length) {
    runs_.push_back({offset, length});
    if (runs_.size() == runs_per_line) return end_runs();
    return {};
  }
  // In the last run that was added.
  Result<void> add_candidate(const Json& candidate) {
    // A line of candidates belongs to one line of runs.
    if (candidates_.empty()) line_of_runs_ = run_lines_.size();
    if (line_of_runs_ != run_lines_.size()) {
      EXHIBIT_TRY(end_candidates());
      line_of_runs_ = run_lines_.size();
    }
    candidates_.push_back(candidate);
    if (candidates_.size() == candidates_per_line) return end_candidates();
    return {};
  }
  Result<void> add_slack(std::uint64_t offset, std::uint64_t length, Json candidates) {
    const std::string line = base::canonical({{"space", {offset, length}}, {"candidates", std::move(candidates)}});
    if (slack_tasks_.empty() || slack_tasks_.back().lines == slacks_per_task)
      slack_tasks_.push_back({slack_file_.path(), slack_file_.size(), 0, 0});
    slack_tasks_.back().length += line.size() + 1;
    ++slack_tasks_.back().lines;
    return slack_file_.write(line);
  }

  Result<std::vector<std::vector<LineSlice>>> finish() {
    EXHIBIT_TRY(end_candidates());
    EXHIBIT_TRY(end_runs());
    EXHIBIT_TRY(run_file_.finish());
    EXHIBIT_TRY(candidate_file_.finish());
    EXHIBIT_TRY(slack_file_.finish());
    std::vector<std::vector<LineSlice>> tasks;
    for (const auto& [candidates, line] : candidate_lines_) {
      const std::size_t first = line - std::min(line, lines_before);
      const std::size_t last = std::min(run_lines_.size() - 1, line + lines_behind);
      LineSlice runs = run_lines_[first];
      runs.length = run_lines_[last].offset + run_lines_[last].length - runs.offset;
      runs.lines = last - first + 1;
      tasks.push_back({runs, candidates});
    }
    for (const LineSlice& slacks : slack_tasks_) tasks.push_back({slacks});
    return tasks;
  }

 private:
  TaskFiles(OutputFile runs, OutputFile candidates, OutputFile slacks)
      : run_file_(std::move(runs)), candidate_file_(std::move(candidates)), slack_file_(std::move(slacks)) {}

  static Result<LineSlice> write(OutputFile& file, const char* key, Json& list) {
    const std::uint64_t offset = file.size();
    EXHIBIT_TRY(file.write(base::canonical({{key, std::exchange(list, Json::array())}})));
    return LineSlice{file.path(), offset, file.size() - offset, 1};
  }
  Result<void> end_runs() {
    if (!runs_.empty()) run_lines_.push_back(EXHIBIT_TRY(write(run_file_, "runs", runs_)));
    return {};
  }
  Result<void> end_candidates() {
    if (candidates_.empty()) return {};
    candidate_lines_.emplace_back(EXHIBIT_TRY(write(candidate_file_, "candidates", candidates_)), line_of_runs_);
    return {};
  }

  OutputFile run_file_, candidate_file_, slack_file_;
  Json runs_ = Json::array(), candidates_ = Json::array();
  std::size_t line_of_runs_ = 0;  // that candidates_ lie in
  std::vector<LineSlice> run_lines_, slack_tasks_;
  std::vector<std::pair<LineSlice, std::size_t>> candidate_lines_;  // and the line of runs of each
};

CarvePlan::CarvePlan(std::string folder, std::uint64_t memory_bytes)
    : folder_(std::move(folder)), candidates_(folder_, memory_bytes / 2), found_(folder_, memory_bytes / 2) {}

std::uint32_t CarvePlan::add_volume(std::uint64_t offset, std::uint64_t size) {
  volumes_.push_back({offset, size});
  return static_cast<std::uint32_t>(volumes_.size() - 1);
}

// The key: offset in the volume, signature, anchor.
Result<void> CarvePlan::add_candidates(const Json& at) {
  for (const Json& candidate : at) {
    const auto place = candidate.at(0).get<std::uint64_t>();
    for (std::uint32_t i = 0; i < volumes_.size(); ++i) {
      const Volume& volume = volumes_[i];
      if (place < volume.offset || place - volume.offset >= volume.size) continue;
      std::string key;
      put_number(key, place - volume.offset);
      put_number(key, candidate.at(1).get<std::uint64_t>());
      put_number(key, candidate.at(2).get<std::uint64_t>());
      EXHIBIT_TRY(candidates_.add(i, key, {}));
    }
  }
  return {};
}

Result<std::vector<std::vector<LineSlice>>> CarvePlan::tasks(std::uint32_t volume, const std::string& name,
                                                             const NextRun& next) {
  auto files = EXHIBIT_TRY(TaskFiles::create(folder_ + "/" + name + ".carve"));
  std::uint64_t begin = 0, end = 0;  // of the run at hand
  bool alone = false;
  Json in_slack = Json::array();
  const auto end_run = [&]() -> Result<void> {
    if (alone && !in_slack.empty()) return files.add_slack(begin, end - begin, std::exchange(in_slack, Json::array()));
    return {};
  };
  // The first run that ends behind `offset`; false: there is none.
  const auto go_to = [&](std::uint64_t offset) -> Result<bool> {
    while (offset >= end) {
      EXHIBIT_TRY(end_run());
      alone = false;
      const auto run = EXHIBIT_TRY(next());
      if (!run) return false;
      begin = run->at(0).get<std::uint64_t>();
      end = begin + std::min(run->at(1).get<std::uint64_t>(), UINT64_MAX - begin);
      alone = run->at(2) != 0U;
      if (!alone) EXHIBIT_TRY(files.add_run(begin, end - begin));
    }
    return true;
  };
  bool more = true;
  EXHIBIT_TRY(candidates_.for_each(volume, [&](std::string_view key, std::string_view) -> Result<void> {
    const std::uint64_t offset = number_at(key, 0);
    if (more) more = EXHIBIT_TRY(go_to(offset));
    if (!more || offset < begin) return {};
    const Json candidate = {offset, number_at(key, 8), number_at(key, 16)};
    if (!alone) return files.add_candidate(candidate);
    in_slack.push_back(candidate);
    return {};
  }));
  if (more) EXHIBIT_TRY(go_to(UINT64_MAX));
  return files.finish();
}

Result<void> CarvePlan::add_found(std::uint32_t volume, const Json& message) {
  std::string key;
  put_number(key, message.at("place").at(0).get<std::uint64_t>());
  put_number(key, message.at("place").at(1).get<std::uint64_t>());
  return found_.add(volume, key, base::canonical(message));
}

Result<LineSlice> CarvePlan::found(std::uint32_t volume, const std::string& name) {
  auto file = EXHIBIT_TRY(OutputFile::create(folder_ + "/" + name + ".found"));
  std::uint64_t lines = 0;
  EXHIBIT_TRY(found_.for_each(volume, [&](std::string_view, std::string_view line) -> Result<void> {
    ++lines;
    return file.write(line);
  }));
  EXHIBIT_TRY(file.finish());
  return LineSlice{file.path(), 0, file.size(), lines};
}

}  // namespace exhibit::engine
