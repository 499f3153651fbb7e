// What lies in items that hold others: archives, packed files, and whatever lies in those.

#include "base/record.h"
#include "filesystem/run_content.h"
#include "worker/expansion.h"
#include "worker/item_content.h"

namespace exhibit::worker {
namespace {

using base::Json;

// Where its bytes lie in its volume they are read from there.
Result<std::unique_ptr<ByteSource>> open(const Item& item, OpenVolume& volume) {
  if (item.extents && item.state != ItemState::carved)
    return filesystem::run_content(volume.bytes(), {*item.extents, item.doubt});
  return content_of(item, volume);
}

}  // namespace

Result<void> run_expand(Context& context, const Task& task, Output& output) {
  Expander expander(context, task, expand_limits(task.arguments.at("limits")), output);
  const Json& volumes = task.arguments.at("volumes");
  Json arguments = {{"evidence", task.arguments.at("evidence")}};
  while (const base::RecordLine* record = task.next_record()) {
    const Item item = EXHIBIT_TRY(base::item_from_record(*record));
    const auto guess = base::container_of(item.type.value_or(""), item.path);
    if (!guess || task.skips(item.id)) continue;
    output.touch(item.id, 0);
    arguments["volume"] = volumes.at(item.volume);
    arguments["volume"]["id"] = item.volume;
    OpenVolume* volume = EXHIBIT_TRY(context.open_volume(arguments));
    const auto content = open(item, *volume);
    if (content.ok()) {
      expander.expand(item, *guess, **content);
    } else {
      output.problem({item.id, "expand", name_of(content.error().code), {}, content.error().message});
    }
  }
  return {};
}

extern const Role expand_role;
const Role expand_role = {"expand", run_expand};

}  // namespace exhibit::worker
