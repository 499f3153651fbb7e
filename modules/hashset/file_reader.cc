#include "hashset/file_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace exhibit::hashset {

std::uint64_t FileReader::line() const {
  return lines_ + static_cast<std::uint64_t>(std::count(eback(), gptr(), '\n')) + 1;
}

FileReader::int_type FileReader::underflow() {
  if (gptr() != egptr()) return traits_type::to_int_type(*gptr());
  lines_ += static_cast<std::uint64_t>(std::count(eback(), egptr(), '\n'));
  ssize_t got = -1;
  do {
    got = ::pread(file_.fd, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    error_ = Error{ErrorCode::io_error, file_.name + ": cannot be read: " + std::strerror(errno), file_.name, offset_};
  }
  const std::ptrdiff_t length = std::max<ssize_t>(got, 0);
  setg(buffer_.data(), buffer_.data(), buffer_.data() + length);
  offset_ += static_cast<std::uint64_t>(length);
  return length == 0 ? traits_type::eof() : traits_type::to_int_type(*gptr());
}

}  // namespace exhibit::hashset
