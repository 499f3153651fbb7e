#include "image/raw_image.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "image/damage_map.h"
#include "image/segment_file.h"

namespace exhibit::image {
namespace {

class RawImage final : public Image {
 public:
  RawImage(std::vector<SegmentFile> segments, std::uint64_t size) : segments_(std::move(segments)) {
    description_.format = segments_.size() > 1 ? "split-raw" : "raw";
    description_.size = size;
    std::uint64_t start = 0;
    for (const SegmentFile& segment : segments_) {
      starts_.push_back(start);
      start += segment.size;
    }
  }

  const ImageDescription& description() const override { return description_; }
  std::uint64_t size() const override { return description_.size; }
  std::uint64_t damaged_reads() const override { return damaged_reads_; }
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return damage_.within(offset, length);
  }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= size()) return std::size_t{0};
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size() - offset));
    std::size_t done = 0;
    while (done < wanted) {
      const std::uint64_t at = offset + done;
      const auto index = static_cast<std::size_t>(
          std::distance(starts_.begin(), std::upper_bound(starts_.begin(), starts_.end(), at)) - 1);
      const std::uint64_t within = at - starts_[index];
      const auto part =
          static_cast<std::size_t>(std::min<std::uint64_t>(wanted - done, segments_[index].size - within));
      read_part(segments_[index], within, at, buffer.subspan(done, part));
      done += part;
    }
    if (damage_.touches(offset, wanted)) ++damaged_reads_;
    return wanted;
  }

 private:
  // A disk error costs the block it is in and no more.
  static constexpr std::size_t block = 512;

  void read_part(const SegmentFile& segment, std::uint64_t within, std::uint64_t media, std::span<std::byte> part) {
    const auto got = read_sparse(segment, within, part);
    if (got.ok() && *got == part.size()) return;
    if (!got.ok() && part.size() > block) {
      for (std::size_t done = 0; done < part.size();) {
        const std::size_t step = std::min(part.size() - done, block - static_cast<std::size_t>((media + done) % block));
        read_part(segment, within + done, media + done, part.subspan(done, step));
        done += step;
      }
      return;
    }
    // Cannot be read, or the file has become shorter than it was when it was handed over.
    const std::size_t good = got.ok() ? *got : 0;
    std::memset(part.data() + good, 0, part.size() - good);
    damage_.add(media + good, part.size() - good, DoubtCause::read_error);
  }

  std::vector<SegmentFile> segments_;
  std::vector<std::uint64_t> starts_;  // media offset of each segment
  ImageDescription description_;
  DamageMap damage_;
  std::uint64_t damaged_reads_ = 0;
};

}  // namespace

Result<std::unique_ptr<Image>> open_raw(std::vector<SegmentFile> segments) {
  std::uint64_t size = 0;
  for (const SegmentFile& segment : segments) {
    const auto sum = base::checked_add(size, segment.size);
    if (!sum || *sum > static_cast<std::uint64_t>(INT64_MAX))
      return Error{ErrorCode::size_limit, segment.name + ": the image is larger than 2^63 bytes", segment.name, {}};
    if (segment.size == 0) {
      return Error{ErrorCode::corrupt, segment.name + ": is empty; check how it was copied", segment.name, {}};
    }
    size = *sum;
  }
  return std::unique_ptr<Image>(std::make_unique<RawImage>(std::move(segments), size));
}

}  // namespace exhibit::image
