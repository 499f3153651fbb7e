#pragma once
// A gzip file (RFC 1952) of one small stream, unpacked in one step by libdeflate, which takes half of zlib's time.

#include <memory>

#include "expand/stream.h"

namespace exhibit::expand {

// nullptr: `content` is larger, or not surely whole and in order. The codec in pieces then says what it gives, and
// where it breaks.
std::unique_ptr<Stream> open_gzip_whole(ByteSource& content);

}  // namespace exhibit::expand
