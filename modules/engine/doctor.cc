#include "engine/doctor.h"

#include <poll.h>

namespace exhibit::engine {
namespace {

using base::Json;

constexpr int patience_milliseconds = 20000;

// One question, the lines up to `done`. False: the worker ended instead.
bool converse(WorkerProcess& worker, const Json& question, std::vector<Json>& answers) {
  answers.clear();
  worker.send(base::canonical(question) + "\n");
  while (true) {
    while (auto line = worker.reader().next()) {
      auto value = base::parse_json(*line);
      if (!value.ok() || !value->is_object()) return false;
      if (value->value("message", "") == "done") return true;
      answers.push_back(value.take());
    }
    pollfd socket{worker.socket(), static_cast<short>(POLLIN | (worker.wants_to_send() ? POLLOUT : 0)), 0};
    if (poll(&socket, 1, patience_milliseconds) <= 0) return false;
    if ((socket.revents & POLLOUT) != 0 && !worker.on_writable().ok()) return false;
    if ((socket.revents & (POLLIN | POLLHUP)) == 0) continue;
    const auto filled = worker.reader().fill(worker.socket());
    if (filled == base::LineReader::Fill::end || filled == base::LineReader::Fill::failed) return false;
  }
}

Json load_question(const WorkerSetup& setup) {
  return {{"message", "load"},
          {"rules", setup.rules},
          {"memory", setup.memory},
          {"sandbox", setup.sandbox_required ? "required" : "best-effort"}};
}

Result<TriedAct> try_act(const WorkerSetup& setup, const std::string& act) {
  const auto worker = EXHIBIT_TRY(WorkerProcess::start(setup));
  std::vector<Json> answers;
  if (!converse(*worker, load_question(setup), answers)) {
    return Error{ErrorCode::internal, "a worker can't seal itself: " + worker->end(false).detail, {}, {}};
  }
  if (!converse(*worker, {{"message", "attempt"}, {"act", act}}, answers))
    return TriedAct{act, true, worker->end(false).detail};
  if (answers.empty()) return TriedAct{act, false, "no answer"};
  const Json& answer = answers.front();
  return TriedAct{act, answer.value("refused", false), answer.value("detail", "")};
}

}  // namespace

Result<MachineReport> examine_machine(const WorkerSetup& setup) {
  MachineReport report;
  const auto worker = EXHIBIT_TRY(WorkerProcess::start(setup));
  std::vector<Json> answers;
  if (!converse(*worker, load_question(setup), answers) || answers.empty()) {
    return Error{ErrorCode::internal, setup.program + ": a worker can't be started", {}, {}};
  }
  const Json& sealed = answers.front();
  if (sealed.value("message", "") == "failed") return Error{ErrorCode::unsupported, sealed.value("detail", ""), {}, {}};
  report.seal = sealed.at("seal");
  report.libraries = sealed.at("libraries");
  for (const auto& act : sealed.at("acts")) report.acts.push_back(EXHIBIT_TRY(try_act(setup, act.get<std::string>())));
  return report;
}

}  // namespace exhibit::engine
