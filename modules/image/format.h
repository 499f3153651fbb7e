#pragma once
// What a folder in formats/ offers. CMake lists the folders, sorted, in the generated table of formats.

#include <span>

#include "image/image.h"

namespace exhibit::image {

struct Format {
  const char* name;  // what `--as` says
  Recognition (*recognise)(const std::vector<SegmentFile>& segments);
  // After `damaged` it gives an Error that names the segment and what is wrong with it.
  Result<std::unique_ptr<Image>> (*open)(std::vector<SegmentFile> segments);
};

// One a folder NAME of formats/: `extern const Format NAME_format;`.
std::span<const Format* const> all_formats();

}  // namespace exhibit::image
