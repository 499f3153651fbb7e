#pragma once
// Whether an exFAT file system agrees with itself. The Sleuth Kit walks over damaged structures without a word; this
// tells what it met. Read-only; every offset is checked before it is used, and the time and memory grow with the volume
// alone, whatever its structures say.

#include <exhibit/byte_source.h>

#include <string>

#include "base/reporter.h"

namespace exhibit::filesystem {

// Tells each contradiction as a problem of stage `walk` and cause `corrupt` at `volume_id`, with the damaged
// structure's place in the volume's bytes. A consistent file system gives none. Clusters that the allocation bitmap
// holds in use and nothing uses are no contradiction: an unmount that failed leaves them.
void check_exfat(ByteSource& volume, const std::string& volume_id, base::Reporter& reporter);

}  // namespace exhibit::filesystem
