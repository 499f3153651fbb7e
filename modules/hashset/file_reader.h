#pragma once
// The bytes of a file that isn't lines, one buffer after the other.

#include <exhibit/result.h>

#include <cstdint>
#include <streambuf>
#include <vector>

#include "hashset/format.h"

namespace exhibit::hashset {

// A stream for parsers that take one. What couldn't be read ends the stream: ask error() then.
class FileReader final : public std::streambuf {
 public:
  explicit FileReader(const InputFile& file) : file_(file), buffer_(std::size_t{1} << 20) {}

  // Of the byte that is read next; from 1.
  std::uint64_t line() const;
  const std::optional<Error>& error() const { return error_; }

 protected:
  int_type underflow() override;

 private:
  const InputFile& file_;
  std::vector<char> buffer_;
  std::uint64_t offset_ = 0, lines_ = 0;  // of and before what the buffer holds
  std::optional<Error> error_;
};

}  // namespace exhibit::hashset
