#include "mount/mount.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "mount/fuse.h"

namespace exhibit::mount {
namespace {

// What libfuse would have printed last; it says so before any thread is started.
std::string last_words;

void keep_words(fuse_log_level, const char* format, va_list arguments) {
  std::array<char, 512> text{};
  std::vsnprintf(text.data(), text.size(), format, arguments);
  last_words = text.data();
  while (!last_words.empty() && last_words.back() == '\n') last_words.pop_back();
}

Error failed(const std::string& folder) {
  const std::string why = last_words.empty() ? std::string() : " (" + last_words + ")";
  return {ErrorCode::io_error, folder + ": nothing can be mounted there" + why, {}, {}};
}

// The kernel reads 128 KiB ahead of whoever reads a file from its beginning to its end; a request of another size costs
// as much. What is asked for at once can only be raised by root, and not before the first call: without it reading is a
// little slower, and nothing else. (Linux: Documentation/ABI/testing/sysfs-class-bdi.)
std::function<void()> reading_ahead(const std::string& folder) {
  struct statx found {};
  // Without a call to us, who don't answer yet.
  if (statx(AT_FDCWD, folder.c_str(), AT_STATX_DONT_SYNC, 0, &found) != 0) return [] {};
  const std::string device = std::to_string(found.stx_dev_major) + ":" + std::to_string(found.stx_dev_minor);
  return [path = "/sys/class/bdi/" + device + "/read_ahead_kb"] {
    const base::UniqueFd file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const std::string kilobytes = std::to_string(engine::largest_read >> 10);
    if (file) (void)!write(file.get(), kilobytes.data(), kilobytes.size());
  };
}

}  // namespace

std::string ability() {
  const base::UniqueFd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!device) return std::string("no: /dev/fuse: ") + std::strerror(errno);
  // Where Debian's libfuse looks for it.
  if (geteuid() != 0 && access("/usr/bin/fusermount3", X_OK) != 0)
    return "no: who isn't root needs fusermount3 (Debian: fuse3)";
  return std::string("libfuse ") + fuse_pkgversion();
}

struct Mount::Session {
  fuse_session* handle = nullptr;
  bool mounted = false, listening = false;
  ~Session() {
    if (listening) fuse_remove_signal_handlers(handle);
    if (mounted) fuse_session_unmount(handle);
    if (handle != nullptr) fuse_session_destroy(handle);
  }
};

Mount::Mount(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Mount::~Mount() = default;

Result<std::unique_ptr<Mount>> Mount::open(const MountOptions& options, View& view) {
  fuse_set_log_func(keep_words);
  auto session = std::make_unique<Session>();
  std::string flags = "ro,nosuid,nodev,noexec,fsname=exhibit,subtype=exhibit";
  if (options.allow_other) flags += ",allow_other";
  std::string name = "exhibit", option = "-o";
  std::array<char*, 4> words = {name.data(), option.data(), flags.data(), nullptr};
  fuse_args arguments = FUSE_ARGS_INIT(3, words.data());
  session->handle = fuse_session_new(&arguments, &operations(), sizeof(fuse_lowlevel_ops), &view);
  fuse_opt_free_args(&arguments);
  if (session->handle == nullptr) return failed(options.folder);
  session->listening = fuse_set_signal_handlers(session->handle) == 0;
  session->mounted = fuse_session_mount(session->handle, options.folder.c_str()) == 0;
  if (!session->mounted) return failed(options.folder);
  view.first_open = reading_ahead(options.folder);
  return std::unique_ptr<Mount>(new Mount(std::move(session)));
}

Result<void> Mount::go_to_background() {
  if (fuse_daemonize(0) == 0) return {};
  return Error{ErrorCode::internal, "no process in the background can be made", {}, {}};
}

Result<void> Mount::serve() {
  const std::unique_ptr<fuse_loop_config, decltype(&fuse_loop_cfg_destroy)> config(fuse_loop_cfg_create(),
                                                                                   fuse_loop_cfg_destroy);
  // It answers at once, or hands the call on to whoever reads.
  constexpr unsigned threads = 4;
  fuse_loop_cfg_set_max_threads(config.get(), threads);
  fuse_loop_cfg_set_idle_threads(config.get(), threads);
  const int ended = fuse_session_loop_mt(session_->handle, config.get());
  if (ended >= 0) return {};
  return Error{ErrorCode::io_error, std::string("the mount broke off: ") + std::strerror(-ended), {}, {}};
}

}  // namespace exhibit::mount
