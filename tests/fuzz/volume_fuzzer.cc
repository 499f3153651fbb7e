// Partition tables: whatever they say, the volumes lie in the medium, and what they own covers it once.

#include "fuzz/fuzz.h"
#include "volume/gpt.h"
#include "volume/volumes.h"

using namespace exhibit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t medium_size = std::uint64_t{8} << 20;
  constexpr std::uint32_t sector_size = 512;
  fuzz::MemorySource medium(fuzz::text_of(data, std::min<std::size_t>(size, medium_size)), medium_size);
  (void)volume::read_gpt(medium, 1, 4096);
  fuzz::Listener listener("E1");
  const auto volumes = volume::list_volumes(medium, sector_size, "E1", listener);
  if (!volumes.ok()) return 0;
  std::vector<volume::Range> owned;
  for (const volume::Volume& volume : *volumes) {
    FUZZ_CHECK(volume.size == 0 || (volume.offset < medium_size && volume.size <= medium_size - volume.offset));
    for (const volume::Range& range : volume.owned) {
      FUZZ_CHECK(range.offset <= volume.size && range.length <= volume.size - range.offset);
      owned.push_back({volume.offset + range.offset, range.length});
    }
    for (const volume::Range& range : volume.tables) {
      FUZZ_CHECK(range.offset <= volume.size && range.length <= volume.size - range.offset);
    }
  }
  std::sort(owned.begin(), owned.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  std::uint64_t reached = 0;
  for (const volume::Range& range : owned) {
    FUZZ_CHECK(range.offset == reached);
    reached += range.length;
  }
  FUZZ_CHECK(reached == medium_size);
  return 0;
}
