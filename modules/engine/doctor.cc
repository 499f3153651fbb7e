#include "engine/doctor.h"

#include "engine/conversation.h"

namespace exhibit::engine {
namespace {

using base::Json;

Result<TriedAct> try_act(const WorkerSetup& setup, const std::string& act) {
  const auto worker = EXHIBIT_TRY(Conversation::start(setup));
  std::vector<Json> answers;
  if (!worker->ask(load_question(setup), answers)) {
    return Error{ErrorCode::internal, "a worker can't seal itself: " + worker->how_it_ended().detail, {}, {}};
  }
  if (!worker->ask({{"message", "attempt"}, {"act", act}}, answers))
    return TriedAct{act, true, worker->how_it_ended().detail};
  if (answers.empty()) return TriedAct{act, false, "no answer"};
  const Json& answer = answers.front();
  return TriedAct{act, answer.value("refused", false), answer.value("detail", "")};
}

}  // namespace

Result<MachineReport> examine_machine(const WorkerSetup& setup) {
  MachineReport report;
  const auto worker = EXHIBIT_TRY(Conversation::start(setup));
  std::vector<Json> answers;
  if (!worker->ask(load_question(setup), answers) || answers.empty()) {
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
