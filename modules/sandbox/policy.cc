#include "sandbox/policy.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "sandbox/policy_rows.h"
#include "sandbox/sanitizer.h"

namespace exhibit::sandbox {
namespace {

constexpr std::uint64_t any_advice_below = MADV_HWPOISON;  // from here on: poisoning and off-lining pages
constexpr std::uint64_t private_anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

// The policy. What is in neither table kills the process. No row opens, creates, names or executes anything, makes a
// process, a thread or a socket, or touches another process.
std::vector<Row> allowed(std::uint64_t self) {
  return {
      // The socket to the coordinator, the evidence's descriptors, messages on standard error.
      {SCMP_SYS(recvmsg), {}, "tasks, and with them the evidence's descriptors (SCM_RIGHTS)"},
      {SCMP_SYS(recvfrom), {}, "what recv() is"},
      {SCMP_SYS(read), {}, "the socket"},
      {SCMP_SYS(readv), {}, "the same, in parts"},
      {SCMP_SYS(pread64), {}, "the evidence"},
      {SCMP_SYS(preadv), {}, "the same, in parts"},
      {SCMP_SYS(lseek), {}, "the end of an evidence descriptor"},
      {SCMP_SYS(fstat), {}, "what a descriptor is; by name nothing can be asked (newfstatat is refused below)"},
      {SCMP_SYS(fadvise64), {}, "reading ahead in the evidence"},
      {SCMP_SYS(sendmsg), {}, "records; an address is of no use on a connected stream socket"},
      {SCMP_SYS(sendto), {equals(4, 0)}, "what send() is; never to an address"},
      {SCMP_SYS(write), {}, "records, and text on standard error; RLIMIT_FSIZE keeps files from growing"},
      {SCMP_SYS(writev), {}, "the same, in parts; libc's message before abort()"},
      {SCMP_SYS(poll), {}, "waiting for the socket"},
      {SCMP_SYS(ppoll), {}, "the same"},
      {SCMP_SYS(close), {}, "evidence that is done"},
      {SCMP_SYS(fcntl), {equals(1, F_GETFL)}, "how a descriptor was opened"},
      {SCMP_SYS(fcntl), {equals(1, F_GETFD)}, "the same"},
      {SCMP_SYS(fcntl), {equals(1, F_SETFD)}, "close-on-exec"},

      // Memory, never executable, never a file's.
      {SCMP_SYS(mmap), {bits(2, PROT_EXEC, 0), bits(3, private_anonymous, private_anonymous)}, "malloc's large blocks"},
      {SCMP_SYS(mprotect), {bits(2, PROT_EXEC, 0)}, "malloc's arenas"},
      {SCMP_SYS(munmap), {}, "free()"},
      {SCMP_SYS(mremap), {}, "realloc(); protection goes along unchanged"},
      {SCMP_SYS(brk), {}, "malloc"},
      {SCMP_SYS(madvise), {below(2, any_advice_below)}, "malloc gives pages back"},

      // The process itself.
      {SCMP_SYS(exit_group), {}, "the end"},
      {SCMP_SYS(exit), {}, "the same"},
      {SCMP_SYS(futex), {}, "mutexes in libtsk and OpenSSL"},
      {SCMP_SYS(sched_yield), {}, "spinning in libraries"},
      {SCMP_SYS(rt_sigaction), {}, "libyara's handlers around a scan, abort()"},
      {SCMP_SYS(rt_sigprocmask), {}, "sigsetjmp, abort()"},
      {SCMP_SYS(rt_sigreturn), {}, "the return from a handler"},
      {SCMP_SYS(sigaltstack), {}, "a stack for handlers"},
      {SCMP_SYS(restart_syscall), {}, "the kernel's own way of going on after a signal"},
      {SCMP_SYS(tgkill), {equals(0, self)}, "abort() and raise(): this process only"},
      {SCMP_SYS(kill), {equals(0, self)}, "the same"},
      {SCMP_SYS(getpid), {}, "abort(), OpenSSL's check for a fork"},
      {SCMP_SYS(gettid), {}, "abort()"},
      {SCMP_SYS(getppid), {}, "whether the coordinator lives"},
      {SCMP_SYS(prlimit64), {equals(0, 0), equals(2, 0)}, "getrlimit(): own limits, nothing set"},
      {SCMP_SYS(getrusage), {}, "own use of memory and time"},
      {SCMP_SYS(sched_getaffinity), {}, "how many arenas malloc makes; refused, libc would open a file for it"},

      // Time and chance. The clock is read without a call (vDSO) where the machine's clock allows it.
      {SCMP_SYS(clock_gettime), {}, "time limits of a scan"},
      {SCMP_SYS(gettimeofday), {}, "the same"},
      {SCMP_SYS(time), {}, "the same"},
      {SCMP_SYS(clock_nanosleep), {}, "sleeping hurts nobody: the coordinator's clock runs on"},
      {SCMP_SYS(nanosleep), {}, "the same"},
      {SCMP_SYS(getrandom), {}, "OpenSSL, seeds of hash tables"},
  };
}

// Refused politely: what a library merely probes and can do without. Dying of these would lose records for nothing,
// answering them would tell a parser that was taken over about the machine.
std::vector<Refusal> refused() {
  return {
      {SCMP_SYS(newfstatat), {}, EACCES, "stat() by name, as localtime() does for the time zone's file"},
      {SCMP_SYS(stat), {}, EACCES, "the same"},
      {SCMP_SYS(lstat), {}, EACCES, "the same"},
      {SCMP_SYS(statx), {}, EACCES, "the same"},
      {SCMP_SYS(access), {}, EACCES, "whether a configuration file is there"},
      {SCMP_SYS(faccessat), {}, EACCES, "the same"},
      {SCMP_SYS(faccessat2), {}, EACCES, "the same"},
      {SCMP_SYS(readlink), {}, EACCES, "where a program lies"},
      {SCMP_SYS(readlinkat), {}, EACCES, "the same"},
      {SCMP_SYS(getcwd), {}, EACCES, "libewf makes names absolute"},
      {SCMP_SYS(uname), {}, EACCES, "the machine's name is none of a parser's business"},
      {SCMP_SYS(sysinfo), {}, EACCES, "qsort() asks for the memory's size, and does without"},
      {SCMP_SYS(ioctl), {equals(1, TCGETS)}, ENOTTY, "isatty(): stdio, before the first byte on a stream"},
      {SCMP_SYS(prctl), {equals(0, PR_SET_VMA)}, EINVAL, "later versions of libc name their mappings"},
      {SCMP_SYS(getuid), {}, EACCES, "who runs this changes nothing"},
      {SCMP_SYS(geteuid), {}, EACCES, "the same"},
      {SCMP_SYS(getgid), {}, EACCES, "the same"},
      {SCMP_SYS(getegid), {}, EACCES, "the same"},
  };
}

// What AddressSanitizer's runtime needs to tell of a bug rather than die of the seal; in its builds only.
std::vector<Row> allowed_to_sanitizer() {
  return {
      {SCMP_SYS(pipe2), {}, "UndefinedBehaviorSanitizer tries addresses by writing them into a pipe"},
      {SCMP_SYS(pipe), {}, "the same"},
  };
}

std::vector<Refusal> refused_to_sanitizer() {
  return {
      {SCMP_SYS(openat), {}, EACCES, "/proc/self/maps and the symbolizer, for names in a report"},
      {SCMP_SYS(open), {}, EACCES, "the same"},
  };
}

struct Release {
  void operator()(scmp_filter_ctx context) const { seccomp_release(context); }
};
using Filter = std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, Release>;

bool add(const Filter& filter, std::uint32_t action, int call, const std::vector<Condition>& conditions) {
  return seccomp_rule_add_exact_array(filter.get(), action, call, static_cast<unsigned>(conditions.size()),
                                      conditions.data()) == 0;
}

bool add(const Filter& filter, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    if (!add(filter, SCMP_ACT_ALLOW, row.call, row.conditions)) return false;
  }
  return true;
}

bool add(const Filter& filter, const std::vector<Refusal>& rows) {
  for (const Refusal& row : rows) {
    const auto error = static_cast<std::uint32_t>(row.error);
    if (!add(filter, SCMP_ACT_ERRNO(error), row.call, row.conditions)) return false;
  }
  return true;
}

bool add_policy(const Filter& filter, Work work) {
  const auto self = static_cast<std::uint64_t>(getpid());
  if (work == Work::token) return add(filter, refused_to_token(self));
  std::vector<Refusal> refusals = refused();
  if (work == Work::typeset) {
    const std::vector<Row> rows = allowed_to_typesetter();
    std::erase_if(refusals, [&](const Refusal& refusal) {
      return refusal.conditions.empty() &&
             std::ranges::any_of(rows, [&](auto& row) { return row.call == refusal.call; });
    });
    if (!add(filter, rows) || !add(filter, refused_to_typesetter())) return false;
  } else if (address_sanitizer && (!add(filter, allowed_to_sanitizer()) || !add(filter, refused_to_sanitizer()))) {
    return false;
  }
  return add(filter, allowed(self)) && add(filter, refusals);
}

}  // namespace

bool can_filter() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return prctl(PR_GET_SECCOMP) >= 0 && syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool install_filter(Work work) {
  // Without KILL_PROCESS (before Linux 4.14) the kernel would take the action for 'kill this thread'.
  if (!can_filter()) return false;
  const Filter filter(seccomp_init(work == Work::token ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS));
  if (filter == nullptr || seccomp_arch_native() != SCMP_ARCH_X86_64) return false;
  // 32-bit and x32 calls have other numbers: they would walk past the table.
  if (seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0) return false;
  if (seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1) != 0) return false;
  return add_policy(filter, work) && seccomp_load(filter.get()) == 0;
}

}  // namespace exhibit::sandbox
