#pragma once
// The medium's bytes out of the stored chunks, in bounded memory: chunks that lie side by side are read at once, those
// of a large read are decoded where the caller wants them, and those of a small one are kept for a while.

#include <algorithm>

#include "image/codecs.h"
#include "image/formats/ewf/chunk_table.h"
#include "image/formats/ewf/layout.h"

namespace exhibit::image::ewf {

class ChunkReader {
 public:
  // Both must outlive the reader.
  ChunkReader(const std::vector<SegmentFile>& segments, const Layout& layout);

  // Fills `buffer`, which lies within the medium, but for the chunks that it gives back as doubts, whole chunks each:
  // crc_error where a chunk doesn't match its checksum or hasn't a chunk's length, read_error where it can't be found
  // for sure, or can't be read.
  std::vector<Doubt> read(std::uint64_t offset, std::span<std::byte> buffer);

  // What the last chunk holds past the medium's last whole sector: where the source's length wasn't a multiple of a
  // sector. Nothing where the chunk's place isn't known; an Error where the chunk doesn't check.
  Result<std::string> tail();

 private:
  struct Kept {
    std::uint64_t chunk = UINT64_MAX;
    std::uint64_t last_use = 0;
    std::string bytes;  // decoded, room for a whole chunk
  };

  // In the medium: the last chunk may be shorter.
  std::uint64_t length_of(std::uint64_t chunk) const { return std::min(chunk_size_, size_ - chunk * chunk_size_); }
  void fetch(std::uint64_t chunk, std::uint64_t end);
  std::optional<DoubtCause> deliver(std::uint64_t chunk, std::uint64_t within, std::span<std::byte> part, bool keep);
  std::optional<DoubtCause> decode_whole(std::uint64_t chunk, std::span<std::byte> out);
  std::optional<std::size_t> decode(const ChunkPlace& place, std::string_view stored, std::span<std::byte> out);
  Kept* find(std::uint64_t chunk);
  Kept& oldest();

  const std::vector<SegmentFile>& segments_;
  const std::uint64_t size_, chunk_size_, chunks_;
  ChunkLocator locator_;
  Inflater inflater_;

  // The chunks from `first_fetched_` on that were read at once, and their stored bytes.
  std::uint64_t first_fetched_ = 0;
  std::vector<ChunkPlace> fetched_;
  std::string stored_;

  const std::size_t most_kept_;  // chunks
  std::vector<Kept> kept_;
  std::uint64_t uses_ = 0;
  std::string zeros_;  // how the latest chunk of nothing but zeros was stored
};

}  // namespace exhibit::image::ewf
