#pragma once
// Tags that programs write behind the sound, whatever its format: APEv2, ID3v1.

#include "carve/content.h"

namespace exhibit::carve {

// Bytes of the tags that lie at `offset`, where the sound ends; 0: none. An APEv2 tag may come without a header of its
// own: it is then found by its footer.
std::uint64_t audio_tags_length(const Content& content, std::uint64_t offset);

}  // namespace exhibit::carve
