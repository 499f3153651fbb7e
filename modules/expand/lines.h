#pragma once
// A content line by line, in bounded memory.

#include <exhibit/byte_source.h>

#include <string_view>
#include <vector>

namespace exhibit::expand {

struct Line {
  std::uint64_t offset = 0;  // in the content
  std::string_view text;     // without its end
  std::uint64_t length = 0;  // with its end; 0: there are no more
  bool is_begin = true;      // false: what is left of a line that is longer than `Lines` holds
};

class Lines {
 public:
  // `content` must outlive this.
  explicit Lines(ByteSource& content);

  // Valid until the next call. Lines end with LF or CRLF.
  Result<Line> next();
  std::uint64_t position() const { return offset_; }  // of the next

 private:
  Result<void> fill();

  ByteSource& content_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what of the buffer wasn't given yet
  std::uint64_t offset_ = 0;         // in the content, of buffer_[begin_]
  bool is_read_ = false, was_cut_ = false;
};

}  // namespace exhibit::expand
