#pragma once
// Where the chunks of an image lie. A table is kept as one small record; its entries stay in the file, four bytes a
// chunk, and are read through a small cache: an image of any size costs the same memory.
// Joachim Metz, "Expert Witness Compression Format (EWF)", section 3.9 (table section).

#include <array>
#include <optional>

#include "image/formats/ewf/sections.h"

namespace exhibit::image::ewf {

// What a `table` section (or its copy, `table2`) says, once its checksums have been found good.
struct ChunkTable {
  std::size_t segment = 0;          // index
  std::uint64_t first_chunk = 0;    // of the medium
  std::uint32_t count = 0;          // of chunks
  std::uint64_t first_entry = 0;    // in the file
  std::uint64_t base = 0;           // added to each entry's offset
  bool summed = false;              // its entries have a checksum (all but SMART's)
  bool chunks_follow = false;       // behind the entries, in the same section (EnCase 1, SMART)
  std::uint32_t first_wide = 0;     // from this entry on all 32 bits are offset and no chunk is compressed
  std::uint64_t data = 0, end = 0;  // the chunks' own stretch of the file; empty where the sections don't say
};

// Whether the header of a table's section checks.
Result<bool> has_sound_header(const SegmentFile& segment, const Section& section);

// Checks one section, header and entries; nothing where it doesn't check. The chunks' stretch, the segment and the
// first chunk are the caller's to fill in.
Result<std::optional<ChunkTable>> read_chunk_table(const SegmentFile& segment, const Section& section);

// The stored bytes of one chunk.
struct ChunkPlace {
  std::size_t segment = 0;  // index
  std::uint64_t offset = 0, end = 0;
  bool compressed = false;
  bool sure = false;  // a checksum vouches for it
  std::uint64_t length() const { return end - offset; }
};

class ChunkLocator {
 public:
  // `segments` and `tables` must outlive the locator; the tables in the order of their chunks, without a gap.
  ChunkLocator(const std::vector<SegmentFile>& segments, const std::vector<ChunkTable>& tables,
               std::uint64_t chunk_size);

  // Nothing where no table has the chunk, where its offset and the next one make no sense, or where it is longer than
  // any writer stores one.
  std::optional<ChunkPlace> place(std::uint64_t chunk);

 private:
  // One stretch of a table's entries.
  struct Block {
    std::size_t segment = 0;
    std::uint64_t offset = 0;  // 0: holds nothing; no table begins there
    std::string bytes;
  };
  static constexpr std::size_t block_size = std::size_t{64} << 10;
  static constexpr std::size_t blocks = 16;  // 16,384 entries each, so those of 8 GiB of a medium in all

  // As it stands in the file.
  std::optional<std::uint32_t> entry(const ChunkTable& table, std::uint32_t index);

  const std::vector<SegmentFile>& segments_;
  const std::vector<ChunkTable>& tables_;
  std::uint64_t longest_;  // stored bytes of a chunk
  std::array<Block, blocks> blocks_;
};

}  // namespace exhibit::image::ewf
