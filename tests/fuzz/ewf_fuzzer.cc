// Our own reader of EWF's sections and tables, without libewf behind it.

#include "fuzz/image_input.h"
#include "image/formats/ewf/layout.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto segments = fuzz::segments_of(fuzz::text_of(data, size));
  for (const image::SegmentFile& segment : segments) {
    (void)image::ewf::signature_of(segment);
    const auto chain = image::ewf::read_chain(segment);
    if (!chain.ok()) continue;
    for (const auto& section : chain->sections) {
      FUZZ_CHECK(section.data() <= section.end && section.end <= segment.size);
    }
  }
  const auto layout = image::ewf::read_layout(segments);
  if (!layout.ok()) return 0;
  FUZZ_CHECK(layout->located_chunks > 0 && layout->media.chunk_size() > 0);
  FUZZ_CHECK(layout->located_chunks >= layout->media.chunks() || !layout->notices.empty());
  if (layout->last_chunk) {
    FUZZ_CHECK(layout->last_chunk->segment < segments.size());
    FUZZ_CHECK(layout->last_chunk->offset < layout->last_chunk->end);
    FUZZ_CHECK(layout->last_chunk->end <= segments[layout->last_chunk->segment].size);
  }
  return 0;
}
