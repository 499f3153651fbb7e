#include "image/segment_file.h"

#include <unistd.h>

#include <algorithm>
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

Result<std::size_t> read_sparse(const SegmentFile& segment, std::uint64_t offset, std::span<std::byte> buffer) {
  // Asking costs more than reading a short hole.
  constexpr std::size_t worth_asking = std::size_t{1} << 20;
  const int fd = segment.fd.get();
  std::size_t done = 0;
  while (buffer.size() - done >= worth_asking) {
    const auto at = static_cast<off_t>(offset + done);
    off_t data = lseek(fd, at, SEEK_DATA);
    // No data behind it: a hole up to the file's end, or already past it.
    if (data < 0 && errno == ENXIO) data = lseek(fd, 0, SEEK_END);
    if (data < at) break;
    const auto hole = static_cast<std::size_t>(std::min<std::uint64_t>(data - at, buffer.size() - done));
    std::memset(buffer.data() + done, 0, hole);
    done += hole;
    if (done == buffer.size()) return done;
    const off_t end = lseek(fd, data, SEEK_HOLE);
    if (end <= data) break;
    const auto part = buffer.subspan(done, std::min<std::uint64_t>(end - data, buffer.size() - done));
    const std::size_t got = EXHIBIT_TRY(read_some(segment, static_cast<std::uint64_t>(data), part));
    done += got;
    if (got < part.size()) return done;
  }
  return done + EXHIBIT_TRY(read_some(segment, offset + done, buffer.subspan(done)));
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

std::optional<std::uint64_t> piece_number(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string digits = name.substr(dot + 1);
  if (digits.size() < 3 || digits.size() > 9) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return std::stoull(digits);
}

}  // namespace exhibit::image
