#include "sandbox/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "base/unique_fd.h"

namespace exhibit::sandbox {
namespace {

// Newer than Debian 12's <linux/landlock.h>, so written here under our own names: struct landlock_ruleset_attr and the
// values of include/uapi/linux/landlock.h of Linux 6.18.
struct Ruleset {
  std::uint64_t handled_access_fs = 0;
  std::uint64_t handled_access_net = 0;  // since ABI 4
  std::uint64_t scoped = 0;              // since ABI 6
};

constexpr std::uint64_t bind_tcp = 1ULL << 0;              // LANDLOCK_ACCESS_NET_BIND_TCP
constexpr std::uint64_t connect_tcp = 1ULL << 1;           // LANDLOCK_ACCESS_NET_CONNECT_TCP
constexpr std::uint64_t abstract_unix_socket = 1ULL << 0;  // LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
constexpr std::uint64_t signal_scope = 1ULL << 1;          // LANDLOCK_SCOPE_SIGNAL

// The rights over files are the low bits; each version adds at the top.
constexpr std::uint64_t file_rights(int abi) {
  unsigned last = 12;       // ABI 1: … LANDLOCK_ACCESS_FS_MAKE_SYM
  if (abi >= 2) last = 13;  // LANDLOCK_ACCESS_FS_REFER
  if (abi >= 3) last = 14;  // LANDLOCK_ACCESS_FS_TRUNCATE
  if (abi >= 5) last = 15;  // LANDLOCK_ACCESS_FS_IOCTL_DEV
  return (1ULL << (last + 1)) - 1;
}
static_assert(file_rights(1) == (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1);

// A kernel refuses (E2BIG) a structure with fields set that it doesn't know.
constexpr std::size_t ruleset_size(int abi) {
  if (abi >= 6) return sizeof(Ruleset);
  return abi >= 4 ? offsetof(Ruleset, scoped) : offsetof(Ruleset, handled_access_net);
}

// A folder that isn't there needs no rule.
bool allow_reading(const base::UniqueFd& ruleset, const std::string& folder) {
  const base::UniqueFd parent(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return errno == ENOENT;
  const landlock_path_beneath_attr rule{LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR, parent.get()};
  return syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

}  // namespace

int landlock_abi() {
  const long abi = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return abi > 0 ? static_cast<int>(abi) : 0;
}

int restrict_by_landlock(Work work, const std::vector<std::string>& readable) {
  const int abi = landlock_abi();
  if (abi == 0) return 0;
  Ruleset ruleset;
  ruleset.handled_access_fs = file_rights(abi);
  if (work == Work::token)
    ruleset.handled_access_fs =
        LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK;
  if (abi >= 4) ruleset.handled_access_net = bind_tcp | connect_tcp;
  if (abi >= 6) ruleset.scoped = abstract_unix_socket | signal_scope;
  // What is handled and not allowed by a rule is denied.
  const base::UniqueFd fd(static_cast<int>(syscall(SYS_landlock_create_ruleset, &ruleset, ruleset_size(abi), 0)));
  if (!fd) return 0;
  for (const std::string& folder : work == Work::typeset ? readable : std::vector<std::string>()) {
    if (!allow_reading(fd, folder)) return 0;
  }
  return syscall(SYS_landlock_restrict_self, fd.get(), 0) == 0 ? abi : 0;
}

}  // namespace exhibit::sandbox
