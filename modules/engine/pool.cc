#include "engine/pool.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "base/record.h"
#include "base/reporter.h"
#include "engine/pool_state.h"

namespace exhibit::engine {
namespace {

// A worker dies on so many objects of one task before the task is given up.
constexpr std::size_t most_skipped = 256;
constexpr unsigned most_failed_starts = 3;
// Starting reads no evidence: what it takes says how busy the machine is, whatever an object is given.
constexpr std::uint64_t least_start_seconds = 20;
// An object that a worker died on gets a second chance: the first death may have come from outside.
constexpr unsigned most_attempts = 2;
// Memory may run out by all that a task has to know, not by the object at hand: then passing over objects doesn't help.
constexpr unsigned most_memory_deaths = 8;
constexpr int poll_milliseconds = 250;

// "#4096-512" as [offset, length]. A worker wrote it: whatever else it may be is nothing.
std::optional<std::array<std::uint64_t, 2>> stretch_in(std::string_view text) {
  std::array<std::uint64_t, 2> stretch{};
  const char* const end = text.data() + text.size();
  const auto offset = std::from_chars(text.data() + std::min<std::size_t>(1, text.size()), end, stretch[0]);
  if (offset.ec != std::errc() || offset.ptr == end || *offset.ptr != '-') return std::nullopt;
  const auto length = std::from_chars(offset.ptr + 1, end, stretch[1]);
  return length.ec == std::errc() ? std::optional(stretch) : std::nullopt;
}

// The problem that an object costs. What was touched need not be a record's id: "E1/p1#4096-512" is a stretch of a
// volume, "E1/p1:/blocks" a part of it that has no id of its own.
base::Json problem_about(const std::string& object, const Task& task, const Ending& ending) {
  Problem problem{object, task.stage, ending.cause, {}, ending.detail};
  if (object.ends_with(base::decoding_mark)) {
    problem.where.resize(object.size() - base::decoding_mark.size());
    problem.stage = "decode";
    return base::to_record(problem);
  }
  if (!object.starts_with(task.subject) || object.size() == task.subject.size()) return base::to_record(problem);
  const char mark = object[task.subject.size()];
  const std::string rest = object.substr(task.subject.size());
  // A container, where what it holds is looked for.
  if (task.of_members && object.ends_with("!/")) problem.where = object.substr(0, object.size() - 2);
  if (const auto stretch = stretch_in(rest); mark == '#' && stretch) {
    problem.where = task.subject;
    problem.extent = *stretch;
  } else if (mark == ':') {
    problem.where = task.subject;
    problem.detail += " (at " + rest.substr(1) + ")";
    // Whoever asks for the maps reads them to the same end.
    if (rest == ":/blocks") problem.stage = "read";
  }
  return base::to_record(problem);
}

}  // namespace

Pool::Pool(PoolOptions options, const std::vector<Evidence>& evidence, Journal& journal, Monitor& monitor)
    : options_(std::move(options)), evidence_(evidence), journal_(journal), monitor_(monitor) {}

Pool::~Pool() = default;

void Pool::stop_workers() { workers_.clear(); }

void Pool::submit(Task task) {
  if (const TaskOutput* output = journal_.find(task)) {
    finished_.emplace_back(std::move(task), *output);
    return;
  }
  auto job = std::make_unique<Job>();
  job->task = std::move(task);
  waiting_.push_back(std::move(job));
}

Result<void> Pool::run(const Finished& finished) {
  while (true) {
    EXHIBIT_TRY(complete_finished(finished));
    const bool busy =
        std::any_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->job != nullptr; });
    if (waiting_.empty() && !busy && finished_.empty() && ended_.empty()) return {};
    if (options_.stop != nullptr && options_.stop->load()) {
      while (!ended_.empty()) EXHIBIT_TRY(settle_one());
      return Error{ErrorCode::interrupted, "stopped before the end", {}, {}};
    }
    EXHIBIT_TRY(start_workers());
    for (auto& worker : workers_) {
      if (worker->state == Worker::State::idle && !waiting_.empty()) EXHIBIT_TRY(hand_out(*worker));
    }
    EXHIBIT_TRY(poll_once(ended_.empty() ? poll_milliseconds : 0));
    // Syncing to disk takes its time: the workers have their next task by now.
    if (!ended_.empty()) EXHIBIT_TRY(settle_one());
    monitor_.tick();
  }
}

Result<void> Pool::complete_finished(const Finished& finished) {
  while (!finished_.empty()) {
    auto [task, output] = std::move(finished_.front());
    finished_.pop_front();
    EXHIBIT_TRY(finished(task, output));
  }
  return {};
}

Result<void> Pool::start_workers() {
  const auto working =
      std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->job != nullptr; });
  const std::size_t wanted = std::min<std::size_t>(options_.jobs, static_cast<std::size_t>(working) + waiting_.size());
  while (workers_.size() < wanted) {
    auto worker = std::make_unique<Worker>();
    worker->process = EXHIBIT_TRY(WorkerProcess::start(options_.worker));
    worker->process->send_load(options_.worker);
    worker->begin_answer();
    worker->deadline =
        Clock::now() + std::chrono::seconds(std::max(options_.worker.object_seconds, least_start_seconds));
    workers_.push_back(std::move(worker));
  }
  return {};
}

// The next job, in order; but links of a chain have one worker at least, and no more than half of them while there is
// other work: they wait for each other.
std::unique_ptr<Pool::Job> Pool::take_waiting() {
  const auto chained = static_cast<std::size_t>(std::count_if(workers_.begin(), workers_.end(), [](const auto& worker) {
    return worker->job != nullptr && worker->job->task.chained;
  }));
  const bool enough = chained >= std::max<std::size_t>(1, options_.jobs / 2);
  auto next = waiting_.begin();
  if (enough || chained == 0) {
    next = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& job) { return job->task.chained != enough; });
    if (next == waiting_.end()) next = waiting_.begin();
  }
  auto job = std::move(*next);
  waiting_.erase(next);
  return job;
}

Result<void> Pool::hand_out(Worker& worker) {
  worker.job = take_waiting();
  Job& job = *worker.job;
  if (!job.output) {
    job.output = EXHIBIT_TRY(OutputFile::create(journal_.path_of(job.task)));
    if (job.task.resume == Task::Resume::after) {
      EXHIBIT_TRY(for_each_line(job.task.input, [&](std::string_view line) -> Result<void> {
        EXHIBIT_TRY(line_.read_any(line));
        job.expected.push_back(line_.string("id"));
        return {};
      }));
    }
    if (job.task.of_members) {
      EXHIBIT_TRY(for_each_line(job.task.input, [&](std::string_view line) -> Result<void> {
        EXHIBIT_TRY(line_.read_any(line));
        job.containers.insert(line_.string("id"));
        return {};
      }));
    }
  }
  worker.begin_answer();
  worker.deadline = Clock::now() + std::chrono::seconds(options_.worker.object_seconds);
  const auto evidence = std::find_if(evidence_.begin(), evidence_.end(),
                                     [&](const Evidence& candidate) { return candidate.id == job.task.evidence; });
  if (evidence != evidence_.end() && !worker.evidence.contains(evidence->id)) {
    worker.process->send_evidence(*evidence);
    worker.state = Worker::State::opening;
  } else {
    start_task(worker);
  }
  return {};
}

void Pool::start_task(Worker& worker) {
  Job& job = *worker.job;
  worker.begin_answer();
  worker.size_at_touch = job.output->size();
  worker.lines_at_touch = job.output->lines();
  worker.items_at_touch = job.items_done;
  base::Json arguments = job.task.arguments;
  arguments["evidence"] = job.task.evidence;
  job.link_sent = false;
  if (job.task.chained && !job.link) arguments["chain"]["follows"] = !job.task.follows.empty();
  if (job.link) arguments.erase("chain");
  if (!job.skip.empty()) arguments["skip"] = job.skip;
  base::Json message = {
      {"message", "task"}, {"role", job.task.role}, {"arguments", arguments}, {"records", line_count(job.task.input)}};
  if (job.task.resume == Task::Resume::after) message["from"] = job.items_done;
  message["careful"] = job.careful;
  worker.process->send(base::canonical(message) + "\n",
                       job.task.descriptor >= 0 ? std::vector<int>{job.task.descriptor} : std::vector<int>());
  for (const LineSlice& slice : job.task.input) worker.process->send(slice);
  worker.state = Worker::State::busy;
  if (!job.careful) {
    worker.deadline = Clock::now() + std::chrono::seconds(std::min(options_.worker.object_seconds, hasty_seconds));
  }
  send_link(worker);
}

bool Pool::is_owed_a_link(const Worker& worker) const {
  if (worker.state != Worker::State::busy) return false;
  const Job& job = *worker.job;
  return job.task.chained && !job.task.follows.empty() && !job.link && !job.link_sent;
}

// What the task before came to, as soon as it is known.
void Pool::send_link(Worker& worker) {
  if (!is_owed_a_link(worker)) return;
  const auto before = links_.find(worker.job->task.follows);
  if (before == links_.end()) return;
  base::Json message = {{"message", "chain"}};
  if (before->second.contains("state")) message["state"] = before->second.at("state");
  worker.process->send(base::canonical(message) + "\n");
  worker.job->link_sent = true;
  // Its time begins anew: until now it may have waited for another.
  worker.deadline = std::max(worker.deadline, Clock::now() + std::chrono::seconds(options_.worker.object_seconds));
}

void Pool::know_link(const Task& task, const base::Json& link) {
  links_.erase(task.follows);  // nobody else was waiting for it
  base::Json& known = links_[task.id];
  known = base::Json::object();
  if (link.is_object() && link.contains("state")) known["state"] = link.at("state");
  for (auto& worker : workers_) send_link(*worker);
}

Result<void> Pool::poll_once(int milliseconds) {
  std::vector<pollfd> fds;
  for (const auto& worker : workers_) {
    const short events = static_cast<short>(POLLIN | (worker->process->wants_to_send() ? POLLOUT : 0));
    fds.push_back({worker->process->socket(), events, 0});
    fds.push_back({worker->process->errors(), POLLIN, 0});
  }
  if (poll(fds.data(), fds.size(), milliseconds) < 0 && errno != EINTR) {
    return Error{ErrorCode::internal, "poll failed", {}, {}};
  }
  const auto now = Clock::now();
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    Worker& worker = *workers_[i];
    if ((fds[2 * i + 1].revents & (POLLIN | POLLHUP)) != 0) worker.process->on_errors();
    if ((fds[2 * i].revents & POLLOUT) != 0 && !worker.process->on_writable().ok()) worker.alive = false;
    if ((fds[2 * i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) EXHIBIT_TRY(take_lines(worker));
    // Who waits for another's link is not late.
    if (worker.alive && worker.state != Worker::State::idle && !is_owed_a_link(worker) && now > worker.deadline) {
      worker.alive = false;
      worker.timed_out = true;
    }
  }
  for (std::size_t i = 0; i < workers_.size();) {
    if (workers_[i]->alive) {
      ++i;
      continue;
    }
    auto dead = std::move(workers_[i]);
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(i));
    EXHIBIT_TRY(worker_ended(*dead, dead->timed_out));
  }
  return {};
}

Result<void> Pool::worker_ended(Worker& worker, bool timed_out) {
  Ending ending;
  if (worker.lie) kill(worker.process->pid(), SIGKILL);
  ending = worker.process->end(timed_out);
  if (worker.lie) ending = {"crash", "the worker's answer was refused: " + *worker.lie};
  monitor_.log({{"worker_ended", ending.detail},
                {"touched", worker.touched.value_or("")},
                {"stderr", base::base64_encode(worker.process->error_text())}});
  if (worker.state == Worker::State::starting) {
    if (++failed_starts_ >= most_failed_starts) {
      return Error{
          ErrorCode::internal, options_.worker.program + ": a worker can't be started (" + ending.detail + ")", {}, {}};
    }
    return {};
  }
  if (worker.job == nullptr) return {};
  return failed(worker, ending);
}

// Back to the last point from which the job can go on.
Result<void> Pool::rewind(Job& job, const Worker& worker) {
  if (job.task.resume == Task::Resume::after) {
    if (worker.state != Worker::State::busy) return {};
    EXHIBIT_TRY(job.output->truncate(worker.size_at_touch, worker.lines_at_touch));
    job.items_done = worker.items_at_touch;
  } else {
    EXHIBIT_TRY(job.output->truncate(0, 0));
    job.items_done = 0;
  }
  return {};
}

// Passes `count` input lines on as they came, from the first that has no answer.
Result<void> Pool::pass_on(Job& job, std::uint64_t count) {
  std::uint64_t index = 0;
  const std::uint64_t first = job.items_done;
  return for_each_line(job.task.input, [&](std::string_view line) -> Result<void> {
    const std::uint64_t at = index++;
    if (at < first || at - first >= count) return {};
    ++job.items_done;
    return job.output->write(line);
  });
}

Result<void> Pool::failed(Worker& worker, const Ending& ending) {
  std::unique_ptr<Job> job = std::move(worker.job);
  const bool after = job->task.resume == Task::Resume::after;
  // What went through a descriptor can't be taken back, and must not go twice.
  const bool repeatable = job->task.descriptor < 0;
  if (!job->careful && repeatable) {
    // What it died on isn't known to the object yet.
    job->careful = true;
    EXHIBIT_TRY(rewind(*job, worker));
    waiting_.push_front(std::move(job));
    return {};
  }
  if (ending.cause == name_of(ErrorCode::memory_limit)) ++job->memory_deaths;
  const bool is_too_large = !after && job->memory_deaths >= most_memory_deaths;
  const std::string suspect = worker.touched.value_or(job->task.subject);
  // A hang is the object's own doing: it would only cost its time twice.
  const bool second_chance = repeatable && !is_too_large && ending.cause != name_of(ErrorCode::timeout) &&
                             ++job->deaths[suspect] < most_attempts;
  if (second_chance) {
    EXHIBIT_TRY(rewind(*job, worker));
    waiting_.push_front(std::move(job));
    return {};
  }
  const base::Json problem = problem_about(suspect, job->task, ending);
  // The item itself is examined again, without what killed the worker.
  const bool is_extra = suspect.ends_with(base::decoding_mark);
  // What was to be passed over and killed a worker all the same would do so for ever; so would what is no single item.
  const bool is_next_item =
      !after || is_extra ||
      (worker.items_at_touch < job->expected.size() && job->expected[worker.items_at_touch] == suspect);
  const bool can_pass_over = worker.touched && worker.state == Worker::State::busy && job->skip.size() < most_skipped &&
                             !job->skip.contains(suspect) && is_next_item;
  if ((!after || is_extra) && can_pass_over && repeatable && !is_too_large) {
    job->problems.push_back(problem);
    job->skip.insert(suspect);
    EXHIBIT_TRY(rewind(*job, worker));
    waiting_.push_front(std::move(job));
    return {};
  }
  if (after) {
    EXHIBIT_TRY(rewind(*job, worker));
    EXHIBIT_TRY(pass_on(*job, can_pass_over ? 1 : UINT64_MAX));
  }
  EXHIBIT_TRY(job->output->write(base::canonical(problem)));
  // None of them is known to be told to its end.
  for (const std::string& container : job->containers) {
    const Problem lost{container, job->task.stage, ending.cause, {}, "not expanded to its end: too many workers died"};
    EXHIBIT_TRY(job->output->write(base::canonical(base::to_record(lost))));
  }
  if (!after && job->containers.empty() && suspect != job->task.subject) {
    const char* detail = "given up at what the worker died on; what would have come behind it is not told";
    EXHIBIT_TRY(job->output->write(
        base::canonical(base::to_record(Problem{job->task.subject, job->task.stage, ending.cause, {}, detail}))));
  }
  if (!after || job->items_done == line_count(job->task.input)) {
    finish(std::move(job));
  } else {
    waiting_.push_front(std::move(job));
  }
  return {};
}

void Pool::finish(std::unique_ptr<Job> job) {
  // Whoever follows it is to know that nothing comes.
  if (job->task.chained && !job->link) know_link(job->task, base::Json());
  ended_.push_back(std::move(job));
}

// Its output is synced and journalled, and only then it counts as done.
Result<void> Pool::settle_one() {
  const std::unique_ptr<Job> job = std::move(ended_.front());
  ended_.pop_front();
  if (job->link) EXHIBIT_TRY(job->output->write(base::canonical(*job->link)));
  for (const base::Json& problem : job->problems) EXHIBIT_TRY(job->output->write(base::canonical(problem)));
  const TaskOutput output{job->output->path(), job->output->lines()};
  std::string sha256;
  if (journal_.durable()) {
    sha256 = EXHIBIT_TRY(job->output->close());
  } else {
    EXHIBIT_TRY(job->output->finish());
  }
  EXHIBIT_TRY(journal_.add(job->task, output, sha256));
  finished_.emplace_back(std::move(job->task), output);
  return {};
}

}  // namespace exhibit::engine
