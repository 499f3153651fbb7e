#include "filesystem/consistency.h"

#include "filesystem/consistency/exfat.h"
#include "filesystem/consistency/ext.h"

namespace exhibit::filesystem {

void check_consistency(ByteSource& volume, const Description& description, const std::string& volume_id,
                       base::Reporter& reporter) {
  const std::string& type = description.type;
  if (type == "ext2" || type == "ext3" || type == "ext4") check_ext(volume, volume_id, reporter);
  if (type == "exfat") check_exfat(volume, volume_id, reporter);
}

}  // namespace exhibit::filesystem
