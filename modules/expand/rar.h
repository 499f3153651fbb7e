#pragma once
// RAR through libarchive, whose word for a content isn't taken: it doesn't check every checksum, and it gives encrypted
// content of RAR 5 as if it were plain.

#include "expand/reader.h"

namespace exhibit::expand {

Result<std::unique_ptr<Reader>> open_rar(ByteSource& content);

}  // namespace exhibit::expand
