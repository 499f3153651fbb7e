#pragma once
// What programs and cameras write behind a picture's end. None of it is in a standard; the layouts are those that the
// makers published or that ExifTool's documentation (exiftool.org, 'Trailers') describes.

#include <cstdint>

#include "carve/content.h"

namespace exhibit::carve {

// The end of the trailers that follow a picture that ends at `end`, one behind the other; `end` if there are none.
std::uint64_t end_of_trailers(const Content& content, std::uint64_t end);

// The end of a film that follows the picture and is the file's last part (Google's Motion Photo 1.0), whose XMP is at
// [xmp, xmp + length); `end` if there is none.
std::uint64_t end_of_motion(const Content& content, std::uint64_t xmp, std::uint64_t length, std::uint64_t end);

}  // namespace exhibit::carve
