#include "worker/item_content.h"

#include <algorithm>

#include "filesystem/run_content.h"

namespace exhibit::worker {
namespace {

// `address` of Item::content: what follows the volume and "/i".
std::string address_of(const Item& item) {
  return item.content.substr(std::min(item.content.size(), item.volume.size() + 1));
}

}  // namespace

Result<std::unique_ptr<ByteSource>> content_of(const Item& item, OpenVolume& volume) {
  if (item.state == ItemState::carved)
    return filesystem::run_content(volume.bytes(), {item.extents.value_or(std::vector<Extent>()), {}});
  filesystem::FileSystem* filesystem = EXHIBIT_TRY(volume.filesystem());
  if (filesystem == nullptr) return Error{ErrorCode::not_found, "the volume has no file system", volume.id(), {}};
  return filesystem->open_content(address_of(item));
}

}  // namespace exhibit::worker
