// One item's content to a descriptor that came with the task.

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "worker/task.h"

namespace exhibit::worker {
namespace {

constexpr std::size_t read_size = std::size_t{1} << 20;

Result<void> write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Error{ErrorCode::interrupted, "whoever read the content has gone", {}, {}};
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace

Result<void> run_cat(Context& context, const Task& task, Output& output) {
  if (task.descriptors.empty()) return Error{ErrorCode::internal, "no descriptor came with the task", {}, {}};
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume->filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume->id(), {}};
  const auto content = EXHIBIT_TRY(filesystem->open_content(task.arguments.at("address").get<std::string>()));
  std::vector<std::byte> buffer(read_size);
  for (std::uint64_t offset = 0; offset < content->size();) {
    output.touch(task.arguments.value("item", ""), buffer.size());
    const std::size_t got = EXHIBIT_TRY(content->read_at(offset, buffer));
    if (got == 0) break;
    EXHIBIT_TRY(write_all(task.descriptors.front().get(), std::span(buffer).first(got)));
    offset += got;
  }
  for (const Doubt& doubt : content->doubts(0, content->size())) {
    output.problem({task.arguments.value("item", ""),
                    "read",
                    name_of(ErrorCode::corrupt),
                    {{doubt.offset, doubt.length}},
                    std::string("zeros stand for bytes that could not be read: ") + name_of(doubt.cause)});
  }
  return {};
}

extern const Role cat_role;
const Role cat_role = {"cat", run_cat};

}  // namespace exhibit::worker
