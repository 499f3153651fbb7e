#pragma once
// Runs a piece of work in a process of its own, for the tests of what a sealed process may and may not do.

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "sandbox/seal.h"

namespace exhibit::sandbox::test {

struct Ended {
  int signal = 0;    // that killed it; 0: none
  int status = -1;   // exit status, where no signal did
  std::string said;  // what the work returned
};

// `work` runs in a child; what it returns comes back through a pipe.
inline Ended in_child(const std::function<std::string()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    const std::string said = work();
    _exit(write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  close(ends[1]);
  Ended ended;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = read(ends[0], buffer, sizeof buffer)) > 0) ended.said.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  if (WIFEXITED(status)) ended.status = WEXITSTATUS(status);
  return ended;
}

// The same in a sealed child.
inline Ended in_sealed_child(const std::function<std::string()>& work, const SealOptions& options = {}) {
  return in_child([&] {
    const auto sealed = seal(options);
    return sealed.ok() ? work() : "not sealed: " + sealed.error().message;
  });
}

}  // namespace exhibit::sandbox::test
