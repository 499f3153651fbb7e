#include "manifest/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

namespace exhibit::manifest {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 20;

Error system_error(const fs::path& path, std::string_view doing) {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT;
  const ErrorCode code = number == ENOENT ? ErrorCode::not_found : full ? ErrorCode::interrupted : ErrorCode::io_error;
  return file_error(code, path, std::string(doing) + ": " + std::generic_category().message(number));
}

Result<std::size_t> read_some(int fd, std::vector<char>& buffer, const fs::path& path) {
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return system_error(path, "cannot read");
  }
}

Result<void> write_durably(const fs::path& path, int flags, std::string_view bytes, mode_t mode = 0644) {
  base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode));
  if (!fd) return system_error(path, "cannot create");
  auto written = write_all(fd.get(), bytes, path);
  if (written.ok() && ::fsync(fd.get()) != 0) written = system_error(path, "cannot synchronise");
  // Of a file that is ours alone nothing stays but the whole.
  if (!written.ok() && (flags & O_EXCL) != 0) ::unlink(path.c_str());
  return written;
}

}  // namespace

Error file_error(ErrorCode code, const fs::path& path, std::string_view what) {
  return {code, path.string() + ": " + std::string(what), path.filename().string(), {}};
}

Result<base::UniqueFd> open_regular(const fs::path& path) {
  base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return system_error(path, "cannot open");
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return system_error(path, "cannot open");
  if (!S_ISREG(status.st_mode)) return file_error(ErrorCode::invalid_argument, path, "isn't a regular file");
  return fd;
}

Result<std::string> read_whole(const fs::path& path, std::uint64_t limit) {
  const base::UniqueFd fd = EXHIBIT_TRY(open_regular(path));
  std::string bytes;
  std::vector<char> buffer(piece_size);
  while (const std::size_t got = EXHIBIT_TRY(read_some(fd.get(), buffer, path))) {
    bytes.append(buffer.data(), got);
    if (bytes.size() > limit)
      return file_error(ErrorCode::size_limit, path, "is larger than " + std::to_string(limit) + " bytes");
  }
  return bytes;
}

Result<void> read_pieces(const fs::path& path, const std::function<void(std::string_view)>& take) {
  const base::UniqueFd fd = EXHIBIT_TRY(open_regular(path));
  std::vector<char> buffer(piece_size);
  while (const std::size_t got = EXHIBIT_TRY(read_some(fd.get(), buffer, path))) take({buffer.data(), got});
  return {};
}

Result<void> write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error(path, "cannot write");
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> sync_folder(const fs::path& folder) {
  const fs::path named = folder.empty() ? fs::path(".") : folder;
  const base::UniqueFd fd(::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return system_error(named, "cannot synchronise the folder");
  return {};
}

Result<void> write_new(const fs::path& path, std::string_view bytes, unsigned mode) {
  EXHIBIT_TRY(write_durably(path, O_EXCL, bytes, mode));
  return sync_folder(path.parent_path());
}

Result<void> replace(const fs::path& path, std::string_view bytes) {
  fs::path next = path;
  next += ".new";
  EXHIBIT_TRY(write_durably(next, O_TRUNC, bytes));
  if (::rename(next.c_str(), path.c_str()) != 0) return system_error(path, "cannot replace");
  return sync_folder(path.parent_path());
}

}  // namespace exhibit::manifest
