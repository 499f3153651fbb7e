#include "hashset/scratch_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace exhibit::hashset {

Result<base::UniqueFd> nameless_file(const std::string& folder) {
  base::UniqueFd fd(folder.empty() ? ::memfd_create("hash set", MFD_CLOEXEC)
                                   : ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  return Error{ErrorCode::io_error, folder + ": no file can be made there: " + std::strerror(errno), folder, {}};
}

Result<void> write_fully(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const ErrorCode code = errno == ENOSPC || errno == EDQUOT ? ErrorCode::interrupted : ErrorCode::io_error;
      return Error{code, std::string("the index cannot be written: ") + std::strerror(errno), {}, {}};
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<ScratchFile> ScratchFile::create(const std::string& folder) {
  return ScratchFile(EXHIBIT_TRY(nameless_file(folder)));
}

Result<void> ScratchFile::append(std::string_view bytes) {
  EXHIBIT_TRY(write_fully(fd_.get(), bytes));
  size_ += bytes.size();
  return {};
}

Result<void> ScratchFile::read_at(std::uint64_t offset, std::span<char> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return Error{ErrorCode::io_error, std::string("a scratch file cannot be read: ") + std::strerror(errno), {}, {}};
    }
    bytes = bytes.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

void ScratchFile::discard(std::uint64_t offset, std::uint64_t length) {
  ::fallocate(fd_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
              static_cast<off_t>(length));
}

Result<void> Spool::append(std::string_view bytes) {
  waiting_ += bytes;
  if (waiting_.size() < piece_bytes) return {};
  if (file_.empty()) file_.push_back(EXHIBIT_TRY(ScratchFile::create(folder_)));
  const std::size_t whole = waiting_.size() / piece_bytes * piece_bytes;
  EXHIBIT_TRY(file_.front().append(std::string_view(waiting_).substr(0, whole)));
  waiting_.erase(0, whole);
  return {};
}

}  // namespace exhibit::hashset
