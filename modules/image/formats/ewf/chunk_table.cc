#include "image/formats/ewf/chunk_table.h"

#include <algorithm>

#include "base/checked.h"
#include "image/formats/ewf/bytes.h"

namespace exhibit::image::ewf {
namespace {

constexpr std::size_t header_size = 24, entry_size = 4;
constexpr std::uint32_t compressed_flag = 0x80000000U;

std::uint32_t narrow(std::uint32_t entry) { return entry & ~compressed_flag; }

// Finds the entry from which on a table counts beyond 2 GiB. EnCase 6.7 writes segments larger than that, and from
// there on an entry has no room for the flag: what seems to lead back leads on (EWF, section 3.9.1).
class WideEntries {
 public:
  void take(std::string_view entries) {
    for (std::size_t at = 0; at < entries.size() && !first_; at += entry_size, ++index_) {
      const std::uint32_t entry = little32(entries, at);
      if (index_ > 0 && narrow(entry) < previous_ && (entry & compressed_flag) != 0) first_ = index_;
      previous_ = narrow(entry);
    }
  }
  std::uint32_t first(std::uint32_t count) const { return first_.value_or(count); }

 private:
  std::uint32_t index_ = 0, previous_ = 0;
  std::optional<std::uint32_t> first_;
};

std::optional<std::uint64_t> offset_of(const ChunkTable& table, std::uint32_t index, std::uint32_t entry) {
  return base::checked_add(table.base, index < table.first_wide ? narrow(entry) : entry);
}

}  // namespace

Result<bool> has_sound_header(const SegmentFile& segment, const Section& section) {
  if (section.data_size() < header_size) return false;
  return checks(EXHIBIT_TRY(read_exactly(segment, section.data(), header_size)), header_size - 4);
}

// Reads the entries in pieces: they can be many.
Result<std::optional<ChunkTable>> read_chunk_table(const SegmentFile& segment, const Section& section) {
  constexpr std::size_t piece_size = std::size_t{64} << 10;
  const std::optional<ChunkTable> damaged;
  if (!EXHIBIT_TRY(has_sound_header(segment, section))) return damaged;
  const std::string header = EXHIBIT_TRY(read_exactly(segment, section.data(), header_size));
  ChunkTable table;
  table.count = little32(header, 0);
  table.base = little64(header, 8);
  table.first_entry = section.data() + header_size;
  const std::uint64_t entries_size = std::uint64_t{table.count} * entry_size;
  if (table.count == 0 || entries_size > section.data_size() - header_size) return damaged;
  const std::uint64_t entries_end = table.first_entry + entries_size;
  std::optional<std::uint64_t> first_chunk;
  std::uint32_t sum = 1;
  WideEntries wide;
  std::string piece;
  for (std::uint64_t offset = table.first_entry; offset < entries_end; offset += piece.size()) {
    piece = EXHIBIT_TRY(read_exactly(segment, offset, std::min<std::uint64_t>(piece_size, entries_end - offset)));
    if (offset == table.first_entry) first_chunk = base::checked_add(table.base, narrow(little32(piece, 0)));
    sum = adler32_of(piece, sum);
    wide.take(piece);
  }
  table.first_wide = wide.first(table.count);
  table.chunks_follow = first_chunk && *first_chunk >= entries_end && *first_chunk < section.end;
  if (first_chunk == entries_end) return std::optional(table);  // SMART has no checksum behind the entries
  table.summed = true;
  if (section.end - entries_end < 4) return damaged;
  const std::string stored = EXHIBIT_TRY(read_exactly(segment, entries_end, 4));
  return little32(stored, 0) == sum ? std::optional(table) : damaged;
}

ChunkLocator::ChunkLocator(const std::vector<SegmentFile>& segments, const std::vector<ChunkTable>& tables,
                           std::uint64_t chunk_size)
    : segments_(segments),
      tables_(tables),
      // A plain chunk has a checksum of four bytes; a compressed one, which most writers store only where it is
      // shorter, at worst deflate's framing (zlib's compressBound).
      longest_(chunk_size + chunk_size / 1000 + 64) {}

std::optional<ChunkPlace> ChunkLocator::place(std::uint64_t chunk) {
  auto table = std::upper_bound(tables_.begin(), tables_.end(), chunk,
                                [](std::uint64_t value, const ChunkTable& t) { return value < t.first_chunk; });
  if (table == tables_.begin()) return std::nullopt;
  --table;
  if (chunk - table->first_chunk >= table->count) return std::nullopt;
  const auto index = static_cast<std::uint32_t>(chunk - table->first_chunk);
  const auto own = entry(*table, index);
  if (!own) return std::nullopt;
  std::optional<std::uint64_t> end = table->end;
  if (index + 1 < table->count) {
    const auto next = entry(*table, index + 1);
    if (!next) return std::nullopt;
    end = offset_of(*table, index + 1, *next);
  }
  const auto start = offset_of(*table, index, *own);
  if (!start || !end || *start < table->data || *end > table->end || *start >= *end || *end - *start > longest_)
    return std::nullopt;
  return ChunkPlace{table->segment, *start, *end, index < table->first_wide && (*own & compressed_flag) != 0,
                    table->summed};
}

std::optional<std::uint32_t> ChunkLocator::entry(const ChunkTable& table, std::uint32_t index) {
  const std::uint64_t within = std::uint64_t{index} * entry_size;
  const std::uint64_t start = table.first_entry + within / block_size * block_size;
  Block& block = blocks_[start / block_size % blocks];
  if (block.offset != start || block.segment != table.segment) {
    const std::uint64_t rest = table.first_entry + std::uint64_t{table.count} * entry_size - start;
    block.offset = 0;
    block.bytes.resize(std::min<std::uint64_t>(block_size, rest));
    const auto got = read_some(segments_[table.segment], start, std::as_writable_bytes(std::span(block.bytes)));
    if (!got.ok() || *got != block.bytes.size()) return std::nullopt;
    block.offset = start;
    block.segment = table.segment;
  }
  return little32(block.bytes, within % block_size);
}

}  // namespace exhibit::image::ewf
