#pragma once
// One worker asked one question at a time, by whoever has no use for a pool of them.

#include <exhibit/result.h>

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/worker_process.h"

namespace exhibit::engine {

class Conversation {
 public:
  // `patience`: how long a worker may say nothing.
  static Result<std::unique_ptr<Conversation>> start(const WorkerSetup& setup, int patience_milliseconds = 20000);

  // The lines up to `done`, but for touches; nothing of them is trusted: objects each, of any content. False: the
  // worker ended or stayed silent instead (how_it_ended). `descriptors` stay the caller's until this returns.
  bool ask(const base::Json& question, std::vector<base::Json>& answers, std::vector<int> descriptors = {});

  // The object that was touched last: the suspect.
  const std::string& touched() const { return touched_; }
  // After ask() gave false.
  const Ending& how_it_ended() const { return ending_; }

 private:
  explicit Conversation(int patience) : patience_(patience) {}
  bool take_lines(std::vector<base::Json>& answers, bool& done);
  bool end(bool timed_out);

  std::unique_ptr<WorkerProcess> worker_;
  int patience_;
  std::string touched_;
  Ending ending_;
};

// What the setup says, as the first question.
base::Json load_question(const WorkerSetup& setup);

// A text of a worker's message; empty where it is something else.
std::string text_of(const base::Json& message, const char* key);

}  // namespace exhibit::engine
