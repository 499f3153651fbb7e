#pragma once
// What a set of EWF segments says of itself, read and checked by ourselves: the medium's geometry, which chunks the
// tables account for and where they lie, the stored digests and the header texts. libewf tells too little of what is
// damaged, missing or left over, and it turns dates into the local time zone of whoever runs it.

#include "image/formats/ewf/chunk_table.h"

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

// Half-open range of sectors.
struct SectorRange {
  std::uint64_t first = 0, count = 0;
};

struct Layout {
  Media media;
  // How many chunks from the first one on the tables account for beyond doubt. What lies behind is not to be read:
  // without a table the number of its chunks, and so the place of all that follow, is a guess.
  std::uint64_t located_chunks = 0;
  std::vector<ChunkTable> tables;               // of the located chunks, in their order
  std::vector<SectorRange> acquisition_errors;  // what the one who made the image couldn't read of the medium
  // There are sections that we don't read, or can't: what they mean is left to libewf.
  bool foreign = false;
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
