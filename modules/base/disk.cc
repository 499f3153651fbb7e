#include "base/disk.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace exhibit::base {

Error write_error(const std::string& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  return {full ? ErrorCode::interrupted : ErrorCode::io_error,
          path + ": cannot be written: " + std::strerror(errno),
          {},
          {}};
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return write_error(path);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace exhibit::base
