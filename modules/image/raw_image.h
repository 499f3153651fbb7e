#pragma once
// The bytes of one file, or of several one after another, as they are.

#include "image/image.h"

namespace exhibit::image {

// Owns the segments. An Error where they hold no byte at all. Stretches that the system cannot read become doubts.
Result<std::unique_ptr<Image>> open_raw(std::vector<SegmentFile> segments);

}  // namespace exhibit::image
