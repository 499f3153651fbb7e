#include "hashset/line_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace exhibit::hashset {
namespace {
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // of UTF-8
}

Result<LineReader> LineReader::create(int fd, std::string name) {
  return LineReader(fd, std::move(name), EXHIBIT_TRY(hash::create("sha256")));
}

Result<bool> LineReader::fill() {
  ssize_t got = -1;
  do {
    got = ::pread(fd_, buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return Error{ErrorCode::io_error, name_ + ": cannot be read: " + std::strerror(errno), name_, offset_};
  }
  unread_ = {buffer_.data(), static_cast<std::size_t>(got)};
  offset_ += unread_.size();
  hasher_->update(std::as_bytes(std::span(unread_)));
  return got > 0;
}

Result<std::optional<TextLine>> LineReader::whole(std::string_view text, bool too_long) {
  if (++number_ == 1 && text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  if (text.ends_with('\r')) text.remove_suffix(1);
  return std::optional(TextLine{number_, text, too_long});
}

Result<std::optional<TextLine>> LineReader::next() {
  joined_.clear();
  bool too_long = false;
  while (true) {
    if (unread_.empty() && !EXHIBIT_TRY(fill())) {
      if (joined_.empty()) return std::optional<TextLine>();
      return whole(joined_, too_long);
    }
    const std::size_t end = unread_.find('\n');
    const std::string_view piece = unread_.substr(0, end);
    unread_.remove_prefix(std::min(unread_.size(), piece.size() + 1));
    if (end != std::string_view::npos && joined_.empty()) return whole(piece, false);
    const std::size_t room = longest_line - std::min(longest_line, joined_.size());
    too_long = too_long || piece.size() > room;
    joined_ += piece.substr(0, room);
    if (end != std::string_view::npos) return whole(joined_, too_long);
  }
}

}  // namespace exhibit::hashset
