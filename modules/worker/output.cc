#include "base/channel.h"
#include "base/record.h"
#include "worker/task.h"

namespace exhibit::worker {
namespace {

constexpr std::size_t send_size = std::size_t{1} << 16;

// Without care: how long the coordinator may hear nothing, and from which size on an object may take that long.
constexpr auto longest_silence = std::chrono::milliseconds(50);
constexpr std::uint64_t large_object = std::uint64_t{1} << 20;

std::unique_ptr<hash::Hasher> sha256() {
  auto hasher = hash::create("sha256");
  EXHIBIT_CHECK(hasher.ok());
  return hasher.take();
}

}  // namespace

Output::Output(int socket, TouchHook hook) : socket_(socket), hook_(std::move(hook)), digest_(sha256()) {}

void Output::append(std::string_view line) {
  pending_.append(line) += '\n';
  if (pending_.size() >= send_size) flush();
}

void Output::line(std::string_view text) {
  ++lines_;
  digest_->update(std::as_bytes(std::span(text)));
  digest_->update(std::as_bytes(std::span("\n", 1)));
  append(text);
}

void Output::record(const base::Json& record) { line(base::canonical(record)); }

void Output::message(const base::Json& message) { line(base::canonical(message)); }

void Output::problem(const Problem& problem) { record(base::to_record(problem)); }

void Output::touch(std::string_view object, std::uint64_t bytes) {
  std::string line = "{\"bytes\":" + std::to_string(bytes) + ",\"message\":\"touch\",\"object\":";
  base::append_string(line, object);
  append(line + '}');
  touched_ = bytes;
  // What takes long is told at once all the same: it has its own time. Not so where as much time is granted already.
  const bool is_long = bytes >= large_object && bytes > granted_;
  const bool due = std::chrono::steady_clock::now() - flushed_ > longest_silence;
  if (careful_ || is_long || due) flush();
  if (hook_) hook_(role_, object);
}

void Output::done() {
  append(base::canonical({{"message", "done"}, {"lines", lines_}, {"sha256", base::to_hex(digest_->finish())}}));
  lines_ = 0;
  flush();
}

void Output::flush() {
  flushed_ = std::chrono::steady_clock::now();
  granted_ = touched_;
  if (pending_.empty()) return;
  // The coordinator is gone: nobody is left to tell.
  if (!base::send_all(socket_, pending_).ok()) std::_Exit(base::exit_protocol);
  pending_.clear();
}

}  // namespace exhibit::worker
