#pragma once
// What the pool keeps of each task on its way and of each worker; pool.cc runs them, pool_answers.cc takes down what
// comes back.

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/answer.h"
#include "engine/pool.h"

namespace exhibit::engine {

using Clock = std::chrono::steady_clock;

// How long a task that isn't done with care may be silent before it is.
constexpr std::uint64_t hasty_seconds = 5;

struct Pool::Job {
  Task task;
  std::optional<OutputFile> output;
  std::set<std::string> skip;              // objects that are passed over
  std::map<std::string, unsigned> deaths;  // by suspect
  unsigned memory_deaths = 0;              // workers that ended for want of memory
  std::vector<base::Json> problems;        // told at the end of the output (Resume::again)
  std::vector<std::string> expected;       // Resume::after: the input's ids, in order
  std::set<std::string> containers;        // Task::of_members: the input's ids
  std::uint64_t items_done = 0;            // item records in the output; Resume::after: input lines answered
  std::optional<base::Json> link;          // its message `chain`, whichever worker gave it
  bool careful = false;                    // a worker died on it: from now on each touch is told before its object
  bool link_sent = false;                  // the worker that has it was told the link before it

  // Whether `id` is that of a member of the input's items, or of a member of one.
  bool holds(std::string_view id) const {
    for (auto end = id.find("!/"); end != std::string_view::npos; end = id.find("!/", end + 1)) {
      if (containers.contains(std::string(id.substr(0, end)))) return true;
    }
    return false;
  }
};

struct Pool::Worker {
  enum class State { starting, opening, idle, busy };
  std::unique_ptr<WorkerProcess> process;
  State state = State::starting;
  std::set<std::string> evidence;  // open in it
  std::unique_ptr<Job> job;
  std::optional<std::string> touched;
  std::uint64_t size_at_touch = 0, lines_at_touch = 0, items_at_touch = 0;
  Answer answer;  // the current one
  bool timed_out = false;
  std::optional<std::string> lie;  // why its answer was refused
  Clock::time_point deadline;
  bool alive = true;

  void begin_answer() {
    answer.begin();
    touched.reset();
  }
};

}  // namespace exhibit::engine
