#include "image/formats/ewf/chunk_reader.h"

#include <cstring>

#include "base/zeros.h"
#include "image/damage_map.h"
#include "image/formats/ewf/bytes.h"

namespace exhibit::image::ewf {
namespace {

constexpr std::size_t checksum_size = 4;
constexpr std::uint64_t most_fetched = std::uint64_t{1} << 20;  // stored bytes at once, if it is more than one chunk
constexpr std::uint64_t most_kept = std::uint64_t{8} << 20;     // decoded bytes, if it is more than one chunk
constexpr std::uint64_t most_kept_chunks = 256;                 // they are looked through one by one
// Who reads no more than this at once walks a file system (The Sleuth Kit's cache asks for 64 KiB), and comes back.
constexpr std::size_t most_metadata = std::size_t{64} << 10;
// A chunk of zeros is stored in a thousandth of its length, as deflate compresses no better.
constexpr std::size_t zeros_ratio = 128;

}  // namespace

ChunkReader::ChunkReader(const std::vector<SegmentFile>& segments, const Layout& layout)
    : segments_(segments),
      size_(layout.media.size()),
      chunk_size_(layout.media.chunk_size()),
      chunks_(layout.media.chunks()),
      locator_(segments, layout.tables, chunk_size_),
      most_kept_(static_cast<std::size_t>(std::clamp<std::uint64_t>(most_kept / chunk_size_, 1, most_kept_chunks))) {}

std::vector<Doubt> ChunkReader::read(std::uint64_t offset, std::span<std::byte> buffer) {
  DamageMap missing;
  const std::uint64_t end = offset + buffer.size();
  fetched_.clear();
  for (std::uint64_t at = offset; at < end;) {
    const std::uint64_t chunk = at / chunk_size_;
    const std::uint64_t length = std::min(end, (chunk + 1) * chunk_size_) - at;
    const auto part = buffer.subspan(static_cast<std::size_t>(at - offset), static_cast<std::size_t>(length));
    if (const Kept* kept = find(chunk)) {
      std::memcpy(part.data(), kept->bytes.data() + at % chunk_size_, part.size());
    } else {
      if (chunk - first_fetched_ >= fetched_.size()) fetch(chunk, (end - 1) / chunk_size_ + 1);
      if (const auto cause = deliver(chunk, at % chunk_size_, part, buffer.size() <= most_metadata))
        missing.add(chunk * chunk_size_, length_of(chunk), *cause);
    }
    at += length;
  }
  return missing.within(0, size_);
}

// Reads the stored bytes of `chunk` and of those behind it, up to `end`, that lie side by side with it.
void ChunkReader::fetch(std::uint64_t chunk, std::uint64_t end) {
  first_fetched_ = chunk;
  fetched_.clear();
  std::uint64_t length = 0;
  for (; chunk < end; ++chunk) {
    const auto place = locator_.place(chunk);
    if (!place) break;
    const bool beside =
        fetched_.empty() || (place->segment == fetched_.back().segment && place->offset == fetched_.back().end &&
                             length + place->length() <= most_fetched);
    if (!beside) break;
    length += place->length();
    fetched_.push_back(*place);
  }
  if (fetched_.empty()) return;
  if (stored_.size() < length) stored_.resize(static_cast<std::size_t>(length));
  const auto into = std::as_writable_bytes(std::span(stored_)).first(static_cast<std::size_t>(length));
  const ChunkPlace first = fetched_.front();
  auto got = read_some(segments_[first.segment], first.offset, into);
  if (!got.ok()) {  // a disk error behind the first chunk costs it nothing
    fetched_.resize(1);
    got = read_some(segments_[first.segment], first.offset, into.first(static_cast<std::size_t>(first.length())));
  }
  while (!fetched_.empty() && (!got.ok() || fetched_.back().end - first.offset > *got)) fetched_.pop_back();
}

// Nothing where all went well.
std::optional<DoubtCause> ChunkReader::deliver(std::uint64_t chunk, std::uint64_t within, std::span<std::byte> part,
                                               bool keep) {
  if (part.size() == chunk_size_ && !keep) return decode_whole(chunk, part);
  Kept& kept = oldest();
  kept.chunk = UINT64_MAX;
  kept.bytes.resize(static_cast<std::size_t>(chunk_size_));
  if (const auto cause = decode_whole(chunk, std::as_writable_bytes(std::span(kept.bytes)))) return cause;
  kept.chunk = chunk;
  kept.last_use = ++uses_;
  std::memcpy(part.data(), kept.bytes.data() + within, part.size());
  return std::nullopt;
}

// `out` has room for a whole chunk. The last one may be shorter, but not than the medium; it may hold more (tail()).
std::optional<DoubtCause> ChunkReader::decode_whole(std::uint64_t chunk, std::span<std::byte> out) {
  if (chunk - first_fetched_ >= fetched_.size()) return DoubtCause::read_error;
  const ChunkPlace& place = fetched_[static_cast<std::size_t>(chunk - first_fetched_)];
  const auto stored = std::string_view(stored_).substr(static_cast<std::size_t>(place.offset - fetched_.front().offset),
                                                       static_cast<std::size_t>(place.length()));
  const auto length = decode(place, stored, out);
  const bool whole = length && *length >= length_of(chunk);
  if (whole) return std::nullopt;
  return place.sure ? DoubtCause::crc_error : DoubtCause::read_error;
}

// How many bytes the chunk has; nothing where it doesn't check, or has more than `out`, a whole chunk's room.
std::optional<std::size_t> ChunkReader::decode(const ChunkPlace& place, std::string_view stored,
                                               std::span<std::byte> out) {
  if (!place.compressed) {
    if (stored.size() < checksum_size || stored.size() - checksum_size > out.size()) return std::nullopt;
    const std::size_t length = stored.size() - checksum_size;
    if (!checks(stored, length)) return std::nullopt;
    std::memcpy(out.data(), stored.data(), length);
    return length;
  }
  if (stored == zeros_) {
    std::memset(out.data(), 0, out.size());
    return out.size();
  }
  const auto length = inflater_.zlib(stored, out);
  if (length == out.size() && stored.size() < out.size() / zeros_ratio && base::all_zeros(out)) zeros_ = stored;
  return length;
}

ChunkReader::Kept* ChunkReader::find(std::uint64_t chunk) {
  for (Kept& kept : kept_) {
    if (kept.chunk != chunk) continue;
    kept.last_use = ++uses_;
    return &kept;
  }
  return nullptr;
}

ChunkReader::Kept& ChunkReader::oldest() {
  if (kept_.size() < most_kept_) return kept_.emplace_back();
  return *std::min_element(kept_.begin(), kept_.end(),
                           [](const Kept& a, const Kept& b) { return a.last_use < b.last_use; });
}

Result<std::string> ChunkReader::tail() {
  const auto place = locator_.place(chunks_ - 1);
  if (!place) return std::string();
  const SegmentFile& segment = segments_[place->segment];
  const std::string stored =
      EXHIBIT_TRY(read_exactly(segment, place->offset, static_cast<std::size_t>(place->length())));
  std::string chunk(static_cast<std::size_t>(chunk_size_), '\0');
  const auto length = decode(*place, stored, std::as_writable_bytes(std::span(chunk)));
  if (!length) {
    return Error{
        ErrorCode::corrupt,
        segment.name + ": the last chunk at offset " + std::to_string(place->offset) + " doesn't match its checksum",
        segment.name, place->offset};
  }
  const auto in_media = static_cast<std::size_t>(length_of(chunks_ - 1));
  return *length > in_media ? chunk.substr(in_media, *length - in_media) : std::string();
}

}  // namespace exhibit::image::ewf
