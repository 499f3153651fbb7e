#pragma once
// The marks of image containers that this version doesn't read.

#include <optional>
#include <string>

#include "image/image.h"

namespace exhibit::image::foreign {

// What the files hold, as a message says it ("a QCOW2 image"); nothing where it may be a plain medium. A mark at the
// end of the files counts only where it fits the files' start and size, for a medium may end in the last sector of a
// container that lies on it.
std::optional<std::string> container_of(const std::vector<SegmentFile>& segments);

}  // namespace exhibit::image::foreign
