#pragma once
// What a set of EWF segments says of itself, read and checked by ourselves: the medium's geometry, which chunks the
// tables account for, the stored digests and the header texts. libewf decodes the chunks; it tells too little of what
// is damaged, missing or left over, and it turns dates into the local time zone of whoever runs it.

#include "image/formats/ewf/sections.h"

namespace exhibit::image::ewf {

struct Media {
  std::uint32_t sectors_per_chunk = 0, bytes_per_sector = 0;
  std::uint64_t sectors = 0;
  std::string set_identifier;  // 16 bytes; zeros or empty where the writer sets none
  bool smart = false;          // the 94-byte volume section of ASR SMART
  std::uint64_t size() const { return sectors * bytes_per_sector; }
  std::uint64_t chunk_size() const { return std::uint64_t{sectors_per_chunk} * bytes_per_sector; }
  std::uint64_t chunks() const { return (sectors + sectors_per_chunk - 1) / sectors_per_chunk; }
};

// Where the last chunk of the medium lies.
struct ChunkPlace {
  std::size_t segment = 0;
  std::uint64_t offset = 0, end = 0;
  bool compressed = false;
};

struct Layout {
  Media media;
  // How many chunks from the first one on the tables account for beyond doubt. What lies behind is not to be read:
  // without a table the number of its chunks, and so the place of all that follow, is a guess.
  std::uint64_t located_chunks = 0;
  std::optional<ChunkPlace> last_chunk;
  Digests stored_digests;
  std::map<std::string, std::string> acquisition;
  std::vector<std::string> notices;  // deterministic texts
};

// Sorts the segments by their own numbers. An Error names the segment that is missing, foreign or damaged beyond use.
Result<Layout> read_layout(std::vector<SegmentFile>& segments);

// The header texts: zlib-compressed, tab-separated lines; `header2` in UTF-16, `header` in one-byte characters. Adds
// the values that `acquisition` doesn't hold yet; false where the section cannot be read.
bool add_header_values(std::string_view compressed, bool utf16, std::map<std::string, std::string>& acquisition);

}  // namespace exhibit::image::ewf
