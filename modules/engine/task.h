#pragma once
// A unit of work that one worker does whole. Plans are pure functions of the evidence and the inputs, so a task's id
// says the same in every run.

#include <exhibit/result.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace exhibit::engine {

// Whole lines of a file of records: what a task works on.
struct LineSlice {
  std::string path;
  std::uint64_t offset = 0, length = 0;  // bytes
  std::uint64_t lines = 0;

  // To be read only, not handed to a worker.
  static LineSlice from(const std::string& path, std::uint64_t offset) { return {path, offset, 0, UINT64_MAX}; }
};

std::uint64_t line_count(const std::vector<LineSlice>& slices);

// Calls for each line, without its LF, until it returns an Error.
using LineCall = std::function<Result<void>(std::string_view)>;
Result<void> for_each_line(const std::vector<LineSlice>& slices, const LineCall& call);
Result<void> for_each_line(const std::string& path, const LineCall& call);

struct Task {
  std::string id;        // E1.p1.examine.3; names its output file
  std::string role;      // modules/worker/roles
  std::string evidence;  // E1
  std::string subject;   // whom a problem names when the worker had touched nothing yet
  std::string stage;     // a problem's stage
  base::Json arguments = base::Json::object();
  std::vector<LineSlice> input;

  // What is done when a worker dies on an object. `again`: the task starts anew and passes over it. `after`: what was
  // finished is kept, and the task goes on behind it; each input line answers to one `item` record, in order.
  enum class Resume { again, after } resume = Resume::again;

  // Its records are of members of its input's items (role expand), and of nothing else.
  bool of_members = false;

  int descriptor = -1;  // goes with the task's line (cat); stays the caller's

  // One link of a chain through several tasks: while it runs it says a message `chain`, once, whose `state` the task
  // that `follows` it is waiting for. The message stands in its output behind the records.
  bool chained = false;
  std::string follows;  // id of the task before; empty: the chain begins here
};

// Where a finished task left its lines: records and messages, canonical, in the order given.
struct TaskOutput {
  std::string path;
  std::uint64_t lines = 0;
};

}  // namespace exhibit::engine
