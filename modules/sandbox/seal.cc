#include "sandbox/seal.h"

#include <linux/capability.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iterator>

#include "sandbox/landlock.h"
#include "sandbox/policy.h"
#include "sandbox/sanitizer.h"

#if EXHIBIT_ADDRESS_SANITIZER
// LeakSanitizer's search at exit starts a thread and traces the process; it asks here first (lsan_interface.h).
static bool sealed = false;
extern "C" int __lsan_is_turned_off();
extern "C" int __lsan_is_turned_off() { return sealed ? 1 : 0; }
#endif

namespace exhibit::sandbox {
namespace {

// Descriptors that SCM_RIGHTS may bring: an image in 4,000 segments, and some to spare.
constexpr rlim_t most_descriptors = 4096;

// For good: the hard limit too.
bool limit(decltype(RLIMIT_CORE) resource, rlim_t most) {
  rlimit now{};
  if (getrlimit(resource, &now) != 0) return false;
  const rlim_t value = std::min(most, now.rlim_max);
  const rlimit wanted{value, value};
  return setrlimit(resource, &wanted) == 0;
}

bool limit_resources(const SealOptions& options) {
  // A write that would make a file grow fails (EFBIG) instead of killing: standard error may be a file.
  if (std::signal(SIGXFSZ, SIG_IGN) == SIG_ERR) return false;
  if (!limit(RLIMIT_CORE, 0)) return false;
  // Who typesets writes to standard output, which may be a file, and has threads; a token's module both, too.
  if (options.work == Work::parse && (!limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_NPROC, 0))) return false;
  if (!limit(RLIMIT_NOFILE, most_descriptors)) return false;
  // AddressSanitizer maps terabytes of shadow. Its builds are for developers; all other limits hold in them.
  if (options.memory_bytes == 0 || address_sanitizer) return true;
  return limit(RLIMIT_AS, options.memory_bytes);
}

// no_new_privs, no capabilities (root has them without asking), and not to be traced or dumped.
bool give_up_privileges() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return false;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return syscall(SYS_capset, &header, none.data()) == 0;
}

// Landlock and the capabilities are a thread's own: another thread would stay outside the seal.
bool has_other_threads() {
  std::error_code error;
  const std::filesystem::directory_iterator threads("/proc/self/task", error);
  return !error && std::distance(begin(threads), end(threads)) > 1;
}

// Settles now what libraries would open a file for later, and die of it.
bool settle_libraries() {
  // The time zone's file, looked at by each localtime() (libmagic calls it); this is a zone that needs none
  // (POSIX.1-2017, section 8.3).
  if (setenv("TZ", "UTC0", 1) != 0) return false;
  tzset();
  // OpenSSL's configuration, read at the first use of the default context (libyara on a signed program). It is done
  // without: the machine's openssl.cnf has no say in findings.
  constexpr std::uint64_t all = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_CIPHERS |
                                OPENSSL_INIT_ADD_ALL_DIGESTS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS;
  return OPENSSL_init_crypto(all, nullptr) == 1;
}

std::string missing_from(const Seal& seal) {
  std::string missing;
  const auto name = [&missing](bool there, const char* what) {
    if (!there) missing += (missing.empty() ? "" : ", ") + std::string(what);
  };
  name(seal.rlimits, "resource limits");
  name(seal.no_new_privs, "no_new_privs");
  name(seal.landlock_abi > 0, "Landlock (Linux 5.13 or later with landlock among the enabled security modules)");
  name(seal.seccomp, "seccomp (Linux 4.14 or later on x86_64)");
  return missing;
}

}  // namespace

base::Json to_json(const Seal& seal) {
  return {{"rlimits", seal.rlimits},
          {"no_new_privs", seal.no_new_privs},
          {"landlock_abi", seal.landlock_abi},
          {"seccomp", seal.seccomp}};
}

Seal available() {
  rlimit core{};
  Seal seal;
  seal.rlimits = getrlimit(RLIMIT_CORE, &core) == 0;
  seal.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0;
  seal.landlock_abi = landlock_abi();
  seal.seccomp = can_filter();
  return seal;
}

Result<Seal> seal(const SealOptions& options) {
  if (has_other_threads()) return Error{ErrorCode::internal, "a process with several threads can't be sealed", {}, {}};
  if (!settle_libraries()) return Error{ErrorCode::memory_limit, "no memory to seal a worker", {}, {}};
  Seal seal;
  seal.rlimits = limit_resources(options);
  seal.no_new_privs = give_up_privileges();
  seal.landlock_abi = restrict_by_landlock(options.work, options.readable);
  seal.seccomp = install_filter(options.work);  // last: it refuses all that came before
#if EXHIBIT_ADDRESS_SANITIZER
  sealed = true;
#endif
  if (!options.required || seal.complete()) return seal;
  return Error{ErrorCode::unsupported,
               "a worker could not be sealed: this machine lacks " + missing_from(seal) +
                   "; mend that (`exhibit doctor` shows it), or accept less with --sandbox=best-effort",
               {},
               {}};
}

}  // namespace exhibit::sandbox
