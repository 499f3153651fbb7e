#pragma once
// An item's content, from wherever it comes.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <memory>

#include "worker/task.h"

namespace exhibit::worker {

// As its file system gives it; of a carved item, the bytes of its extents, whatever file system is around them.
Result<std::unique_ptr<ByteSource>> content_of(const Item& item, OpenVolume& volume);

}  // namespace exhibit::worker
