// Our own reader of EWF's sections and tables, without libewf behind it.

#include "fuzz/image_input.h"
#include "image/formats/ewf/chunk_reader.h"

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
  // Every chunk that is found lies in its file, and what can't be decoded of it is in doubt.
  constexpr std::uint64_t most_looked_at = 64;
  image::ewf::ChunkLocator locator(segments, layout->tables, layout->media.chunk_size());
  const std::uint64_t chunks = std::min(layout->media.chunks(), most_looked_at);
  for (std::uint64_t chunk = 0; chunk < chunks; ++chunk) {
    const auto place = locator.place(chunk);
    FUZZ_CHECK(!place || (place->segment < segments.size() && place->offset <= place->end &&
                          place->end <= segments[place->segment].size));
  }
  image::ewf::ChunkReader reader(segments, *layout);
  std::vector<std::byte> buffer(
      std::min<std::uint64_t>({layout->media.size(), chunks * layout->media.chunk_size(), std::uint64_t{1} << 21}));
  std::uint64_t reached = 0;
  for (const Doubt& doubt : reader.read(0, buffer)) {
    FUZZ_CHECK(doubt.length > 0 && doubt.offset >= reached);
    reached = doubt.offset + doubt.length;
  }
  (void)reader.tail();
  return 0;
}
