#pragma once
// Bytes that are put away and read again: a file without a name, on disk or in memory. Whatever ends the process,
// nothing stays.

#include <exhibit/result.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"

namespace exhibit::hashset {

// A new file without a name in `folder`; in memory where that is empty.
Result<base::UniqueFd> nameless_file(const std::string& folder);
// Error: interrupted where the disk is full.
Result<void> write_fully(int fd, std::string_view bytes);

class ScratchFile {
 public:
  static Result<ScratchFile> create(const std::string& folder);

  std::uint64_t size() const { return size_; }
  Result<void> append(std::string_view bytes);
  Result<void> read_at(std::uint64_t offset, std::span<char> bytes) const;
  // Gives back the room of what isn't read again. Where the file system can't, it stays until the end.
  void discard(std::uint64_t offset, std::uint64_t length);

 private:
  explicit ScratchFile(base::UniqueFd fd) : fd_(std::move(fd)) {}

  base::UniqueFd fd_;
  std::uint64_t size_ = 0;
};

// A stream of bytes that waits until it's its turn in the file: written once, then read from its beginning.
class Spool {
 public:
  explicit Spool(std::string folder) : folder_(std::move(folder)) {}

  std::uint64_t size() const { return (file_.empty() ? 0 : file_.front().size()) + waiting_.size(); }
  Result<void> append(std::string_view bytes);
  // In pieces of `piece_bytes`, the last may be shorter. `call`: Result<void>(std::string_view).
  template <typename Call>
  Result<void> read(Call call) const {
    std::vector<char> piece(piece_bytes);
    const std::uint64_t on_disk = file_.empty() ? 0 : file_.front().size();
    for (std::uint64_t offset = 0; offset < on_disk;) {
      const std::uint64_t length = on_disk - offset < piece_bytes ? on_disk - offset : piece_bytes;
      EXHIBIT_TRY(file_.front().read_at(offset, std::span(piece).first(length)));
      EXHIBIT_TRY(call(std::string_view(piece.data(), length)));
      offset += length;
    }
    return waiting_.empty() ? Result<void>() : call(std::string_view(waiting_));
  }
  static constexpr std::size_t piece_bytes = std::size_t{1} << 20;

 private:
  std::string folder_;
  std::vector<ScratchFile> file_;  // none before the first piece is full
  std::string waiting_;            // less than piece_bytes
};

}  // namespace exhibit::hashset
