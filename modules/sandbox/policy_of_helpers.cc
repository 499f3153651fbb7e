// The tables of the helper programs, which need more than a parser does.

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "sandbox/policy_rows.h"

namespace exhibit::sandbox {
namespace {

constexpr std::uint64_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
constexpr std::uint64_t thread_flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;

constexpr const char* no_clone3 = "its flags are out of a filter's sight; libc then calls clone";

// Calls refused whatever their arguments.
struct Group {
  const char* why;
  std::vector<int> calls;
};

void add(std::vector<Refusal>& rows, const std::vector<Group>& groups) {
  for (const Group& group : groups) {
    for (const int call : group.calls) rows.push_back({call, {}, EACCES, group.why});
  }
}

}  // namespace

// Pango finds and reads fonts when it first needs one, and asks fontconfig in a thread. Landlock keeps the names to the
// folders of fonts.
std::vector<Row> allowed_to_typesetter() {
  return {
      {SCMP_SYS(openat), {bits(2, writing, O_RDONLY)}, "fonts and what fontconfig knows of them"},
      {SCMP_SYS(mmap), {bits(2, PROT_EXEC | PROT_WRITE, 0), bits(3, MAP_TYPE, MAP_PRIVATE)}, "the same, mapped"},
      {SCMP_SYS(mmap), {bits(2, PROT_EXEC | PROT_WRITE, 0), bits(3, MAP_TYPE, MAP_SHARED)}, "fontconfig's caches"},
      {SCMP_SYS(getdents64), {}, "folders of fonts"},
      {SCMP_SYS(newfstatat), {}, "whether they changed since the cache was made"},
      {SCMP_SYS(fstatfs), {}, "whether their file system's times can be trusted"},
      {SCMP_SYS(statfs), {}, "the same"},
      {SCMP_SYS(access), {}, "which of them can be read"},
      {SCMP_SYS(readlink), {}, "links among them"},
      {SCMP_SYS(clone), {bits(0, thread_flags, thread_flags)}, "a thread, never a process"},
      {SCMP_SYS(set_robust_list), {}, "a thread's beginning"},
      {SCMP_SYS(rseq), {}, "the same"},
      {SCMP_SYS(prctl), {equals(0, PR_SET_NAME)}, "glib names its threads"},
      {SCMP_SYS(eventfd2), {}, "how glib's threads wake each other"},
  };
}

std::vector<Refusal> refused_to_typesetter() {
  std::vector<Refusal> rows = {
      {SCMP_SYS(clone3), {}, ENOSYS, no_clone3},
      {SCMP_SYS(openat), {bits(2, O_ACCMODE, O_WRONLY)}, EACCES, "fontconfig would renew its cache"},
      {SCMP_SYS(openat), {bits(2, O_ACCMODE, O_RDWR)}, EACCES, "the same"},
      {SCMP_SYS(fcntl), {equals(1, F_SETLK)}, EACCES, "the same"},
  };
  add(rows, {{"the same",
              {SCMP_SYS(mkdir), SCMP_SYS(link), SCMP_SYS(symlink), SCMP_SYS(rename), SCMP_SYS(unlink), SCMP_SYS(chmod),
               SCMP_SYS(utimensat)}}});
  return rows;
}

// Nobody can say what a stranger's module calls: this is what none has a reason to. Refused, and not killed for: a
// module that merely tries goes on without.
std::vector<Refusal> refused_to_token(std::uint64_t self) {
  std::vector<Refusal> rows = {
      {SCMP_SYS(clone), {bits(0, CLONE_THREAD, 0)}, EACCES, "a process; threads are allowed"},
      {SCMP_SYS(clone3), {}, ENOSYS, no_clone3},
      {SCMP_SYS(kill), {differs(0, self)}, EACCES, "signals to others"},
      {SCMP_SYS(tgkill), {differs(0, self)}, EACCES, "the same"},
      {SCMP_SYS(mmap), {bits(2, PROT_EXEC, PROT_EXEC), bits(3, MAP_ANONYMOUS, MAP_ANONYMOUS)}, EACCES, "code made up"},
      {SCMP_SYS(mprotect), {bits(2, PROT_EXEC, PROT_EXEC)}, EACCES, "the same"},
      {SCMP_SYS(socket), {above(0, AF_NETLINK)}, EACCES, "the network"},
  };
  // A card's daemon is asked over a Unix socket, the kernel for devices over a netlink one.
  for (std::uint64_t family = AF_UNIX + 1; family < AF_NETLINK; ++family)
    rows.push_back({SCMP_SYS(socket), {equals(0, family)}, EACCES, "the network"});
  add(rows,
      {{"programs and processes", {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork)}},
       {"other processes",
        {SCMP_SYS(ptrace), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
         SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev)}},
       {"the same, by descriptors", {SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal)}},
       {"other rights", {SCMP_SYS(setuid), SCMP_SYS(setreuid), SCMP_SYS(setresuid), SCMP_SYS(setgid)}},
       {"the same", {SCMP_SYS(setregid), SCMP_SYS(setresgid), SCMP_SYS(prctl), SCMP_SYS(personality)}},
       {"another view of the files", {SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot)}},
       {"the same", {SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(open_by_handle_at)}},
       {"name spaces", {SCMP_SYS(unshare), SCMP_SYS(setns)}},
       {"programs that nobody can look at", {SCMP_SYS(memfd_create)}},
       {"the kernel's wide doors", {SCMP_SYS(io_uring_setup), SCMP_SYS(bpf), SCMP_SYS(perf_event_open)}},
       {"the same", {SCMP_SYS(userfaultfd), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key)}},
       {"the machine", {SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(reboot)}},
       {"the same", {SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(iopl), SCMP_SYS(ioperm)}}});
  return rows;
}

}  // namespace exhibit::sandbox
