#include "base/channel.h"
#include "base/record.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

constexpr std::size_t send_size = std::size_t{1} << 16;

std::unique_ptr<hash::Hasher> sha256() {
  auto hasher = hash::create("sha256");
  EXHIBIT_CHECK(hasher.ok());
  return hasher.take();
}

}  // namespace

Output::Output(int socket, TouchHook hook) : socket_(socket), hook_(std::move(hook)), digest_(sha256()) {}

void Output::append(std::string_view line) {
  pending_ += line;
  if (pending_.size() >= send_size) flush();
}

void Output::counted(const std::string& line) {
  ++lines_;
  digest_->update(std::as_bytes(std::span(line)));
  append(line);
}

void Output::record(const base::Json& record) { counted(base::canonical(record) + "\n"); }

void Output::message(const base::Json& message) { counted(base::canonical(message) + "\n"); }

void Output::problem(const Problem& problem) { record(base::to_record(problem)); }

void Output::touch(std::string_view object, std::uint64_t bytes) {
  append(base::canonical({{"message", "touch"}, {"object", object}, {"bytes", bytes}}) + "\n");
  flush();  // it must be on its way before the object is handled
  if (hook_) hook_(role_, object);
}

void Output::done() {
  append(base::canonical({{"message", "done"}, {"lines", lines_}, {"sha256", base::to_hex(digest_->finish())}}) + "\n");
  lines_ = 0;
  flush();
}

void Output::flush() {
  if (pending_.empty()) return;
  // The coordinator is gone: nobody is left to tell.
  if (!base::send_all(socket_, pending_).ok()) std::_Exit(base::exit_protocol);
  pending_.clear();
}

}  // namespace exhibit::worker
