// A plain image: any bytes. It never claims anything; it is what is left when no other format does (DESIGN.md,
// "Recognition").

#include "image/format.h"
#include "image/raw_image.h"

namespace exhibit::image {
namespace {
Recognition recognise(const std::vector<SegmentFile>&) { return Recognition::not_mine; }
}  // namespace

extern const Format raw_format;
const Format raw_format = {"raw", recognise, open_raw};

}  // namespace exhibit::image
