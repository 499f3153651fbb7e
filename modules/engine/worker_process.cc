#include "engine/worker_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace exhibit::engine {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 18;
constexpr std::size_t error_text_kept = 4096;

// In the child: only async-signal-safe calls from here on.
[[noreturn]] void become_worker(const char* program, int socket, int errors, pid_t parent) {
  static char* const environment[] = {const_cast<char*>("TZ=UTC0"), const_cast<char*>("LC_ALL=C.UTF-8"), nullptr};
  char* const arguments[] = {const_cast<char*>(program), nullptr};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(base::exit_protocol);
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  dup2(socket, base::worker_socket);
  close_range(base::worker_socket + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  // A terminal's Ctrl-C is for the coordinator, which then ends its workers in order.
  setpgid(0, 0);
  execve(program, arguments, environment);
  _exit(127);
}

Error system_error(const char* what) {
  return {ErrorCode::internal, std::string(what) + ": " + std::strerror(errno), {}, {}};
}

const char* signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name != nullptr ? name : "unknown";
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(const WorkerSetup& setup) {
  std::array<int, 2> sockets{}, errors{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) return system_error("socketpair");
  base::UniqueFd ours(sockets[0]), theirs(sockets[1]);
  if (pipe2(errors.data(), O_CLOEXEC) != 0) return system_error("pipe");
  base::UniqueFd errors_out(errors[0]), errors_in(errors[1]);
  // dup2 onto itself would keep close-on-exec, and dup2 onto 3 could close the pipe: both go above the worker's socket.
  base::UniqueFd theirs_high(fcntl(theirs.get(), F_DUPFD_CLOEXEC, base::worker_socket + 1));
  base::UniqueFd errors_high(fcntl(errors_in.get(), F_DUPFD_CLOEXEC, base::worker_socket + 1));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return system_error("fork");
  if (child == 0) become_worker(setup.program.c_str(), theirs_high.get(), errors_high.get(), parent);
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess);
  worker->pid_ = child;
  worker->socket_ = std::move(ours);
  worker->errors_ = std::move(errors_out);
  fcntl(worker->socket(), F_SETFL, O_NONBLOCK);
  fcntl(worker->errors(), F_SETFL, O_NONBLOCK);
  return worker;
}

WorkerProcess::~WorkerProcess() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void WorkerProcess::send(std::string line, std::vector<int> descriptors) {
  outgoing_.push_back({std::move(line), std::move(descriptors), {}});
}

void WorkerProcess::send(const LineSlice& slice) {
  if (slice.length > 0) outgoing_.push_back({{}, {}, slice});
}

void WorkerProcess::send_load(const WorkerSetup& setup, int shared, std::uint64_t shared_bytes) {
  base::Json load = {{"message", "load"},
                     {"rules", setup.rules},
                     {"memory", setup.memory},
                     {"prefilter", setup.prefilter},
                     {"sandbox", setup.sandbox_required ? "required" : "best-effort"}};
  if (!setup.carve.is_null()) load["carve"] = setup.carve;
  if (!setup.perceive.empty()) load["perceive"] = setup.perceive;
  if (shared >= 0) load["shared"] = shared_bytes;
  send(base::canonical(load) + "\n", shared >= 0 ? std::vector<int>{shared} : std::vector<int>());
}

void WorkerProcess::send_evidence(const Evidence& evidence) {
  // One descriptor stays free: a task may bring its own.
  constexpr std::size_t batch = base::descriptors_per_message - 1;
  for (const VolumeKey& key : evidence.keys) {
    const base::Json named = {{"volume", key.volume}, {"kind", key.kind}};
    send(base::canonical({{"message", "keys"}, {"keys", base::Json::array({named})}}) + "\n", {key.fd.get()});
  }
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
    send(base::canonical(message) + "\n", std::move(descriptors));
  }
}

// Refills the first parcel from its file. False: it is used up.
Result<bool> WorkerProcess::load_next_piece() {
  Parcel& parcel = outgoing_.front();
  if (parcel.slice.length == 0) return false;
  if (!slice_file_) slice_file_.reset(open(parcel.slice.path.c_str(), O_RDONLY | O_CLOEXEC));
  parcel.bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(parcel.slice.length, piece_size)));
  const ssize_t got =
      pread(slice_file_.get(), parcel.bytes.data(), parcel.bytes.size(), static_cast<off_t>(parcel.slice.offset));
  if (got <= 0) return Error{ErrorCode::io_error, parcel.slice.path + ": cannot be read back", {}, {}};
  parcel.bytes.resize(static_cast<std::size_t>(got));
  parcel.slice.offset += static_cast<std::uint64_t>(got);
  parcel.slice.length -= static_cast<std::uint64_t>(got);
  sent_ = 0;
  return true;
}

Result<void> WorkerProcess::on_writable() {
  while (!outgoing_.empty()) {
    Parcel& parcel = outgoing_.front();
    if (sent_ == parcel.bytes.size()) {
      if (EXHIBIT_TRY(load_next_piece())) continue;
      outgoing_.pop_front();
      slice_file_.reset();
      sent_ = 0;
      continue;
    }
    const std::size_t sent = EXHIBIT_TRY(base::send_some(socket(), std::string_view(parcel.bytes).substr(sent_),
                                                         sent_ == 0 ? parcel.descriptors : std::vector<int>()));
    if (sent == 0) return {};
    sent_ += sent;
  }
  return {};
}

void WorkerProcess::on_errors() {
  std::array<char, 4096> bytes;
  ssize_t got = 0;
  while ((got = read(errors_.get(), bytes.data(), bytes.size())) > 0) {
    error_text_.append(bytes.data(), static_cast<std::size_t>(got));
    if (error_text_.size() > error_text_kept) error_text_.erase(0, error_text_.size() - error_text_kept);
  }
  if (got == 0) errors_.reset();
}

Ending WorkerProcess::end(bool timed_out) {
  if (timed_out) kill(pid_, SIGKILL);
  int status = 0;
  // A worker that closed its socket but lives on is ended too.
  for (int i = 0; i < 100 && waitpid(pid_, &status, WNOHANG) == 0; ++i) usleep(1000);
  if (waitpid(pid_, &status, WNOHANG) == 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, &status, 0);
  }
  pid_ = -1;
  if (errors_) on_errors();
  if (timed_out) return {"timeout", "it took longer than an object of its size is given"};
  if (WIFSIGNALED(status)) {
    if (WTERMSIG(status) == SIGSYS)
      return {"crash", "the worker broke its seal: it made a system call that isn't allowed"};
    return {"crash", std::string("the worker was ended by signal ") + signal_name(WTERMSIG(status))};
  }
  const int code = WEXITSTATUS(status);
  if (code == base::exit_memory) return {"memory-limit", "it needed more memory than a worker is given"};
  return {"crash", "the worker ended with status " + std::to_string(code)};
}

}  // namespace exhibit::engine
