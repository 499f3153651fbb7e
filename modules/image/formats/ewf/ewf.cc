// Expert Witness Compression Format, version 1: EnCase's and FTK's .E01, linen's, EWF-X, SMART's .s01; single and
// split. libewf decodes; what is damaged or missing is told by our own reading of the layout and by libewf's checksum
// errors.

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "image/damage_map.h"
#include "image/format.h"
#include "image/formats/ewf/bytes.h"
#include "image/formats/ewf/ewf_handle.h"
#include "image/formats/ewf/layout.h"

namespace exhibit::image {
namespace ewf {
namespace {

class EwfImage final : public Image {
 public:
  EwfImage(std::vector<SegmentFile> segments, Layout layout)
      : segments_(std::move(segments)), layout_(std::move(layout)) {}

  Result<void> open();

  const ImageDescription& description() const override { return description_; }
  std::uint64_t size() const override { return description_.size; }
  std::uint64_t damaged_reads() const override { return damaged_reads_; }
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return doubts_.within(offset, length);
  }
  Result<std::string> tail() override { return tail_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;

 private:
  void describe();
  Result<std::string> read_tail();
  void add_acquisition_errors();
  void read_chunks(std::uint64_t offset, std::span<std::byte> buffer);
  void read_sound_parts(std::uint64_t offset, std::span<std::byte> buffer);
  void note_bad_sectors();
  void add_damage(std::uint64_t offset, std::uint64_t length, DoubtCause cause) {
    doubts_.add(offset, length, cause);
    zeroed_.add(offset, length, cause);
  }

  std::vector<SegmentFile> segments_;
  Layout layout_;
  std::unique_ptr<EwfHandle> handle_;  // reads segments_
  ImageDescription description_;
  std::string tail_;
  DamageMap doubts_;  // all there are
  DamageMap zeroed_;  // those whose bytes the container doesn't give, so that zeros stand in for them
  std::uint64_t known_bad_sectors_ = 0;
  std::uint64_t damaged_reads_ = 0;
};

Result<void> EwfImage::open() {
  handle_ = EXHIBIT_TRY(EwfHandle::open(segments_));
  describe();
  if (EXHIBIT_TRY(handle_->media_size()) != size()) {
    return Error{ErrorCode::corrupt,
                 segments_.front().name + ": its sections contradict each other on the medium's size",
                 segments_.front().name, file_header_size};
  }
  const std::uint64_t located = std::min(size(), layout_.located_chunks * layout_.media.chunk_size());
  if (located < size()) add_damage(located, size() - located, DoubtCause::missing_segment);
  add_acquisition_errors();
  auto tail = read_tail();
  if (tail.ok()) {
    tail_ = tail.take();
    if (!tail_.empty()) description_.stored_digests_size = size() + tail_.size();
  } else {
    description_.notices.push_back(tail.error().message);
  }
  return {};
}

void EwfImage::describe() {
  description_.format = layout_.media.smart ? "ewf-s01" : "ewf-e01";
  description_.size = layout_.media.size();
  description_.sector_size = layout_.media.bytes_per_sector;
  description_.stored_digests = layout_.stored_digests;
  description_.acquisition = layout_.acquisition;
  description_.notices = layout_.notices;
  if (!description_.stored_digests.contains("sha1"))
    if (auto sha1 = handle_->stored_digest("SHA1")) description_.stored_digests.emplace("sha1", *sha1);
}

// The zeros there are in the container, and its digests cover them; the medium held something else.
void EwfImage::add_acquisition_errors() {
  for (const SectorRange& range : handle_->acquisition_errors()) {
    const std::uint64_t first = std::min(range.first, layout_.media.sectors);
    const std::uint64_t count = std::min(range.count, layout_.media.sectors - first);
    doubts_.add(first * layout_.media.bytes_per_sector, count * layout_.media.bytes_per_sector, DoubtCause::read_error);
  }
}

// The last chunk holds bytes past the last whole sector where the source's length wasn't a multiple of a sector.
Result<std::string> EwfImage::read_tail() {
  if (!layout_.last_chunk) return std::string();
  const ChunkPlace& place = *layout_.last_chunk;
  const SegmentFile& segment = segments_[place.segment];
  const std::uint64_t chunk_size = layout_.media.chunk_size();
  const auto in_media = static_cast<std::size_t>(size() - (layout_.media.chunks() - 1) * chunk_size);
  constexpr std::size_t checksum_size = 4;
  // Compressed data are never stored where they are longer than the plain chunk; the slack is for deflate's framing.
  const std::uint64_t longest = chunk_size + chunk_size / 1000 + 64;
  if (place.end - place.offset > longest + checksum_size) return std::string();
  std::string stored =
      EXHIBIT_TRY(read_exactly(segment, place.offset, static_cast<std::size_t>(place.end - place.offset)));
  const auto bad = [&] {
    return Error{
        ErrorCode::corrupt,
        segment.name + ": the last chunk at offset " + std::to_string(place.offset) + " doesn't match its checksum",
        segment.name, place.offset};
  };
  std::string chunk;
  if (place.compressed) {
    chunk.resize(static_cast<std::size_t>(chunk_size));
    uLongf length = chunk.size();
    if (::uncompress(reinterpret_cast<Bytef*>(chunk.data()), &length, reinterpret_cast<const Bytef*>(stored.data()),
                     stored.size()) != Z_OK) {
      return bad();
    }
    chunk.resize(length);
  } else {
    if (stored.size() < checksum_size || !checks(stored, stored.size() - checksum_size)) return bad();
    chunk = stored.substr(0, stored.size() - checksum_size);
  }
  return chunk.size() > in_media && chunk.size() <= chunk_size ? chunk.substr(in_media) : std::string();
}

void EwfImage::note_bad_sectors() {
  const auto ranges = handle_->bad_sectors();
  std::uint64_t total = 0;
  for (const SectorRange& range : ranges) total += range.count;
  if (total == known_bad_sectors_) return;
  known_bad_sectors_ = total;
  for (const SectorRange& range : ranges) {
    const std::uint64_t first = std::min(range.first, layout_.media.sectors);
    const std::uint64_t count = std::min(range.count, layout_.media.sectors - first);
    add_damage(first * layout_.media.bytes_per_sector, count * layout_.media.bytes_per_sector, DoubtCause::crc_error);
  }
}

// What libewf refuses as a whole is asked for again chunk by chunk, so that one chunk costs no other.
void EwfImage::read_chunks(std::uint64_t offset, std::span<std::byte> buffer) {
  if (handle_->read(offset, buffer).ok()) return;
  const std::uint64_t chunk_size = layout_.media.chunk_size();
  for (std::size_t done = 0; done < buffer.size();) {
    const std::uint64_t at = offset + done;
    const auto part = buffer.subspan(
        done, static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size() - done, chunk_size - at % chunk_size)));
    if (!handle_->read(at, part).ok()) add_damage(at, part.size(), DoubtCause::read_error);
    done += part.size();
  }
}

// Leaves out what is known to be damaged: libewf 20140813 loses a chunk's memory each time it finds it bad.
void EwfImage::read_sound_parts(std::uint64_t offset, std::span<std::byte> buffer) {
  std::size_t done = 0;
  const auto read_up_to = [&](std::size_t end) {
    if (end > done) read_chunks(offset + done, buffer.subspan(done, end - done));
  };
  for (const Doubt& doubt : zeroed_.within(offset, buffer.size())) {
    const auto start = static_cast<std::size_t>(doubt.offset - offset);
    read_up_to(start);
    done = start + static_cast<std::size_t>(doubt.length);
  }
  read_up_to(buffer.size());
  note_bad_sectors();
}

Result<std::size_t> EwfImage::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
  if (offset >= size()) return std::size_t{0};
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size() - offset));
  buffer = buffer.first(wanted);
  read_sound_parts(offset, buffer);
  for (const Doubt& doubt : zeroed_.within(offset, wanted))
    std::memset(buffer.data() + (doubt.offset - offset), 0, static_cast<std::size_t>(doubt.length));
  if (doubts_.touches(offset, wanted)) ++damaged_reads_;
  return wanted;
}

Error unsupported(const SegmentFile& segment, const std::string& what) {
  return Error{ErrorCode::unsupported, segment.name + ": is " + what, segment.name, 0};
}

// An extension that only EWF uses: .E01 … .EZZ for the first segment's .E01, .s01, .Ex01, .L01, .Lx01.
bool named_as_ewf(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) return false;
  std::string extension = name.substr(dot + 1);
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return extension == "e01" || extension == "s01" || extension == "ex01" || extension == "l01" || extension == "lx01";
}

// Whether nothing of the segment can be used: no signature, or no chain of sections behind it.
bool beyond_use(const SegmentFile& segment, Signature signature) {
  if (signature == Signature::none || signature == Signature::broken) return true;
  return signature == Signature::ewf1 && !read_chain(segment).ok();
}

Recognition recognise(const std::vector<SegmentFile>& segments) {
  bool claimed = named_as_ewf(segments.front().name);
  bool damaged = false;
  for (const SegmentFile& segment : segments) {
    const Signature signature = signature_of(segment);
    claimed = claimed || signature != Signature::none;
    damaged = damaged || beyond_use(segment, signature);
  }
  if (!claimed) return Recognition::not_mine;
  return damaged ? Recognition::damaged : Recognition::mine;
}

Result<void> check_signatures(const std::vector<SegmentFile>& segments) {
  for (const SegmentFile& segment : segments) {
    switch (signature_of(segment)) {
      case Signature::ewf1:
        break;
      case Signature::ewf2:
        return unsupported(
            segment, "an EnCase 7 image (Ex01, EWF version 2), which libewf 20140813 cannot read; convert it to E01");
      case Signature::logical1:
      case Signature::logical2:
        return unsupported(
            segment,
            "a logical evidence file (L01, Lx01), which holds files and no medium; give an image of the medium");
      case Signature::broken:
      case Signature::none:
        return Error{ErrorCode::corrupt,
                     segment.name + ": doesn't begin with the EWF signature; it is damaged, or named as what it isn't",
                     segment.name, 0};
    }
  }
  return {};
}

Result<std::unique_ptr<Image>> open(std::vector<SegmentFile> segments) {
  EXHIBIT_TRY(check_signatures(segments));
  Layout layout = EXHIBIT_TRY(read_layout(segments));
  auto image = std::make_unique<EwfImage>(std::move(segments), std::move(layout));
  EXHIBIT_TRY(image->open());
  return std::unique_ptr<Image>(std::move(image));
}

}  // namespace
}  // namespace ewf

extern const Format ewf_format;
const Format ewf_format = {"ewf", image::ewf::recognise, image::ewf::open};

}  // namespace exhibit::image
