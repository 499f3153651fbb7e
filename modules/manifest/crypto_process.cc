#include "manifest/crypto_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace exhibit::manifest {
namespace {

constexpr const char* program_name = "exhibit-crypto";
constexpr int patience = 120'000;                             // milliseconds for one answer: a card may want a touch
constexpr std::size_t longest_answer = std::size_t{1} << 20;  // bytes; a public key has a few hundred

Error unavailable(const std::string& what) { return {ErrorCode::unsupported, what, program_name, {}}; }

Error gone() { return unavailable(std::string(program_name) + " ended before it answered"); }

}  // namespace

Result<base::Json> CryptoProcess::ask(const base::Json& question) {
  const std::lock_guard lock(mutex_);
  if (!socket_) EXHIBIT_TRY(start());
  auto answer = exchange(base::canonical(question) + "\n");
  if (!answer.ok()) end();
  if (!answer.ok()) return answer.take_error();
  auto parsed = base::parse_json(*answer);
  if (!parsed.ok() || !parsed->is_object()) {
    end();
    return unavailable(std::string(program_name) + " gave no answer that can be read");
  }
  const auto error = parsed->find("error");
  if (error != parsed->end() && error->is_string()) return unavailable(error->get<std::string>());
  return parsed;
}

Result<void> CryptoProcess::start() {
  std::error_code failed;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failed);
  const std::string program = (self.parent_path() / program_name).string();
  if (failed || !std::filesystem::exists(program, failed))
    return unavailable(std::string(program_name) + " is missing: it lies beside exhibit");
  std::array<int, 2> pair{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return unavailable(std::string("socketpair: ") + std::strerror(errno));
  base::UniqueFd ours(pair[0]), theirs(pair[1]);
  EXHIBIT_TRY(spawn(program, theirs.get()));
  socket_ = std::move(ours);
  return {};
}

// With the socket as standard input and output, its errors to nowhere, and nothing else open.
Result<void> CryptoProcess::spawn(const std::string& program, int socket) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const base::UniqueFd high(fcntl(socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  posix_spawn_file_actions_adddup2(&files, high.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, high.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  std::string role = engine_ == Engine::gost ? "gost" : "token";
  const std::array<char*, 3> arguments = {const_cast<char*>(program.c_str()), role.data(), nullptr};
  std::vector<char*> environment;
  for (const std::string& one : environment_) environment.push_back(const_cast<char*>(one.c_str()));
  environment.push_back(nullptr);
  const int failed = posix_spawn(&pid_, program.c_str(), &files, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed == 0) return {};
  pid_ = -1;
  return unavailable(program + ": " + std::strerror(failed));
}

Result<std::string> CryptoProcess::exchange(std::string_view line) {
  while (!line.empty()) {
    const ssize_t sent = send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return gone();
    line.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string answer;
  while (answer.empty() || answer.back() != '\n') {
    pollfd waiting = {socket_.get(), POLLIN, 0};
    const int ready = poll(&waiting, 1, patience);
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return unavailable(std::string(program_name) + " doesn't answer");
    std::array<char, 4096> buffer;
    const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || answer.size() > longest_answer) return gone();
    answer.append(buffer.data(), static_cast<std::size_t>(got));
  }
  answer.pop_back();
  return answer;
}

void CryptoProcess::end() {
  socket_.reset();
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Result<base::Json> ask_crypto_process(const base::Json& question) {
  static CryptoProcess process(CryptoProcess::Engine::gost);
  return process.ask(question);
}

}  // namespace exhibit::manifest
