#pragma once
// Lines of a text file, numbered, with the SHA-256 of all its bytes.

#include <exhibit/result.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "hash/multi_digest.h"

namespace exhibit::hashset {

struct TextLine {
  std::uint64_t number = 0;  // from 1
  std::string_view text;     // without LF, CR LF and the file's byte-order mark; until the next line
  bool too_long = false;     // `text` is only its beginning
};

class LineReader {
 public:
  static constexpr std::size_t longest_line = std::size_t{1} << 20;

  // Reads the file from its beginning, however far others have read it; `fd` must outlive the reader. `name` is for
  // messages.
  static Result<LineReader> create(int fd, std::string name);

  // nullopt at the end. Error (io_error) where the file can't be read on.
  Result<std::optional<TextLine>> next();

  // Of all the bytes, once next() gave nullopt: raw.
  std::string sha256() { return hasher_->finish(); }

 private:
  LineReader(int fd, std::string name, std::unique_ptr<hash::Hasher> hasher)
      : fd_(fd), name_(std::move(name)), hasher_(std::move(hasher)), buffer_(buffer_bytes) {}
  Result<bool> fill();  // false at the end of the file
  Result<std::optional<TextLine>> whole(std::string_view text, bool too_long);

  static constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

  int fd_;
  std::string name_;
  std::unique_ptr<hash::Hasher> hasher_;
  std::vector<char> buffer_;
  std::string_view unread_;   // within buffer_
  std::uint64_t offset_ = 0;  // of the next byte to read
  std::uint64_t number_ = 0;
  std::string joined_;  // a line that lies across two fillings of the buffer
};

}  // namespace exhibit::hashset
