#include "engine/task.h"

#include <fstream>

namespace exhibit::engine {
namespace {

Error unreadable(const std::string& path) { return {ErrorCode::io_error, path + ": cannot be read back", {}, {}}; }

Result<void> for_each_in(const std::string& path, std::uint64_t offset, std::uint64_t lines,
                         const std::function<Result<void>(std::string_view)>& call) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(path);
  file.seekg(static_cast<std::streamoff>(offset));
  std::string line;
  for (std::uint64_t i = 0; i < lines && std::getline(file, line); ++i) EXHIBIT_TRY(call(line));
  if (file.bad()) return unreadable(path);
  return {};
}

}  // namespace

std::uint64_t line_count(const std::vector<LineSlice>& slices) {
  std::uint64_t count = 0;
  for (const LineSlice& slice : slices) count += slice.lines;
  return count;
}

Result<void> for_each_line(const std::vector<LineSlice>& slices,
                           const std::function<Result<void>(std::string_view)>& call) {
  for (const LineSlice& slice : slices) EXHIBIT_TRY(for_each_in(slice.path, slice.offset, slice.lines, call));
  return {};
}

Result<void> for_each_line(const std::string& path, const std::function<Result<void>(std::string_view)>& call) {
  return for_each_in(path, 0, UINT64_MAX, call);
}

}  // namespace exhibit::engine
