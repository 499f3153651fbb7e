// Content to a descriptor that came with the task: of one item that its file system gives or that lies in such a one,
// or of items that lie in extents (carved ones), one behind the other.

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/record.h"
#include "filesystem/run_content.h"
#include "worker/member_lookup.h"
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

Result<void> copy(ByteSource& content, const std::string& id, int descriptor, Output& output) {
  std::vector<std::byte> buffer(read_size);
  for (std::uint64_t offset = 0; offset < content.size();) {
    output.touch(id, buffer.size());
    const std::size_t got = EXHIBIT_TRY(content.read_at(offset, buffer));
    if (got == 0) break;
    EXHIBIT_TRY(write_all(descriptor, std::span(buffer).first(got)));
    offset += got;
  }
  for (const Doubt& doubt : content.doubts(0, content.size())) {
    output.problem({id,
                    "read",
                    name_of(ErrorCode::corrupt),
                    {{doubt.offset, doubt.length}},
                    std::string("zeros stand for bytes that could not be read: ") + name_of(doubt.cause)});
  }
  return {};
}

Result<void> copy_named(Context& context, OpenVolume& volume, const Task& task, Output& output) {
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume.filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume.id(), {}};
  const auto content = EXHIBIT_TRY(filesystem->open_content(task.arguments.at("address").get<std::string>()));
  const std::string id = task.arguments.value("item", "");
  const int descriptor = task.descriptors.front().get();
  if (!task.arguments.contains("member")) return copy(*content, id, descriptor, output);
  Item container;
  container.id = task.arguments.at("container").get<std::string>();
  container.path = task.arguments.at("path").get<std::string>();
  return use_member(context, container, *content, task.arguments.at("member").get<std::string>(),
                    expand_limits(task.arguments.at("limits")),
                    [&](ByteSource& member) { return copy(member, id, descriptor, output); });
}

}  // namespace

Result<void> run_cat(Context& context, const Task& task, Output& output) {
  if (task.descriptors.empty()) return Error{ErrorCode::internal, "no descriptor came with the task", {}, {}};
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  if (task.arguments.contains("address")) return copy_named(context, *volume, task, output);
  while (const auto record = task.next_record()) {
    const Item item = EXHIBIT_TRY(base::item_from_record(*record));
    const auto content = filesystem::run_content(volume->bytes(), {item.extents.value_or(std::vector<Extent>()), {}});
    EXHIBIT_TRY(copy(*content, item.id, task.descriptors.front().get(), output));
  }
  return {};
}

extern const Role cat_role;
const Role cat_role = {"cat", run_cat};

}  // namespace exhibit::worker
