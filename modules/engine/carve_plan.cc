#include "engine/carve_plan.h"

#include <algorithm>
#include <array>

#include "base/checked.h"
#include "engine/number_key.h"

namespace exhibit::engine {
namespace {

using base::Json;

constexpr std::size_t runs_per_line = 256;
// Tasks are large: what was found in one is passed over in it alone (carve::Carver).
constexpr std::size_t candidates_per_line = 256, lines_per_task = 16;
constexpr std::size_t slacks_per_task = 1024;
// How much of a volume's unallocated space a task sees around its candidates, in lines of runs: objects reach forward,
// fragments may lie before.
constexpr std::size_t lines_before = 64, lines_behind = 1024;

Result<std::vector<RunFile::Run>> read_runs(const LineSlice& slice) {
  std::vector<RunFile::Run> runs;
  EXHIBIT_TRY(for_each_line({slice}, [&](std::string_view text) -> Result<void> {
    const Json line = EXHIBIT_TRY(base::parse_json(text));
    for (const Json& run : line.at("runs"))
      runs.push_back({run.at(0).get<std::uint64_t>(), run.at(1).get<std::uint64_t>()});
    return {};
  }));
  return runs;
}

}  // namespace

Result<void> RunFile::add(const Run& run) {
  runs_.push_back(run);
  return runs_.size() == runs_per_line ? end_line() : Result<void>();
}

Result<void> RunFile::end_line() {
  if (runs_.empty()) return {};
  Json runs = Json::array();
  for (const Run& run : runs_) runs.push_back({run.offset, run.length});
  if (!file_) file_ = EXHIBIT_TRY(OutputFile::create(path_));
  const std::uint64_t offset = file_->size();
  EXHIBIT_TRY(file_->write(base::canonical({{"runs", std::move(runs)}})));
  lines_.push_back({runs_.front().offset, {path_, offset, file_->size() - offset, 1}});
  runs_.clear();
  return {};
}

Result<void> RunFile::finish() {
  EXHIBIT_TRY(end_line());
  return file_ ? file_->finish() : Result<void>();
}

Result<std::optional<RunFile::Place>> RunFile::find(std::uint64_t place) {
  const auto behind = std::upper_bound(lines_.begin(), lines_.end(), place,
                                       [](std::uint64_t at, const Line& line) { return at < line.begin; });
  if (behind == lines_.begin()) return std::optional<Place>();
  const auto line = static_cast<std::size_t>(behind - lines_.begin()) - 1;
  if (line != read_line_) {
    runs_ = EXHIBIT_TRY(read_runs(lines_[line].slice));
    read_line_ = line;
  }
  const auto run = std::upper_bound(runs_.begin(), runs_.end(), place,
                                    [](std::uint64_t at, const Run& each) { return at < each.offset; });
  if (run == runs_.begin() || !std::prev(run)->holds(place)) return std::optional<Place>();
  return std::optional<Place>({line, *std::prev(run)});
}

LineSlice RunFile::lines(std::size_t first, std::size_t last) const {
  last = std::min(last, lines_.size() - 1);
  LineSlice slice = lines_[first].slice;
  slice.length = lines_[last].slice.offset + lines_[last].slice.length - slice.offset;
  slice.lines = last - first + 1;
  return slice;
}

// Writes one volume's candidates of a stretch as its tasks want them.
class CarvePlan::StretchFile {
 public:
  static Result<StretchFile> create(const std::string& path, Volume& volume) {
    return StretchFile(EXHIBIT_TRY(OutputFile::create(path)), volume);
  }

  // In order of their offsets, which are the volume's.
  Result<void> add(std::uint64_t offset, Json candidate) {
    if (const auto place = EXHIBIT_TRY(volume_.space.find(offset)))
      return add_in_space(place->line, std::move(candidate));
    const auto place = EXHIBIT_TRY(volume_.alone.find(offset));
    if (!place) return {};  // nothing is looked for there
    if (slack_.offset != place->run.offset || in_slack_.empty()) EXHIBIT_TRY(end_slack());
    slack_ = place->run;
    in_slack_.push_back(std::move(candidate));
    return {};
  }

  Result<std::vector<std::vector<LineSlice>>> finish() {
    EXHIBIT_TRY(end_candidates());
    EXHIBIT_TRY(end_slack());
    for (const Json& slack : slacks_) EXHIBIT_TRY(write_slack(slack));
    EXHIBIT_TRY(file_.finish());
    return std::move(tasks_);
  }

 private:
  StretchFile(OutputFile file, Volume& volume) : file_(std::move(file)), volume_(volume) {}

  // A line of candidates belongs to one line of runs.
  Result<void> add_in_space(std::size_t line, Json candidate) {
    if (line != line_of_runs_ || candidates_.size() == candidates_per_line) EXHIBIT_TRY(end_candidates());
    line_of_runs_ = line;
    candidates_.push_back(std::move(candidate));
    return {};
  }
  Result<void> end_candidates() {
    if (candidates_.empty()) return {};
    const LineSlice line = EXHIBIT_TRY(write({{"candidates", std::exchange(candidates_, Json::array())}}));
    const bool goes_on = !tasks_.empty() && tasks_.back().back().lines < lines_per_task &&
                         line_of_runs_ - first_line_of_runs_ < lines_before;
    if (!goes_on) {
      first_line_of_runs_ = line_of_runs_;
      tasks_.push_back({{}, line});
    } else {
      tasks_.back().back().length += line.length;
      ++tasks_.back().back().lines;
    }
    const std::size_t first = first_line_of_runs_ - std::min(first_line_of_runs_, lines_before);
    tasks_.back().front() = volume_.space.lines(first, line_of_runs_ + lines_behind);
    return {};
  }
  Result<void> end_slack() {
    if (in_slack_.empty()) return {};
    slacks_.push_back(
        {{"space", {slack_.offset, slack_.length}}, {"candidates", std::exchange(in_slack_, Json::array())}});
    return {};
  }
  // Behind every line of candidates: the slices of a task must follow each other.
  Result<void> write_slack(const Json& slack) {
    const LineSlice line = EXHIBIT_TRY(write(slack));
    if (slack_lines_++ % slacks_per_task == 0) {
      tasks_.push_back({line});
    } else {
      LineSlice& slice = tasks_.back().back();
      slice.length += line.length;
      ++slice.lines;
    }
    return {};
  }
  Result<LineSlice> write(const Json& line) {
    const std::uint64_t offset = file_.size();
    EXHIBIT_TRY(file_.write(base::canonical(line)));
    return LineSlice{file_.path(), offset, file_.size() - offset, 1};
  }

  OutputFile file_;
  Volume& volume_;
  Json candidates_ = Json::array(), in_slack_ = Json::array(), slacks_ = Json::array();
  // Lines of runs that candidates_ lie in, and those of the task at hand begin in.
  std::size_t line_of_runs_ = 0, first_line_of_runs_ = 0;
  RunFile::Run slack_;  // that in_slack_ lie in
  std::size_t slack_lines_ = 0;
  std::vector<std::vector<LineSlice>> tasks_;
};

CarvePlan::CarvePlan(std::string folder, std::uint64_t memory_bytes)
    : folder_(std::move(folder)), found_(folder_, memory_bytes) {}

std::uint32_t CarvePlan::add_volume(const std::string& name, std::uint64_t offset, std::uint64_t size) {
  const std::string stem = folder_ + "/" + name + ".carve.";
  volumes_.push_back({name, offset, size, RunFile(stem + "runs"), RunFile(stem + "slacks")});
  return static_cast<std::uint32_t>(volumes_.size() - 1);
}

bool CarvePlan::has_overlap() const {
  std::vector<std::array<std::uint64_t, 2>> ranges;
  for (const Volume& volume : volumes_) ranges.push_back({volume.offset, volume.size});
  std::sort(ranges.begin(), ranges.end());
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i][0] - ranges[i - 1][0] < ranges[i - 1][1]) return true;
  }
  return false;
}

Result<void> CarvePlan::add_run(std::uint32_t volume, const RunFile::Run& run, bool alone) {
  Volume& of = volumes_[volume];
  // What a worker says of runs beyond the volume is cut.
  if (run.offset >= of.size) return {};
  const RunFile::Run cut{run.offset, std::min(run.length, of.size - run.offset)};
  return (alone ? of.alone : of.space).add(cut);
}

Result<void> CarvePlan::finish_runs(std::uint32_t volume) {
  EXHIBIT_TRY(volumes_[volume].space.finish());
  return volumes_[volume].alone.finish();
}

void CarvePlan::add_candidates(const Json& at, std::uint64_t begin) {
  for (const Json& candidate : at) {
    const auto offset = base::checked_add(begin, candidate.at(0).get<std::uint64_t>());
    if (!offset) continue;  // no byte of anything lies there
    candidates_.push_back({*offset, candidate.at(1).get<std::uint64_t>(), candidate.at(2).get<std::uint64_t>()});
  }
}

Result<std::vector<CarvePlan::Work>> CarvePlan::end_stretch(const std::string& name) {
  std::sort(candidates_.begin(), candidates_.end());
  // A stretch that was worked on twice, for a worker died on it, tells what it found twice.
  candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
  std::vector<Work> work;
  for (std::uint32_t number = 0; number < volumes_.size() && !candidates_.empty(); ++number) {
    Volume& volume = volumes_[number];
    const auto first = std::lower_bound(candidates_.begin(), candidates_.end(), Candidate{volume.offset, 0, 0});
    if (first == candidates_.end() || first->offset - volume.offset >= volume.size) continue;
    auto file = EXHIBIT_TRY(StretchFile::create(folder_ + "/" + volume.name + ".carve." + name + ".input", volume));
    for (auto at = first; at != candidates_.end() && at->offset - volume.offset < volume.size; ++at) {
      const std::uint64_t offset = at->offset - volume.offset;
      EXHIBIT_TRY(file.add(offset, {offset, at->signature, at->anchor}));
    }
    for (auto& input : EXHIBIT_TRY(file.finish())) work.push_back({number, std::move(input)});
  }
  candidates_.clear();
  return work;
}

Result<void> CarvePlan::add_found(std::uint32_t volume, const Json& message) {
  std::string key;
  put_number(key, message.at("place").at(0).get<std::uint64_t>());
  put_number(key, message.at("place").at(1).get<std::uint64_t>());
  return found_.add(volume, key, base::canonical(message));
}

Result<LineSlice> CarvePlan::found(std::uint32_t volume) {
  auto file = EXHIBIT_TRY(OutputFile::create(folder_ + "/" + volumes_[volume].name + ".found"));
  std::uint64_t lines = 0;
  EXHIBIT_TRY(found_.for_each(volume, [&](std::string_view, std::string_view line) -> Result<void> {
    ++lines;
    return file.write(line);
  }));
  EXHIBIT_TRY(file.finish());
  return LineSlice{file.path(), 0, file.size(), lines};
}

}  // namespace exhibit::engine
