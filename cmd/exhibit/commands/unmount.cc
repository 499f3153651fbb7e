// exhibit unmount: ends what `exhibit mount` began.

#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "exhibit/common.h"

namespace exhibit::cmd {

extern const Verb unmount_verb;

namespace {

// libfuse's own program, which may unmount what its user mounted.
int by_fusermount(const char* folder) {
  const pid_t child = fork();
  if (child == 0) {
    execlp("fusermount3", "fusermount3", "-u", "--", folder, static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return exit_internal;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? exit_done : exit_input;
}

int run_unmount(const std::vector<std::string>& arguments) {
  options::options_description described("options");
  const Parsed parsed = parse(unmount_verb, arguments, described, "folder", 1);
  if (parsed.help) return exit_done;
  if (parsed.values.count("folder") == 0) throw Usage{"name the folder"};
  const std::string folder = parsed.values["folder"].as<std::vector<std::string>>().front();
  if (umount2(folder.c_str(), UMOUNT_NOFOLLOW) == 0) return exit_done;
  if (errno == EPERM) return by_fusermount(folder.c_str());
  return fail({ErrorCode::io_error, folder + ": it can't be unmounted: " + std::strerror(errno), {}, {}});
}

}  // namespace

const Verb unmount_verb = {"unmount", "DIR", "ends a mount", run_unmount};

}  // namespace exhibit::cmd
