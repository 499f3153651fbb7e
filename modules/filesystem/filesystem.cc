#include "filesystem/filesystem.h"

#include "filesystem/tsk/tsk_filesystem.h"
#include "filesystem/xfs/xfs_filesystem.h"

namespace exhibit::filesystem {

base::Json to_json(const Description& description) {
  base::Json json = {{"type", description.type}, {"block_size", description.block_size}};
  if (description.label) json["label"] = *description.label;
  if (description.id) json["id"] = *description.id;
  return json;
}

Result<std::unique_ptr<FileSystem>> open_filesystem(ByteSource& volume, std::uint32_t sector_size,
                                                    const std::string& volume_id) {
  auto xfs = xfs::open(volume, volume_id);
  if (xfs.ok() && *xfs == nullptr) return tsk::open(volume, sector_size, volume_id);
  if (xfs.ok() || xfs.error().code != ErrorCode::corrupt) return xfs;
  // What is left of an XFS may stand before another file system.
  auto other = tsk::open(volume, sector_size, volume_id);
  return other.ok() && *other != nullptr ? std::move(other) : std::move(xfs);
}

}  // namespace exhibit::filesystem
