// The forbidden acts, each tried for real: on a process that isn't sealed it goes through (the test shows it), so that
// a refusal is the seal's doing. Nothing that an act makes outlives it.

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/unique_fd.h"
#include "sandbox/seal.h"

namespace exhibit::sandbox {
namespace {

using base::UniqueFd;

// An act returns 0 where it went through, else the errno it was refused with.
int outcome(long result) { return result >= 0 ? 0 : errno; }
int outcome_of_descriptor(long result) {
  const UniqueFd fd(static_cast<int>(result));
  return outcome(result);
}

// Acts of several calls ask first with the one call that matters, on arguments which an open kernel answers with
// `harmless`. So a sealed process dies of that call, not of one that merely leads up to it.
int refusal(long result, int harmless) { return result >= 0 || errno == harmless ? 0 : errno; }

// Runs an act that would change this process in a child.
int in_child(int (*act)()) {
  const pid_t child = fork();
  if (child < 0) return errno;
  if (child == 0) _exit(act());
  int status = 0;
  if (waitpid(child, &status, 0) != child) return errno;
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

// --- files

int open_file() { return outcome_of_descriptor(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC)); }

// As evidence would be opened anew through its descriptor's name, perhaps with more rights.
int open_evidence_by_name() { return outcome_of_descriptor(syscall(SYS_open, "/proc/self/exe", O_RDONLY | O_CLOEXEC)); }

int open_file_otherwise() {
  const std::array<std::uint64_t, 3> how{O_RDONLY | O_CLOEXEC, 0, 0};  // struct open_how: flags, mode, resolve
  return outcome_of_descriptor(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how.data(), sizeof how));
}

int look_up_file() {
  struct stat found {};
  return outcome(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &found, 0));
}

// A file of this process's own, in the folder for such.
class ScratchFile {
 public:
  ScratchFile() {
    std::snprintf(name_.data(), name_.size(), "/tmp/exhibit-forbidden-%ld", static_cast<long>(syscall(SYS_getpid)));
    fd_.reset(static_cast<int>(syscall(SYS_openat, AT_FDCWD, name_.data(), O_WRONLY | O_CREAT | O_EXCL, 0600)));
    error_ = fd_ ? 0 : errno;
  }
  ~ScratchFile() {
    if (fd_) unlink(name_.data());
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const char* name() const { return name_.data(); }
  int error() const { return error_; }

 private:
  std::array<char, 64> name_{};
  UniqueFd fd_;
  int error_ = 0;
};

int create_file() { return ScratchFile().error(); }

int unlink_file() {
  if (const int error = refusal(syscall(SYS_unlink, nullptr), EFAULT)) return error;
  const ScratchFile file;
  return file.error() != 0 ? file.error() : outcome(unlink(file.name()));
}

int change_mode() {
  if (const int error = refusal(syscall(SYS_chmod, nullptr, 0), EFAULT)) return error;
  const ScratchFile file;
  return file.error() != 0 ? file.error() : outcome(chmod(file.name(), 0400));
}

int mount_over() {
  if (const int error = refusal(syscall(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr), EFAULT)) return error;
  return in_child([] {
    // Namespaces of its own keep the mount from everybody else.
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return errno;
    return outcome(mount("none", "/tmp", "tmpfs", 0, nullptr));
  });
}

// --- the world outside

int socket_unix() { return outcome_of_descriptor(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0)); }
int socket_inet() { return outcome_of_descriptor(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0)); }

int connect_out() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (const int error = refusal(syscall(SYS_connect, -1, &address, size), EBADF)) return error;
  const UniqueFd server(socket(AF_INET, SOCK_STREAM, 0));
  const UniqueFd client(socket(AF_INET, SOCK_STREAM, 0));
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  // listen() finds a free port itself.
  if (listen(server.get(), 1) != 0 || getsockname(server.get(), generic, &size) != 0) return errno;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return outcome(connect(client.get(), generic, size));
}

int send_to_address() {
  sockaddr_un address{AF_UNIX, "\0exhibit-forbidden"};  // abstract: no file
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (const int error = refusal(syscall(SYS_sendto, -1, "x", 1, 0, generic, sizeof address), EBADF)) return error;
  const UniqueFd server(socket(AF_UNIX, SOCK_DGRAM, 0));
  const UniqueFd client(socket(AF_UNIX, SOCK_DGRAM, 0));
  std::snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "exhibit-forbidden-%ld",
                static_cast<long>(syscall(SYS_getpid)));
  if (bind(server.get(), generic, sizeof address) != 0) return errno;
  return outcome(sendto(client.get(), "x", 1, 0, generic, sizeof address));
}

int control_device() { return outcome(syscall(SYS_ioctl, STDERR_FILENO, FIONCLEX)); }

int shared_memory() {
  const long id = syscall(SYS_shmget, IPC_PRIVATE, 1, 0600);
  const int result = outcome(id);
  if (id >= 0) shmctl(static_cast<int>(id), IPC_RMID, nullptr);
  return result;
}

// --- processes

int execute() {
  if (const int error = refusal(syscall(SYS_execve, nullptr, nullptr, nullptr), EFAULT)) return error;
  return in_child([] {
    char name[] = "/bin/true";
    char* const arguments[] = {name, nullptr};
    execv(name, arguments);
    return errno;
  });
}

int fork_process() {
  return in_child([] { return 0; });
}

int start_thread() {
  pthread_t thread{};
  const int error = pthread_create(
      &thread, nullptr, [](void* nothing) { return nothing; }, nullptr);
  if (error == 0) pthread_join(thread, nullptr);
  return error;
}

int trace() {
  if (const int error = refusal(syscall(SYS_ptrace, PTRACE_PEEKDATA, 0, nullptr, nullptr), ESRCH)) return error;
  return in_child([] { return outcome(syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr)); });
}

// Signal 0 asks only for permission.
int kill_parent() { return outcome(syscall(SYS_kill, syscall(SYS_getppid), 0)); }
int signal_other() { return outcome(syscall(SYS_tgkill, 1, 1, 0)); }

int read_process_memory() {
  int from = 1;
  int to = 0;
  const iovec local{&to, sizeof to};
  const iovec remote{&from, sizeof from};
  return outcome(syscall(SYS_process_vm_readv, syscall(SYS_getpid), &local, 1, &remote, 1, 0));
}

int steal_descriptor() {
  if (const int error = refusal(syscall(SYS_pidfd_getfd, -1, 0, 0), EBADF)) return error;
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, syscall(SYS_getpid), 0)));
  if (!process) return errno;
  return outcome_of_descriptor(syscall(SYS_pidfd_getfd, process.get(), STDERR_FILENO, 0));
}

// --- memory that runs

constexpr std::size_t page = 4096;

int executable_memory() {
  constexpr int protection = PROT_READ | PROT_WRITE | PROT_EXEC;
  void* memory = mmap(nullptr, page, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  munmap(memory, page);
  return 0;
}

int make_memory_executable() {
  void* memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  const int result = outcome(mprotect(memory, page, PROT_READ | PROT_EXEC));
  munmap(memory, page);
  return result;
}

int memory_file() { return outcome_of_descriptor(syscall(SYS_memfd_create, "exhibit", 0)); }

// --- rights, and the kernel's wide doors

int set_user() { return outcome(syscall(SYS_setuid, getauxval(AT_UID))); }

int raise_limit() {
  const rlimit more{RLIM_INFINITY, RLIM_INFINITY};
  return outcome(syscall(SYS_prlimit64, 0, RLIMIT_CORE, &more, nullptr));
}

int new_user_namespace() {
  if (const int error = refusal(syscall(SYS_unshare, 0), EINVAL)) return error;
  return in_child([] { return outcome(unshare(CLONE_NEWUSER)); });
}

int io_uring() {
  io_uring_params parameters{};
  return outcome_of_descriptor(syscall(SYS_io_uring_setup, 1, &parameters));
}

int bpf_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = sizeof(int);
  attributes.value_size = sizeof(int);
  attributes.max_entries = 1;
  return outcome_of_descriptor(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

int performance_counter() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.exclude_kernel = 1;
  return outcome_of_descriptor(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

int user_page_faults() { return outcome_of_descriptor(syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY)); }

int keyring() { return outcome(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1)); }

#if defined(__x86_64__)
int x32_call() { return outcome(syscall(0x40000000L + SYS_getpid)); }  // __X32_SYSCALL_BIT

// getpid of the 32-bit table, number 20.
int call_of_32_bits() {
  long result = 20;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result >= 0 ? 0 : static_cast<int>(-result);
}
#endif

// Which works may do it.
constexpr unsigned typesetter = 1, token = 2;
struct Act {
  const char* name;
  int (*act)();
  unsigned free_to = 0;
};

constexpr Act acts[] = {
    {"open-file", open_file, token},
    {"open-evidence-by-name", open_evidence_by_name, token},
    {"open-file-otherwise", open_file_otherwise, token},
    {"look-up-file", look_up_file, token | typesetter},
    {"create-file", create_file, token},
    {"unlink", unlink_file, token},
    {"chmod", change_mode, token},
    {"mount", mount_over},
    {"socket-unix", socket_unix, token},
    {"socket-inet", socket_inet},
    {"connect", connect_out},
    {"send-to-address", send_to_address, token},
    {"ioctl", control_device, token},
    {"shared-memory", shared_memory, token},
    {"exec", execute},
    {"fork", fork_process},
    {"thread", start_thread, token | typesetter},
    {"ptrace", trace},
    {"kill-parent", kill_parent},
    {"signal-other", signal_other},
    {"process-vm-read", read_process_memory},
    {"steal-descriptor", steal_descriptor},
    {"executable-memory", executable_memory},
    {"make-memory-executable", make_memory_executable},
    {"memfd", memory_file},
    {"setuid", set_user},
    {"raise-rlimit", raise_limit},
    {"new-user-namespace", new_user_namespace},
    {"io-uring", io_uring},
    {"bpf", bpf_map},
    {"perf", performance_counter},
    {"userfaultfd", user_page_faults},
    {"keyctl", keyring},
#if defined(__x86_64__)
    {"x32-syscall", x32_call},
    {"i386-syscall", call_of_32_bits},
#endif
};

}  // namespace

std::vector<std::string> forbidden_acts(Work work) {
  const unsigned free = work == Work::token ? token : work == Work::typeset ? typesetter : 0;
  std::vector<std::string> names;
  for (const Act& row : acts) {
    if ((row.free_to & free) == 0) names.emplace_back(row.name);
  }
  return names;
}

Attempt attempt(const std::string& act) {
  const auto* row = std::find_if(std::begin(acts), std::end(acts), [&act](const Act& a) { return act == a.name; });
  if (row == std::end(acts)) return {false, "no such act: " + act};
  const int error = row->act();
  if (error == 0) return {false, "went through"};
  return {true, strerrordesc_np(error)};
}

}  // namespace exhibit::sandbox
