// Expert Witness Compression Format, version 1: EnCase's and FTK's .E01, linen's, EWF-X, SMART's .s01; single and
// split. We read the layout and the chunks ourselves, several times faster than libewf and in bounded memory. libewf
// has the last word on a chunk that doesn't check, and the only one on images with sections that we don't read.

#include <algorithm>
#include <cstring>

#include "image/damage_map.h"
#include "image/format.h"
#include "image/formats/ewf/chunk_reader.h"
#include "image/formats/ewf/ewf_handle.h"
#include "image/formats/ewf/layout.h"

namespace exhibit::image {
namespace ewf {
namespace {

// libewf keeps some 15 bytes of memory for each chunk of the medium, and 150 for each one in a table that it has looked
// into (measured): no more than that of 32 GiB in chunks of 32 KiB.
constexpr std::uint64_t most_chunks_for_libewf = std::uint64_t{1} << 20;

class EwfImage final : public Image {
 public:
  EwfImage(std::vector<SegmentFile> segments, Layout layout)
      : segments_(std::move(segments)), layout_(std::move(layout)), reader_(segments_, layout_) {}

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
  void add_acquisition_errors();
  Result<void> open_libewf();
  bool may_ask_libewf();
  void ask_libewf(std::uint64_t offset, std::span<std::byte> buffer);
  void read_chunks(std::uint64_t offset, std::span<std::byte> buffer);
  void read_sound_parts(std::uint64_t offset, std::span<std::byte> buffer);
  void note_bad_sectors();
  void add_damage(std::uint64_t offset, std::uint64_t length, DoubtCause cause) {
    doubts_.add(offset, length, cause);
    zeroed_.add(offset, length, cause);
  }

  std::vector<SegmentFile> segments_;
  Layout layout_;
  ChunkReader reader_;                 // reads segments_
  std::unique_ptr<EwfHandle> handle_;  // the same; opened when it is first needed
  bool refused_ = false;               // the handle can't be had
  ImageDescription description_;
  std::string tail_;
  DamageMap doubts_;  // all there are
  DamageMap zeroed_;  // those whose bytes the container doesn't give, so that zeros stand in for them
  std::uint64_t known_bad_sectors_ = 0;
  std::uint64_t damaged_reads_ = 0;
};

Result<void> EwfImage::open() {
  if (layout_.foreign) EXHIBIT_TRY(open_libewf());
  describe();
  const std::uint64_t located = std::min(size(), layout_.located_chunks * layout_.media.chunk_size());
  if (located < size()) add_damage(located, size() - located, DoubtCause::missing_segment);
  add_acquisition_errors();
  auto tail = reader_.tail();
  if (tail.ok()) {
    tail_ = tail.take();
    if (!tail_.empty()) description_.stored_digests_size = size() + tail_.size();
  } else {
    description_.notices.push_back(tail.error().message);
  }
  return {};
}

Result<void> EwfImage::open_libewf() {
  auto handle = EXHIBIT_TRY(EwfHandle::open(segments_));
  if (EXHIBIT_TRY(handle->media_size()) != layout_.media.size()) {
    return Error{ErrorCode::corrupt,
                 segments_.front().name + ": its sections contradict each other on the medium's size",
                 segments_.front().name, file_header_size};
  }
  handle_ = std::move(handle);
  return {};
}

void EwfImage::describe() {
  description_.format = layout_.media.smart ? "ewf-s01" : "ewf-e01";
  description_.size = layout_.media.size();
  description_.sector_size = layout_.media.bytes_per_sector;
  description_.stored_digests = layout_.stored_digests;
  description_.acquisition = layout_.acquisition;
  description_.notices = layout_.notices;
  if (handle_ && !description_.stored_digests.contains("sha1"))
    if (auto sha1 = handle_->stored_digest("SHA1")) description_.stored_digests.emplace("sha1", *sha1);
}

// The zeros there are in the container, and its digests cover them; the medium held something else.
void EwfImage::add_acquisition_errors() {
  const auto ranges = handle_ ? handle_->acquisition_errors() : layout_.acquisition_errors;
  for (const SectorRange& range : ranges) {
    const std::uint64_t first = std::min(range.first, layout_.media.sectors);
    const std::uint64_t count = std::min(range.count, layout_.media.sectors - first);
    doubts_.add(first * layout_.media.bytes_per_sector, count * layout_.media.bytes_per_sector, DoubtCause::read_error);
  }
}

void EwfImage::note_bad_sectors() {
  if (!handle_) return;
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

bool EwfImage::may_ask_libewf() {
  if (!handle_ && !refused_) refused_ = layout_.media.chunks() > most_chunks_for_libewf || !open_libewf().ok();
  return !refused_;
}

// What libewf refuses as a whole is asked for again chunk by chunk, so that one chunk costs no other.
void EwfImage::ask_libewf(std::uint64_t offset, std::span<std::byte> buffer) {
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

void EwfImage::read_chunks(std::uint64_t offset, std::span<std::byte> buffer) {
  if (layout_.foreign) return ask_libewf(offset, buffer);
  for (const Doubt& doubt : reader_.read(offset, buffer)) {
    if (doubt.cause == DoubtCause::crc_error || !may_ask_libewf()) {
      add_damage(doubt.offset, doubt.length, doubt.cause);
      continue;
    }
    const std::uint64_t from = std::max(offset, doubt.offset);
    const std::uint64_t to = std::min(offset + buffer.size(), doubt.offset + doubt.length);
    ask_libewf(from, buffer.subspan(static_cast<std::size_t>(from - offset), static_cast<std::size_t>(to - from)));
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
