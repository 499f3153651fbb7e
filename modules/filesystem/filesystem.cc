#include "filesystem/filesystem.h"

#include "filesystem/tsk/tsk_filesystem.h"

namespace exhibit::filesystem {

base::Json to_json(const Description& description) {
  base::Json json = {{"type", description.type}, {"block_size", description.block_size}};
  if (description.label) json["label"] = *description.label;
  if (description.id) json["id"] = *description.id;
  return json;
}

Result<std::unique_ptr<FileSystem>> open_filesystem(ByteSource& volume, std::uint32_t sector_size,
                                                    const std::string& volume_id) {
  return tsk::open(volume, sector_size, volume_id);
}

}  // namespace exhibit::filesystem
