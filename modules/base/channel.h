#pragma once
// The wire between the coordinator and a worker: lines of JSON over a Unix stream socket, with the evidence's
// descriptors beside a line (SCM_RIGHTS, unix(7)). docs/protocol.md describes the messages.

#include <exhibit/result.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace exhibit::base {

// The kernel's limit on descriptors beside one message (SCM_MAX_FD, unix(7)).
inline constexpr std::size_t descriptors_per_message = 253;

// The largest line that either side accepts, LF included.
inline constexpr std::size_t largest_line = std::size_t{64} << 20;

// By which a worker tells why it ended.
inline constexpr int exit_memory = 101;      // it outgrew its memory
inline constexpr int exit_not_sealed = 102;  // it could not seal itself
inline constexpr int exit_protocol = 103;    // it was told something that is no message

// The socket's descriptor in a worker.
inline constexpr int worker_socket = 3;

// Takes what the socket holds and gives it out line by line.
class LineReader {
 public:
  enum class Fill { some, nothing, end, failed };

  // One recvmsg. `nothing`: a non-blocking socket, or one that isn't to be waited for, has no more for now.
  Fill fill(int socket, bool wait = true);

  // The next whole line without its LF; valid until fill().
  std::optional<std::string_view> next();

  // A line grew past largest_line.
  bool overflowed() const { return overflowed_; }

  // Descriptors received so far and not taken yet, in order.
  std::vector<UniqueFd>& descriptors() { return descriptors_; }

 private:
  std::string buffer_;
  std::size_t start_ = 0;    // of the first line not yet given out
  std::size_t scanned_ = 0;  // up to here there is no LF
  bool overflowed_ = false;
  std::vector<UniqueFd> descriptors_;
};

// Sends as much as goes; returns how many bytes went (0 where a non-blocking socket is full). The descriptors go with
// the first byte. An Error when the other side is gone.
Result<std::size_t> send_some(int socket, std::string_view bytes, const std::vector<int>& descriptors = {});

// Sends all, on a blocking socket.
Result<void> send_all(int socket, std::string_view bytes, const std::vector<int>& descriptors = {});

}  // namespace exhibit::base
