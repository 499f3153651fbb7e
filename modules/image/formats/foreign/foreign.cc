// Containers that this version doesn't read: told by name, so that no finding is made over a container's bytes in the
// belief that they are a medium's. `--as raw` takes the bytes as they are all the same.

#include "image/format.h"
#include "image/formats/foreign/containers.h"

namespace exhibit::image {
namespace foreign {
namespace {

Recognition recognise(const std::vector<SegmentFile>& segments) {
  return container_of(segments) ? Recognition::mine : Recognition::not_mine;
}

Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) {
  const SegmentFile& first = segments.front();
  if (const auto container = container_of(segments)) {
    return Error{
        ErrorCode::unsupported,
        first.name + ": is " + *container + ", which this version doesn't read; --as raw takes its bytes as they are",
        first.name, 0};
  }
  return Error{ErrorCode::invalid_argument,
               first.name + ": is none of the containers that this version knows and doesn't read; leave out --as",
               first.name,
               {}};
}

}  // namespace
}  // namespace foreign

extern const Format foreign_format;
const Format foreign_format = {"foreign-container", image::foreign::recognise, image::foreign::open};

}  // namespace exhibit::image
