#include "base/channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace exhibit::base {
namespace {

constexpr std::size_t receive_size = std::size_t{1} << 16;

}  // namespace

LineReader::Fill LineReader::fill(int socket, bool wait) {
  std::array<char, receive_size> bytes;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_per_message * sizeof(int))> control;
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Fill::nothing : Fill::failed;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors_.emplace_back(fd);
    }
  }
  if (got == 0) return Fill::end;
  if (start_ > 0) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  buffer_.append(bytes.data(), static_cast<std::size_t>(got));
  return Fill::some;
}

std::optional<std::string_view> LineReader::next() {
  const std::size_t end = buffer_.find('\n', std::max(start_, scanned_));
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    if (buffer_.size() - start_ >= largest_line) overflowed_ = true;
    return std::nullopt;
  }
  const std::string_view line = std::string_view(buffer_).substr(start_, end - start_);
  start_ = end + 1;
  scanned_ = start_;
  return line;
}

Result<std::size_t> send_some(int socket, std::string_view bytes, const std::vector<int>& descriptors) {
  EXHIBIT_CHECK(descriptors.size() <= descriptors_per_message && !bytes.empty());
  alignas(cmsghdr) std::array<char, CMSG_SPACE(descriptors_per_message * sizeof(int))> control{};
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size() * sizeof(int));
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EWOULDBLOCK) return std::size_t{0};
  return Error{ErrorCode::io_error, "the other side of a worker's socket is gone", {}, {}};
}

Result<void> send_all(int socket, std::string_view bytes, const std::vector<int>& descriptors) {
  const std::vector<int>* beside = &descriptors;
  static const std::vector<int> none;
  while (!bytes.empty()) {
    const std::size_t sent = EXHIBIT_TRY(send_some(socket, bytes, *beside));
    if (sent > 0) beside = &none;
    bytes.remove_prefix(sent);
  }
  return {};
}

}  // namespace exhibit::base
