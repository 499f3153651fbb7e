#include "filesystem/run_content.h"

#include <algorithm>
#include <cstring>

#include "filesystem/doubts.h"

namespace exhibit::filesystem {
namespace {

class RunContent final : public ByteSource {
 public:
  RunContent(ByteSource& volume, Layout layout) : volume_(volume), extents_(std::move(layout.extents)) {
    for (const Extent& extent : extents_) {
      starts_.push_back(size_);
      size_ += extent.length;
    }
    for (const Doubt& gap : layout.gaps) doubts_.add(gap.offset, gap.length, gap.cause);
    gaps_ = layout.gaps;
  }

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= size_) return std::size_t{0};
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - offset));
    std::memset(buffer.data(), 0, wanted);
    bool damaged = touches_gap(offset, wanted);
    std::size_t done = 0;
    for (std::size_t i = run_at(offset); done < wanted; ++i) {
      const std::uint64_t skip = offset + done - starts_[i];
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(wanted - done, extents_[i].length - skip));
      if (extents_[i].offset != sparse_run) {
        const std::uint64_t place = static_cast<std::uint64_t>(extents_[i].offset) + skip;
        damaged |= read_run(place, offset + done, buffer.subspan(done, length));
      }
      done += length;
    }
    damaged_reads_ += damaged ? 1 : 0;
    return wanted;
  }

  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    Doubts all = doubts_;
    const std::uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
    for (std::size_t i = 0; i < extents_.size(); ++i) {
      const std::uint64_t from = std::max(starts_[i], offset), to = std::min(starts_[i] + extents_[i].length, end);
      if (from >= to || extents_[i].offset == sparse_run) continue;
      const std::uint64_t place = static_cast<std::uint64_t>(extents_[i].offset) + (from - starts_[i]);
      for (const Doubt& doubt : volume_.doubts(place, to - from))
        all.add(from + (doubt.offset - place), doubt.length, doubt.cause);
    }
    return all.within(offset, length);
  }

  std::uint64_t damaged_reads() const override { return damaged_reads_; }

 private:
  std::size_t run_at(std::uint64_t offset) const {
    return static_cast<std::size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) - starts_.begin()) - 1;
  }

  bool touches_gap(std::uint64_t offset, std::uint64_t length) const {
    return std::any_of(gaps_.begin(), gaps_.end(), [&](const Doubt& gap) {
      return gap.offset < offset + length && offset < gap.offset + gap.length;
    });
  }

  // Whether a part of it is damaged; what can't be read is left as zeros and told as a doubt.
  bool read_run(std::uint64_t place, std::uint64_t offset, std::span<std::byte> buffer) {
    const std::uint64_t before = volume_.damaged_reads();
    const auto got = volume_.read_at(place, buffer);
    const std::size_t delivered = got.ok() ? *got : 0;
    if (delivered < buffer.size()) {
      std::memset(buffer.data() + delivered, 0, buffer.size() - delivered);
      doubts_.add(offset + delivered, buffer.size() - delivered, DoubtCause::read_error);
      return true;
    }
    return volume_.damaged_reads() != before;
  }

  ByteSource& volume_;
  std::vector<Extent> extents_;
  std::vector<std::uint64_t> starts_;  // of each extent in the content
  std::uint64_t size_ = 0;
  std::vector<Doubt> gaps_;
  Doubts doubts_;
  std::uint64_t damaged_reads_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> run_content(ByteSource& volume, Layout layout) {
  return std::make_unique<RunContent>(volume, std::move(layout));
}

}  // namespace exhibit::filesystem
