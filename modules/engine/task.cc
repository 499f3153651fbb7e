#include "engine/task.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace exhibit::engine {
namespace {

Error unreadable(const std::string& path) { return {ErrorCode::io_error, path + ": cannot be read back", {}, {}}; }

Result<void> for_each_in(const std::string& path, std::uint64_t offset, std::uint64_t lines, const LineCall& call) {
  constexpr std::size_t piece = std::size_t{1} << 18;
  const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return unreadable(path);
  std::string bytes;
  std::size_t start = 0, scanned = 0;  // of the first line that wasn't given yet; no LF between the two
  for (std::uint64_t given = 0; given < lines;) {
    if (const std::size_t end = bytes.find('\n', scanned); end != std::string::npos) {
      EXHIBIT_TRY(call(std::string_view(bytes).substr(start, end - start)));
      start = scanned = end + 1;
      ++given;
      continue;
    }
    bytes.erase(0, start);
    start = 0;
    scanned = bytes.size();
    bytes.resize(scanned + piece);
    const ssize_t got = pread(file.get(), bytes.data() + scanned, piece, static_cast<off_t>(offset));
    if (got < 0) return unreadable(path);
    bytes.resize(scanned + static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
    if (got > 0) continue;
    if (!bytes.empty()) EXHIBIT_TRY(call(bytes));
    // Who named a number of lines knows that they were there.
    if (lines != UINT64_MAX && given + (bytes.empty() ? 0 : 1) < lines) return unreadable(path);
    return {};
  }
  return {};
}

}  // namespace

std::uint64_t line_count(const std::vector<LineSlice>& slices) {
  std::uint64_t count = 0;
  for (const LineSlice& slice : slices) count += slice.lines;
  return count;
}

Result<void> for_each_line(const std::vector<LineSlice>& slices, const LineCall& call) {
  for (const LineSlice& slice : slices) EXHIBIT_TRY(for_each_in(slice.path, slice.offset, slice.lines, call));
  return {};
}

Result<void> for_each_line(const std::string& path, const LineCall& call) {
  return for_each_in(path, 0, UINT64_MAX, call);
}

}  // namespace exhibit::engine
