#include "expand/lines.h"

#include <cstring>

namespace exhibit::expand {
namespace {

constexpr std::size_t buffer_size = std::size_t{256} << 10;

}  // namespace

Lines::Lines(ByteSource& content) : content_(content), buffer_(buffer_size) {}

Result<void> Lines::fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  const std::size_t got = EXHIBIT_TRY(content_.read_at(offset_ + end_, std::span(buffer_).subspan(end_)));
  end_ += got;
  is_read_ = got == 0;
  return {};
}

Result<Line> Lines::next() {
  const void* end = nullptr;
  while (true) {
    end = begin_ == end_ ? nullptr : std::memchr(buffer_.data() + begin_, '\n', end_ - begin_);
    if (end != nullptr || is_read_ || end_ - begin_ == buffer_.size()) break;
    EXHIBIT_TRY(fill());
  }
  const char* const text = reinterpret_cast<const char*>(buffer_.data()) + begin_;
  Line line;
  line.offset = offset_;
  line.is_begin = !was_cut_;
  line.length = end != nullptr ? static_cast<std::size_t>(static_cast<const char*>(end) - text) + 1 : end_ - begin_;
  line.text = {text, line.length - (end != nullptr ? 1 : 0)};
  if (end != nullptr && line.text.ends_with('\r')) line.text.remove_suffix(1);
  was_cut_ = end == nullptr && line.length > 0;
  begin_ += line.length;
  offset_ += line.length;
  return line;
}

}  // namespace exhibit::expand
