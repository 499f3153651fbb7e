#include "exhibit/pages.h"

#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/unique_fd.h"
#include "exhibit/common.h"
#include "manifest/file.h"

namespace exhibit::cmd {

Result<void> make_pages(const std::string& document, int output) {
  const base::UniqueFd input(memfd_create("document", MFD_CLOEXEC));
  if (!input) return Error{ErrorCode::io_error, std::string("no memory file: ") + std::strerror(errno), {}, {}};
  EXHIBIT_TRY(manifest::write_all(input.get(), document, "document"));
  ::lseek(input.get(), 0, SEEK_SET);
  std::string program = beside_this_program("exhibit-protocol"), locale = "LC_ALL=C.UTF-8";
  char* const arguments[] = {program.data(), nullptr};
  char* const environment[] = {locale.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t child = 0;
  const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return Error{ErrorCode::not_found, program + ": " + std::strerror(failed), {}, {}};
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Error{ErrorCode::io_error, "exhibit-protocol made no pages", {}, {}};
  return {};
}

}  // namespace exhibit::cmd
