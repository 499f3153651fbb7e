#include "image/segment_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace exhibit::image {

Result<std::size_t> read_some(const SegmentFile& segment, std::uint64_t offset, std::span<std::byte> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got =
        ::pread(segment.fd.get(), buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return Error{ErrorCode::io_error, segment.name + ": cannot be read: " + std::strerror(errno), segment.name,
                   offset + done};
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<std::string> read_exactly(const SegmentFile& segment, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  const std::size_t got = EXHIBIT_TRY(read_some(segment, offset, std::as_writable_bytes(std::span(bytes))));
  if (got != length) {
    return Error{ErrorCode::corrupt,
                 segment.name + ": ends at " + std::to_string(offset + got) + ", inside " + std::to_string(length) +
                     " bytes needed at " + std::to_string(offset),
                 segment.name, offset};
  }
  return bytes;
}

}  // namespace exhibit::image
