// Items whose content only their file system can give (compressed, or its place isn't told), and carved ones, one
// reading each.

#include <algorithm>

#include "base/record.h"
#include "filesystem/run_content.h"
#include "worker/examination.h"

namespace exhibit::worker {
namespace {

// `address` of Item::content: what follows the volume and "/i".
std::string address_of(const Item& item) {
  return item.content.substr(std::min(item.content.size(), item.volume.size() + 1));
}

// Carved content is the bytes of its extents, whatever file system is around them.
Result<std::unique_ptr<ByteSource>> content_of(const Item& item, OpenVolume& volume) {
  if (item.state == ItemState::carved)
    return filesystem::run_content(volume.bytes(), {item.extents.value_or(std::vector<Extent>()), {}});
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume.filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume.id(), {}};
  return filesystem->open_content(address_of(item));
}

}  // namespace

Result<void> run_examine(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  Examiner examiner(context, task.arguments.value("digests", std::vector<std::string>()), output);
  while (const base::RecordLine* record = task.next_record()) {
    const Item item = EXHIBIT_TRY(base::item_from_record(*record));
    if (!has_content(item)) {
      examiner.pass_on(record->text());
      continue;
    }
    if (const auto refusal = too_large(item, volume->bytes().size())) {
      examiner.refuse(item, record->text(), *refusal);
      continue;
    }
    output.touch(item.id, item.size);
    const auto content = content_of(item, *volume);
    if (content.ok()) {
      examiner.examine(item, record->text(), **content);
    } else {
      examiner.refuse(item, record->text(), content.error());
    }
  }
  return {};
}

extern const Role examine_role;
const Role examine_role = {"examine", run_examine};

}  // namespace exhibit::worker
