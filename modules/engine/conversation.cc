#include "engine/conversation.h"

#include <poll.h>

namespace exhibit::engine {

using base::Json;

Result<std::unique_ptr<Conversation>> Conversation::start(const WorkerSetup& setup, int patience_milliseconds) {
  std::unique_ptr<Conversation> conversation(new Conversation(patience_milliseconds));
  conversation->worker_ = EXHIBIT_TRY(WorkerProcess::start(setup));
  return conversation;
}

bool Conversation::end(bool timed_out) {
  ending_ = worker_->end(timed_out);
  return false;
}

// False: the worker said what is no message.
bool Conversation::take_lines(std::vector<Json>& answers, bool& done) {
  while (auto line = worker_->reader().next()) {
    auto value = base::parse_json(*line);
    if (!value.ok() || !value->is_object()) return false;
    const std::string message = text_of(*value, "message");
    if (message == "done") {
      done = true;
    } else if (message == "touch") {
      touched_ = text_of(*value, "object");
    } else {
      answers.push_back(value.take());
    }
  }
  return !worker_->reader().overflowed();
}

bool Conversation::ask(const Json& question, std::vector<Json>& answers, std::vector<int> descriptors) {
  answers.clear();
  touched_.clear();
  worker_->send(base::canonical(question) + "\n", std::move(descriptors));
  for (bool done = false;;) {
    if (!take_lines(answers, done)) return end(false);
    if (done) return true;
    pollfd socket{worker_->socket(), static_cast<short>(POLLIN | (worker_->wants_to_send() ? POLLOUT : 0)), 0};
    if (poll(&socket, 1, patience_) <= 0) return end(true);
    if ((socket.revents & POLLOUT) != 0 && !worker_->on_writable().ok()) return end(false);
    if ((socket.revents & (POLLIN | POLLHUP)) == 0) continue;
    const auto filled = worker_->reader().fill(worker_->socket());
    if (filled == base::LineReader::Fill::end || filled == base::LineReader::Fill::failed) return end(false);
  }
}

Json load_question(const WorkerSetup& setup) {
  return {{"message", "load"},
          {"rules", setup.rules},
          {"memory", setup.memory},
          {"sandbox", setup.sandbox_required ? "required" : "best-effort"}};
}

std::string text_of(const Json& message, const char* key) {
  const auto found = message.find(key);
  return found != message.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace exhibit::engine
