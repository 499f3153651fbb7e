#pragma once
// Whether a file system agrees with itself: damage that the walk passes over in silence becomes a problem.

#include "filesystem/filesystem.h"

namespace exhibit::filesystem {

// Tells each contradiction in the file system's own structures as a problem of stage `walk` at `volume_id`. Knows ext2,
// ext3, ext4 and exFAT; says nothing of other types.
void check_consistency(ByteSource& volume, const Description& description, const std::string& volume_id,
                       base::Reporter& reporter);

}  // namespace exhibit::filesystem
