// Every other image format's recogniser, and what it opens; the second file is what a chain or an extent would name.

#include "fuzz/image_input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace exhibit;
  const auto name = [](std::size_t number) {
    return number == 1 ? std::string("disk.img") : "base" + std::to_string(number) + ".img";
  };
  fuzz::read_image(fuzz::segments_of(fuzz::text_of(data, size), name));
  return 0;
}
