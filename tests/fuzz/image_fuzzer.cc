// EWF and what is named as it, with its segments.

#include "fuzz/image_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace exhibit;
  fuzz::read_image(fuzz::segments_of(fuzz::text_of(data, size)));
  return 0;
}
