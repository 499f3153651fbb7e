// What workers say, taken down. Each line is hostile until it is checked: its form, its turn, and whom it speaks of.

#include <algorithm>

#include "base/record.h"
#include "engine/message.h"
#include "engine/pool_state.h"

namespace exhibit::engine {
namespace {

// An object is given object_seconds and this much for its size besides: slower than any scan that makes progress.
constexpr std::uint64_t slowest_bytes_per_second = std::uint64_t{1} << 20;
// A worker that was taken over can't give itself more time than this much content takes.
constexpr std::uint64_t most_bytes = std::uint64_t{256} << 30;
// What a small object may take before its task is done again with care; larger ones are always told (worker/output.cc).
constexpr std::uint64_t large_object = std::uint64_t{1} << 20;
// Some digests' states, far below what may harm the coordinator.
constexpr std::size_t longest_link_state = std::size_t{16} << 10;

// What is said of an item stands behind its record: `last` is the one that was answered last.
bool is_about(const base::RecordLine& record, bool is_match, const std::string& last) {
  std::string scratch;
  const base::TextValue* owner = record.find(is_match ? "item" : "where");
  return owner != nullptr && owner->is_string() && owner->string(scratch) == last;
}

bool in_scope(const base::RecordLine& record, const std::string& subject) {
  std::string scratch;
  for (const char* key : {"id", "item", "where", "volume"}) {
    const base::TextValue* found = record.find(key);
    // A match's `where` is a list of places.
    if (found != nullptr && found->is_string() && !lies_in(found->string(scratch), subject)) return false;
  }
  return true;
}

}  // namespace

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

Result<void> Pool::take_line(Worker& worker, std::string_view line) {
  if (!line_.read_any(line).ok()) {
    worker.lie = "a line that is no record";
    return {};
  }
  const base::TextValue* message = line_.find("message");
  if (message == nullptr) return take_record(worker, line_, line);
  if (message->canonical() != "\"touch\"") return take_message(worker, EXHIBIT_TRY(base::parse_json(line)), line);
  take_touch(worker, line_);
  return {};
}

void Pool::take_touch(Worker& worker, const base::RecordLine& touch) {
  const base::TextValue *object = touch.find("object"), *size = touch.find("bytes");
  if (object == nullptr || !object->is_string() || size == nullptr || !size->is_size()) {
    worker.lie = "a touch that names nothing";
    return;
  }
  const std::uint64_t bytes = size->size();
  // Without care the object at hand may be another than the one told: who is silent is soon asked again, with care.
  const bool careful = worker.job == nullptr || worker.job->careful || bytes >= large_object;
  const std::uint64_t base =
      careful ? options_.worker.object_seconds : std::min(options_.worker.object_seconds, hasty_seconds);
  const std::uint64_t seconds = base + std::min(bytes, most_bytes) / slowest_bytes_per_second;
  worker.touched = object->string();
  worker.deadline = Clock::now() + std::chrono::seconds(seconds);
  if (worker.state == Worker::State::busy) {
    worker.size_at_touch = worker.job->output->size();
    worker.lines_at_touch = worker.job->output->lines();
    worker.items_at_touch = worker.job->items_done;
  }
}

Result<void> Pool::take_message(Worker& worker, const base::Json& message, std::string_view line) {
  const auto& kind_value = message.at("message");
  const std::string kind = kind_value.is_string() ? kind_value.get<std::string>() : "";
  if (kind == "done") return take_done(worker, message);
  const std::string subject = worker.job ? worker.job->task.subject : std::string();
  if (const auto wrong = wrong_with(message, subject)) {
    worker.lie = *wrong;
    return {};
  }
  worker.answer.count(line);
  if (kind == "failed") {
    worker.answer.failure = message;
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
    return worker.job->output->write(base::canonical(message));
  } else {
    worker.lie = "a message out of turn";
  }
  return {};
}

Result<void> Pool::take_record(Worker& worker, const base::RecordLine& record, std::string_view line) {
  if (worker.state != Worker::State::busy) {
    worker.lie = "a record out of turn";
    return {};
  }
  if (auto checked = base::check_record(record); !checked.ok()) {
    worker.lie = checked.error().message;
    return {};
  }
  Job& job = *worker.job;
  std::string scratch;
  const std::string_view kind = record.string("record", scratch);
  const bool is_item = kind == "item", is_match = kind == "match", in_order = job.task.resume == Task::Resume::after;
  const bool out_of_order =
      is_item && in_order &&
      (job.items_done >= job.expected.size() || record.string("id", scratch) != job.expected[job.items_done]);
  const bool out_of_place = !is_item && in_order &&
                            (job.items_done == 0 || job.items_done > job.expected.size() ||
                             !is_about(record, is_match, job.expected[job.items_done - 1]));
  const std::string owner = job.task.of_members ? record.string(is_item ? "id" : is_match ? "item" : "where") : "";
  const bool is_stranger = job.task.of_members && !job.holds(owner) && (is_item || !job.containers.contains(owner));
  const bool is_no_member = job.task.of_members && is_item && record.string("state") != "member";
  if (out_of_order || out_of_place || is_stranger || is_no_member || !in_scope(record, job.task.subject)) {
    worker.lie = "a record of something that it wasn't given";
    return {};
  }
  worker.answer.count(line);
  if (is_item) ++job.items_done;
  return job.output->write(record.text());
}

Result<void> Pool::take_done(Worker& worker, const base::Json& message) {
  if (!worker.answer.is_whole(message)) {
    worker.lie = "a count or digest of its lines that doesn't agree with them";
    return {};
  }
  switch (worker.state) {
    case Worker::State::starting:
      if (worker.answer.failure) {
        return Error{
            ErrorCode::invalid_argument, worker.answer.failure->value("detail", "a worker can't start"), {}, {}};
      }
      if (!sealed_) {
        worker.lie = "no word of its seal";
        return {};
      }
      failed_starts_ = 0;
      worker.state = Worker::State::idle;
      return {};
    case Worker::State::opening:
      if (worker.answer.failure) {
        // That the evidence can't be opened is the task's result.
        EXHIBIT_TRY(worker.job->output->write(base::canonical(*worker.answer.failure)));
        break;
      }
      worker.evidence.insert(worker.job->task.evidence);
      start_task(worker);
      return {};
    case Worker::State::busy: {
      const Task& task = worker.job->task;
      if (!worker.answer.failure && task.resume == Task::Resume::after &&
          worker.job->items_done != line_count(task.input)) {
        worker.lie = "fewer items than it was given";
        return {};
      }
      if (worker.answer.failure) EXHIBIT_TRY(worker.job->output->write(base::canonical(*worker.answer.failure)));
      break;
    }
    case Worker::State::idle:
      worker.lie = "a done out of turn";
      return {};
  }
  worker.state = Worker::State::idle;
  // A task that stopped early has still to give back every item that it was given.
  Job& job = *worker.job;
  if (worker.answer.failure && job.task.resume == Task::Resume::after) EXHIBIT_TRY(pass_on(job, UINT64_MAX));
  finish(std::move(worker.job));
  return {};
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

}  // namespace exhibit::engine
