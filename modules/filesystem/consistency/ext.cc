#include "filesystem/consistency/ext.h"

#include "filesystem/consistency/ext_checks.h"

namespace exhibit::filesystem {

void check_ext(ByteSource& volume, const std::string& volume_id, base::Reporter& reporter) {
  consistency::Teller teller(volume_id, reporter);
  consistency::ExtVolume ext(volume, teller);
  if (consistency::check_superblock(ext)) {
    consistency::check_mmp(ext);
    if (consistency::check_groups(ext)) {
      consistency::check_inodes(ext);
      consistency::check_attribute_references(ext);
      consistency::check_journal(ext);
      consistency::check_directories(ext);
      consistency::check_bitmaps(ext);
    }
  }
  teller.finish();
}

}  // namespace exhibit::filesystem
