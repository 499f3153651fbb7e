// Extended attributes of an entry, into the memory shared with the coordinator: their names, a NUL behind each; or the
// value of the one that is named.

#include <algorithm>
#include <cstring>

#include "worker/task.h"

namespace exhibit::worker {
namespace {

Result<std::string> answer_for(const std::vector<filesystem::Attribute>& attributes, const base::Json& arguments) {
  std::string names;
  for (const auto& attribute : attributes) {
    if (!arguments.contains("name")) {
      // A name that holds NUL can't be told from two.
      if (attribute.name.find('\0') == std::string::npos)
        names.append(arguments.value("prefix", "")).append(attribute.name).push_back('\0');
    } else if (arguments.at("name") == attribute.name) {
      if (attribute.value) return *attribute.value;
      return Error{ErrorCode::unsupported, "its value lies in an inode of its own", {}, {}};
    }
  }
  if (arguments.contains("name")) return Error{ErrorCode::not_found, "there is no such attribute", {}, {}};
  return names;
}

}  // namespace

Result<void> run_attributes(Context& context, const Task& task, Output& output) {
  output.touch(task.arguments.value("item", ""), 0);
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume->filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume->id(), {}};
  const auto all = EXHIBIT_TRY(filesystem->attributes(task.arguments.at("address").get<std::string>()));
  const std::string answer = EXHIBIT_TRY(answer_for(all, task.arguments));
  const auto into = context.shared.bytes();
  if (answer.size() > std::min(into.size(), task.arguments.at("bytes").get<std::size_t>()))
    return Error{ErrorCode::size_limit, "more than was asked for", {}, {}};
  std::memcpy(into.data(), answer.data(), answer.size());
  output.message({{"message", "read"}, {"bytes", answer.size()}});
  return {};
}

extern const Role attributes_role;
const Role attributes_role = {"attributes", run_attributes};

}  // namespace exhibit::worker
