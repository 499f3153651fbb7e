// Every image format's recogniser, and what it opens: whatever is read is there or in doubt.

#include "fuzz/image_input.h"

using namespace exhibit;

namespace {

constexpr std::uint64_t most_read = std::uint64_t{4} << 20;

void read(image::Image& image, std::uint64_t from, std::uint64_t to) {
  std::vector<std::byte> buffer(50000);  // across the chunks
  for (std::uint64_t offset = from; offset < to;) {
    const auto got = image.read_at(offset, buffer);
    if (!got.ok()) {
      offset += buffer.size();
      continue;
    }
    FUZZ_CHECK(*got <= buffer.size() && (*got == buffer.size() || offset + *got == image.size()));
    if (*got == 0) break;
    offset += *got;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto image = image::open_image(fuzz::segments_of(fuzz::text_of(data, size)));
  if (!image.ok()) {
    FUZZ_CHECK(!image.error().message.empty());
    return 0;
  }
  image::Image& medium = **image;
  FUZZ_CHECK(medium.description().size == medium.size());
  const std::uint64_t end = medium.size();
  read(medium, 0, std::min(end, most_read));
  read(medium, end > most_read ? end - 200000 : 0, end);
  std::uint64_t reached = 0;
  for (const Doubt& doubt : medium.doubts(0, end)) {
    FUZZ_CHECK(doubt.length > 0 && doubt.offset >= reached && doubt.length <= end - doubt.offset);
    reached = doubt.offset + doubt.length;
  }
  (void)medium.tail();
  return 0;
}
