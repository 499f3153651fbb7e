#include "engine/pool.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/record.h"
#include "engine/message.h"

namespace exhibit::engine {
namespace {

using Clock = std::chrono::steady_clock;

// An object is given object_seconds and this much for its size besides: slower than any scan that makes progress.
constexpr std::uint64_t slowest_bytes_per_second = std::uint64_t{1} << 20;
// A worker dies on so many objects of one task before the task is given up.
constexpr std::size_t most_skipped = 256;
constexpr unsigned most_failed_starts = 3;
// An object that a worker died on gets a second chance: the first death may have come from outside.
constexpr unsigned most_attempts = 2;
constexpr int poll_milliseconds = 250;
// Some digests' states, far below what may harm the coordinator.
constexpr std::size_t longest_link_state = std::size_t{16} << 10;

// The problem that an object costs. What was touched need not be a record's id: "E1/p1#4096-512" is a stretch of a
// volume, "E1/p1:/blocks" a part of it that has no id of its own.
base::Json problem_about(const std::string& object, const Task& task, const Ending& ending) {
  Problem problem{object, task.stage, ending.cause, {}, ending.detail};
  if (!object.starts_with(task.subject) || object.size() == task.subject.size()) return base::to_record(problem);
  const char mark = object[task.subject.size()];
  const std::string rest = object.substr(task.subject.size());
  unsigned long long offset = 0, length = 0;
  if (mark == '#' && std::sscanf(rest.c_str(), "#%llu-%llu", &offset, &length) == 2) {
    problem.where = task.subject;
    problem.extent = {offset, length};
  } else if (mark == ':') {
    problem.where = task.subject;
    problem.detail += " (at " + rest.substr(1) + ")";
  }
  return base::to_record(problem);
}

bool in_scope(const base::Json& record, const std::string& subject) {
  for (const char* key : {"id", "item", "where", "volume"}) {
    const auto found = record.find(key);
    // A match's `where` is a list of places.
    if (found != record.end() && found->is_string() && !in_scope(found->get<std::string>(), subject)) return false;
  }
  return true;
}

}  // namespace

struct Pool::Job {
  Task task;
  std::optional<OutputFile> output;
  std::set<std::string> skip;              // objects that are passed over
  std::map<std::string, unsigned> deaths;  // by suspect
  std::vector<base::Json> problems;        // told at the end of the output (Resume::again)
  std::vector<std::string> expected;       // Resume::after: the input's ids, in order
  std::uint64_t items_done = 0;            // item records in the output; Resume::after: input lines answered
  std::optional<base::Json> link;          // its message `chain`, whichever worker gave it
  bool link_sent = false;                  // the worker that has it was told the link before it
};

struct Pool::Worker {
  enum class State { starting, opening, idle, busy };
  std::unique_ptr<WorkerProcess> process;
  State state = State::starting;
  std::set<std::string> evidence;  // open in it
  std::unique_ptr<Job> job;
  std::optional<std::string> touched;
  std::uint64_t size_at_touch = 0, lines_at_touch = 0, items_at_touch = 0;
  std::unique_ptr<hash::Hasher> digest;  // over the lines of the current answer
  std::uint64_t lines = 0;
  std::optional<base::Json> failure;  // what a `failed` message said
  bool timed_out = false;
  std::optional<std::string> lie;  // why its answer was refused
  Clock::time_point deadline;
  bool alive = true;

  void begin_answer() {
    auto hasher = hash::create("sha256");
    EXHIBIT_CHECK(hasher.ok());
    digest = hasher.take();
    lines = 0;
    failure.reset();
    touched.reset();
  }
};

Pool::Pool(PoolOptions options, const std::vector<Evidence>& evidence, Journal& journal, Monitor& monitor)
    : options_(std::move(options)), evidence_(evidence), journal_(journal), monitor_(monitor) {}

Pool::~Pool() = default;

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
    if (waiting_.empty() && !busy && finished_.empty()) return {};
    if (options_.stop != nullptr && options_.stop->load()) {
      return Error{ErrorCode::interrupted, "stopped before the end", {}, {}};
    }
    EXHIBIT_TRY(start_workers());
    for (auto& worker : workers_) {
      if (worker->state == Worker::State::idle && !waiting_.empty()) EXHIBIT_TRY(hand_out(*worker));
    }
    EXHIBIT_TRY(poll_once());
    monitor_.tick();
  }
}

Result<void> Pool::complete_finished(const Finished& finished) {
  while (!finished_.empty()) {
    auto [task, output] = std::move(finished_.front());
    finished_.pop_front();
    monitor_.finished(task);
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
    worker->process->send(
        base::canonical({{"message", "load"},
                         {"rules", options_.worker.rules},
                         {"memory", options_.worker.memory},
                         {"sandbox", options_.worker.sandbox_required ? "required" : "best-effort"}}) +
        "\n");
    worker->begin_answer();
    worker->deadline = Clock::now() + std::chrono::seconds(options_.worker.object_seconds);
    workers_.push_back(std::move(worker));
  }
  return {};
}

void Pool::open_evidence(Worker& worker, const Evidence& evidence) {
  // One descriptor stays free: a task may bring its own.
  constexpr std::size_t batch = base::descriptors_per_message - 1;
  for (std::size_t first = 0; first < evidence.segments.size(); first += batch) {
    const std::size_t count = std::min(batch, evidence.segments.size() - first);
    base::Json message = {{"message", "evidence"}, {"id", evidence.id}, {"segments", base::Json::array()}};
    std::vector<int> descriptors;
    for (std::size_t i = first; i < first + count; ++i) {
      message["segments"].push_back({{"name", evidence.segments[i].name}, {"size", evidence.segments[i].size}});
      descriptors.push_back(evidence.segments[i].fd.get());
    }
    if (!evidence.as.empty()) message["as"] = evidence.as;
    if (first + count < evidence.segments.size()) message["more"] = true;
    worker.process->send(base::canonical(message) + "\n", std::move(descriptors));
  }
  worker.state = Worker::State::opening;
}

Result<void> Pool::hand_out(Worker& worker) {
  worker.job = std::move(waiting_.front());
  waiting_.pop_front();
  Job& job = *worker.job;
  if (!job.output) {
    job.output = EXHIBIT_TRY(OutputFile::create(journal_.path_of(job.task)));
    if (job.task.resume == Task::Resume::after) {
      EXHIBIT_TRY(for_each_line(job.task.input, [&](std::string_view line) -> Result<void> {
        job.expected.push_back(EXHIBIT_TRY(base::parse_json(line)).value("id", ""));
        return {};
      }));
    }
  }
  worker.begin_answer();
  worker.deadline = Clock::now() + std::chrono::seconds(options_.worker.object_seconds);
  const auto evidence = std::find_if(evidence_.begin(), evidence_.end(),
                                     [&](const Evidence& candidate) { return candidate.id == job.task.evidence; });
  if (evidence != evidence_.end() && !worker.evidence.contains(evidence->id)) {
    open_evidence(worker, *evidence);
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
  worker.process->send(base::canonical(message) + "\n",
                       job.task.descriptor >= 0 ? std::vector<int>{job.task.descriptor} : std::vector<int>());
  for (const LineSlice& slice : job.task.input) worker.process->send(slice);
  worker.state = Worker::State::busy;
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

// The worker's own, once for each task; kept beside its records, which may have to be taken back.
Result<void> Pool::take_link(Worker& worker, const base::Json& message) {
  Job& job = *worker.job;
  const auto state = message.find("state");
  const bool bounded = state == message.end() ||
                       (state->is_string() && state->get_ref<const std::string&>().size() <= longest_link_state);
  if (!job.task.chained || job.link || !bounded) {
    worker.lie = "a link of a chain that it has no part in";
    return {};
  }
  job.link = message;
  know_link(job.task, message);
  return {};
}

Result<void> Pool::poll_once() {
  std::vector<pollfd> fds;
  for (const auto& worker : workers_) {
    const short events = static_cast<short>(POLLIN | (worker->process->wants_to_send() ? POLLOUT : 0));
    fds.push_back({worker->process->socket(), events, 0});
    fds.push_back({worker->process->errors(), POLLIN, 0});
  }
  if (poll(fds.data(), fds.size(), poll_milliseconds) < 0 && errno != EINTR) {
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

Result<void> Pool::take_lines(Worker& worker) {
  const auto filled = worker.process->reader().fill(worker.process->socket());
  if (filled == base::LineReader::Fill::end || filled == base::LineReader::Fill::failed) worker.alive = false;
  // A worker has no business sending descriptors.
  worker.process->reader().descriptors().clear();
  while (!worker.lie) {
    auto line = worker.process->reader().next();
    if (!line) break;
    EXHIBIT_TRY(take_line(worker, *line));
  }
  if (worker.process->reader().overflowed()) worker.lie = "a line longer than a record may be";
  if (worker.lie) worker.alive = false;
  return {};
}

Result<void> Pool::take_line(Worker& worker, const std::string& line) {
  auto value = base::parse_json(line);
  if (!value.ok() || !value->is_object()) {
    worker.lie = "a line that is no record";
    return {};
  }
  return value->contains("message") ? take_message(worker, *value, line) : take_record(worker, *value, line);
}

Result<void> Pool::take_message(Worker& worker, const base::Json& message, const std::string& line) {
  const auto& kind_value = message.at("message");
  const std::string kind = kind_value.is_string() ? kind_value.get<std::string>() : "";
  if (kind == "touch") {
    const auto object = message.find("object");
    const auto bytes = message.find("bytes");
    if (object == message.end() || !object->is_string() || bytes == message.end() || !bytes->is_number_unsigned()) {
      worker.lie = "a touch that names nothing";
      return {};
    }
    const std::uint64_t seconds =
        options_.worker.object_seconds + bytes->get<std::uint64_t>() / slowest_bytes_per_second;
    worker.touched = object->get<std::string>();
    worker.deadline = Clock::now() + std::chrono::seconds(seconds);
    if (worker.state == Worker::State::busy) {
      worker.size_at_touch = worker.job->output->size();
      worker.lines_at_touch = worker.job->output->lines();
      worker.items_at_touch = worker.job->items_done;
      monitor_.touched(worker.job->task, *worker.touched, bytes->get<std::uint64_t>());
    }
    return {};
  }
  if (kind == "done") return take_done(worker, message);
  const std::string subject = worker.job ? worker.job->task.subject : std::string();
  if (const auto wrong = wrong_with(message, subject)) {
    worker.lie = *wrong;
    return {};
  }
  ++worker.lines;
  worker.digest->update(std::as_bytes(std::span(line)));
  worker.digest->update(std::as_bytes(std::span("\n", 1)));
  if (kind == "failed") {
    worker.failure = message;
  } else if (kind == "sealed" && worker.state == Worker::State::starting) {
    if (!sealed_) {
      sealed_ = message;
      monitor_.log(message);
    } else if (sealed_->at("rules") != message.value("rules", base::Json())) {
      return Error{ErrorCode::invalid_argument, "a rule file was changed while the run went on; start again", {}, {}};
    }
  } else if (worker.state == Worker::State::busy && kind == "chain") {
    return take_link(worker, message);
  } else if (worker.state == Worker::State::busy) {
    return worker.job->output->write(base::canonical(message) + "\n");
  } else {
    worker.lie = "a message out of turn";
  }
  return {};
}

Result<void> Pool::take_record(Worker& worker, const base::Json& record, const std::string& line) {
  if (worker.state != Worker::State::busy) {
    worker.lie = "a record out of turn";
    return {};
  }
  if (auto checked = base::check_record(record); !checked.ok()) {
    worker.lie = checked.error().message;
    return {};
  }
  Job& job = *worker.job;
  const bool out_of_order = record.at("record") == "item" && job.task.resume == Task::Resume::after &&
                            (job.items_done >= job.expected.size() || record.at("id") != job.expected[job.items_done]);
  if (out_of_order || !in_scope(record, job.task.subject)) {
    worker.lie = "a record of something that it wasn't given";
    return {};
  }
  ++worker.lines;
  worker.digest->update(std::as_bytes(std::span(line)));
  worker.digest->update(std::as_bytes(std::span("\n", 1)));
  if (record.at("record") == "item") ++job.items_done;
  monitor_.recorded(record);
  return worker.job->output->write(base::canonical(record) + "\n");
}

Result<void> Pool::take_done(Worker& worker, const base::Json& message) {
  const bool whole = message.value("lines", base::Json()) == worker.lines &&
                     message.value("sha256", base::Json()) == base::to_hex(worker.digest->finish());
  if (!whole) {
    worker.lie = "a count or digest of its lines that doesn't agree with them";
    return {};
  }
  switch (worker.state) {
    case Worker::State::starting:
      if (worker.failure) {
        return Error{ErrorCode::invalid_argument, worker.failure->value("detail", "a worker can't start"), {}, {}};
      }
      if (!sealed_) {
        worker.lie = "no word of its seal";
        return {};
      }
      failed_starts_ = 0;
      worker.state = Worker::State::idle;
      return {};
    case Worker::State::opening:
      if (worker.failure) {
        // That the evidence can't be opened is the task's result.
        EXHIBIT_TRY(worker.job->output->write(base::canonical(*worker.failure) + "\n"));
        break;
      }
      worker.evidence.insert(worker.job->task.evidence);
      start_task(worker);
      return {};
    case Worker::State::busy: {
      const Task& task = worker.job->task;
      if (!worker.failure && task.resume == Task::Resume::after && worker.job->items_done != line_count(task.input)) {
        worker.lie = "fewer items than it was given";
        return {};
      }
      if (worker.failure) EXHIBIT_TRY(worker.job->output->write(base::canonical(*worker.failure) + "\n"));
      break;
    }
    case Worker::State::idle:
      worker.lie = "a done out of turn";
      return {};
  }
  worker.state = Worker::State::idle;
  // A task that stopped early has still to give back every item that it was given.
  Job& job = *worker.job;
  if (worker.failure && job.task.resume == Task::Resume::after) EXHIBIT_TRY(pass_on(job, UINT64_MAX));
  return finish(std::move(worker.job));
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
  return failed(worker, std::move(ending));
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
    return job.output->write(std::string(line) + "\n");
  });
}

Result<void> Pool::failed(Worker& worker, Ending ending) {
  std::unique_ptr<Job> job = std::move(worker.job);
  const bool after = job->task.resume == Task::Resume::after;
  const std::string suspect = worker.touched.value_or(job->task.subject);
  // A hang is the object's own doing: it would only cost its time twice.
  const bool second_chance = ending.cause != name_of(ErrorCode::timeout) && ++job->deaths[suspect] < most_attempts;
  if (second_chance) {
    EXHIBIT_TRY(rewind(*job, worker));
    waiting_.push_front(std::move(job));
    return {};
  }
  const base::Json problem = problem_about(suspect, job->task, ending);
  monitor_.recorded(problem);
  // What was to be passed over and killed a worker all the same would do so for ever; so would what is no single item.
  const bool is_next_item =
      !after || (worker.items_at_touch < job->expected.size() && job->expected[worker.items_at_touch] == suspect);
  const bool can_pass_over = worker.touched && worker.state == Worker::State::busy && job->skip.size() < most_skipped &&
                             !job->skip.contains(suspect) && is_next_item;
  if (!after && can_pass_over) {
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
  EXHIBIT_TRY(job->output->write(base::canonical(problem) + "\n"));
  if (!after || job->items_done == line_count(job->task.input)) return finish(std::move(job));
  waiting_.push_front(std::move(job));
  return {};
}

Result<void> Pool::finish(std::unique_ptr<Job> job) {
  if (job->link) EXHIBIT_TRY(job->output->write(base::canonical(*job->link) + "\n"));
  // Whoever follows it is to know that nothing comes.
  if (job->task.chained && !job->link) know_link(job->task, base::Json());
  for (const base::Json& problem : job->problems) EXHIBIT_TRY(job->output->write(base::canonical(problem) + "\n"));
  const TaskOutput output{job->output->path(), job->output->lines()};
  const std::string sha256 = EXHIBIT_TRY(job->output->close());
  EXHIBIT_TRY(journal_.add(job->task, output, sha256));
  finished_.emplace_back(std::move(job->task), output);
  return {};
}

}  // namespace exhibit::engine
