#pragma once
// Which places of which volume are looked at for objects, and in which tasks: a pure function of each volume's runs and
// of what the sweep found in each stretch. What it holds lies in the work folder, but for the stretch at hand.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/external_sorter.h"
#include "engine/journal.h"
#include "engine/task.h"

namespace exhibit::engine {

// Runs of a volume's bytes in the volume's order, many to a line: {"runs":[[offset,length],…]}.
class RunFile {
 public:
  struct Run {
    std::uint64_t offset = 0, length = 0;  // bytes
    bool holds(std::uint64_t place) const { return place >= offset && place - offset < length; }
  };
  struct Place {
    std::size_t line = 0;  // its number
    Run run;
  };

  // The file is made with the first run, and closed behind the last: a medium may have many volumes.
  explicit RunFile(std::string path) : path_(std::move(path)) {}
  // Behind every run before it.
  Result<void> add(const Run& run);
  // After the last; from then on it can be looked into.
  Result<void> finish();

  // Where the run is that holds `place`; nothing where none does. Quick where places come in order.
  Result<std::optional<Place>> find(std::uint64_t place);
  // The lines [first, last], as far as there are so many.
  LineSlice lines(std::size_t first, std::size_t last) const;

 private:
  struct Line {
    std::uint64_t begin = 0;  // of its first run
    LineSlice slice;
  };
  Result<void> end_line();

  std::string path_;
  std::optional<OutputFile> file_;
  std::vector<Run> runs_;  // of the line being written; then, of the line looked into last
  std::size_t read_line_ = SIZE_MAX;
  std::vector<Line> lines_;
};

class CarvePlan {
 public:
  // `folder` takes its files.
  CarvePlan(std::string folder, std::uint64_t memory_bytes);

  // A volume whose bytes may be carved; `name` for its files. Returns its number. In the plan's order.
  std::uint32_t add_volume(const std::string& name, std::uint64_t offset, std::uint64_t size);

  // Whether a byte of the medium lies in several volumes.
  bool has_overlap() const;

  // The next run of a volume in which objects are looked for, in order. `alone`: it is a space of its own (slack); the
  // others are one space together.
  Result<void> add_run(std::uint32_t volume, const RunFile::Run& run, bool alone);
  // After the volume's last run; of every volume before any candidate.
  Result<void> finish_runs(std::uint32_t volume);

  // The message `candidates` of the stretch at hand: each belongs to every volume that holds it. `begin`: what their
  // offsets count from, 0 for the medium.
  void add_candidates(const base::Json& at, std::uint64_t begin);

  // Input of the tasks that the stretch at hand needs, each with its volume; the next stretch is then at hand. `name`
  // is the stretch's.
  struct Work {
    std::uint32_t volume = 0;
    std::vector<LineSlice> input;
  };
  Result<std::vector<Work>> end_stretch(const std::string& name);

  // A message `found` of a volume's task.
  Result<void> add_found(std::uint32_t volume, const base::Json& message);
  // All that was found in a volume, in order of place: a resolve task's input. No lines: nothing was.
  Result<LineSlice> found(std::uint32_t volume);

 private:
  struct Candidate {
    std::uint64_t offset = 0, signature = 0, anchor = 0;  // the offset on the medium
    auto operator<=>(const Candidate&) const = default;
  };
  struct Volume {
    std::string name;
    std::uint64_t offset = 0, size = 0;
    RunFile space, alone;
  };
  class StretchFile;

  std::string folder_;
  std::vector<Volume> volumes_;
  std::vector<Candidate> candidates_;  // of the stretch at hand: a worker tells a bounded number (worker/carving.h)
  base::ExternalSorter found_;
};

}  // namespace exhibit::engine
