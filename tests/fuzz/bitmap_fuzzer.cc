// Our own reading of bitmaps: whatever the header says, no more is decoded than there is, and a hash comes of it or an
// error. The other decoders are their libraries' to fuzz.

#include <array>

#include "fuzz/fuzz.h"
#include "match/perceptual/picture.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // What fuzzing is to find isn't found sooner in larger pictures, and each takes seconds.
  constexpr std::uint32_t most_points = std::uint32_t{1} << 20;
  constexpr std::size_t size_at = 18, size_end = 26;
  if (size < size_end) return 0;
  const auto number = [&](std::size_t at) {
    return std::uint32_t{data[at]} | std::uint32_t{data[at + 1]} << 8 | std::uint32_t{data[at + 2]} << 16 |
           std::uint32_t{data[at + 3]} << 24;
  };
  const std::uint32_t height = number(size_at + 4), rows = height > INT32_MAX ? -height : height;
  if (std::uint64_t{number(size_at)} * rows > most_points) return 0;
  const match::PictureDecoder* decoder = match::decoder_of("image/bmp");
  const auto hash = match::hash_picture(*decoder, {data, size}, match::Scaling::nearest_512);
  FUZZ_CHECK(!hash.ok() || (hash->width > 0 && hash->height > 0 && hash->pdq.quality <= 100));
  return 0;
}
