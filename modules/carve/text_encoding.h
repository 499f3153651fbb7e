#pragma once
// What encoding text is in, told by its bytes alone.

#include <cstdint>

#include "carve/content.h"

namespace exhibit::carve {

enum class Encoding { none, ascii, utf8, utf16_little, utf16_big, cp1251, koi8_r, cp866, other };

// Of the text that `bytes` begin with: its first few kilobytes are enough. `other`: a single-byte encoding without a
// model here. none: no text.
Encoding encoding_of(ByteSpan bytes);

// How many of `bytes` from the first are text in `encoding`.
std::size_t text_run_in(Encoding encoding, ByteSpan bytes);

}  // namespace exhibit::carve
