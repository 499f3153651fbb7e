#include "support/test_support.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace exhibit::test {
namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "exhibit-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path corpus(const std::string& relative) { return fs::path(EXHIBIT_CORPORA) / relative; }

std::string program(const std::string& name) { return (fs::path(EXHIBIT_BIN) / name).string(); }

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error("cannot write " + path.string());
}

fs::path unpack(const std::string& relative, const TemporaryDirectory& directory) {
  const fs::path packed = corpus(relative);
  const std::string extension = packed.extension().string();
  const std::string tool = extension == ".xz" ? "xz" : extension == ".gz" ? "gzip" : extension == ".bz2" ? "bzip2" : "";
  if (tool.empty()) {
    const fs::path copy = directory.path() / packed.filename();
    fs::copy_file(packed, copy, fs::copy_options::overwrite_existing);
    fs::permissions(copy, fs::perms::owner_write, fs::perm_options::add);
    return copy;
  }
  const fs::path out = directory.path() / packed.stem();
  const Finished finished = run({tool, "-dc", packed.string()});
  if (finished.status != 0) throw std::runtime_error("cannot unpack " + packed.string() + ": " + finished.err);
  write_file(out, finished.out);
  return out;
}

Finished run(const std::vector<std::string>& arguments, const std::string& input) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
    throw std::runtime_error("pipe");
  const pid_t child = fork();
  if (child == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(err[1], 2);
    std::vector<char*> argv;
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  close(err[1]);
  signal(SIGPIPE, SIG_IGN);
  fcntl(in[1], F_SETFL, O_NONBLOCK);
  Finished finished;
  std::size_t written = 0;
  bool writing = true;
  pollfd fds[3] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}, {in[1], POLLOUT, 0}};
  const auto stop = [](pollfd& entry) {
    close(entry.fd);
    entry.fd = -1;
  };
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    if (writing && written == input.size()) {
      stop(fds[2]);
      writing = false;
    }
    poll(fds, 3, -1);
    for (int i = 0; i < 2; ++i) {
      if (fds[i].fd < 0 || fds[i].revents == 0) continue;
      char buffer[65536];
      const ssize_t got = read(fds[i].fd, buffer, sizeof buffer);
      if (got <= 0) {
        stop(fds[i]);
      } else {
        (i == 0 ? finished.out : finished.err).append(buffer, static_cast<std::size_t>(got));
      }
    }
    if (writing && fds[2].revents != 0) {
      const ssize_t put = write(fds[2].fd, input.data() + written, input.size() - written);
      if (put < 0) written = input.size();
      if (put > 0) written += static_cast<std::size_t>(put);
    }
  }
  if (fds[2].fd >= 0) close(fds[2].fd);
  int status = 0;
  waitpid(child, &status, 0);
  finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return finished;
}

}  // namespace exhibit::test
