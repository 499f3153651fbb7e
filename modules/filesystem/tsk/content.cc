#include "filesystem/tsk/content.h"

#include <algorithm>
#include <cstring>
#include <map>

namespace exhibit::filesystem::tsk {

namespace {

// Stretches of the content that are in doubt, as reading meets them.
class Doubts {
 public:
  void add(std::uint64_t offset, std::uint64_t length, DoubtCause cause) {
    if (length == 0) return;
    std::uint64_t end = offset + length;
    auto next = known_.upper_bound(offset);
    if (next != known_.begin()) {  // what is known already stays as it is
      const auto before = std::prev(next);
      offset = std::max(offset, before->first + before->second.first);
    }
    while (offset < end) {
      const std::uint64_t until = next == known_.end() ? end : std::min(end, next->first);
      if (offset < until) known_.emplace(offset, std::pair(until - offset, cause));
      if (next == known_.end()) break;
      offset = std::max(offset, next->first + next->second.first);
      ++next;
    }
  }

  std::vector<Doubt> within(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
    std::vector<Doubt> found;
    for (const auto& [start, rest] : known_) {
      const std::uint64_t from = std::max(start, offset), to = std::min(start + rest.first, end);
      if (from >= to) continue;
      if (!found.empty() && found.back().cause == rest.second && found.back().offset + found.back().length == from) {
        found.back().length += to - from;
      } else {
        found.push_back({from, to - from, rest.second});
      }
    }
    return found;
  }

 private:
  std::map<std::uint64_t, std::pair<std::uint64_t, DoubtCause>> known_;  // disjoint
};

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

class AttributeContent final : public ByteSource {
 public:
  AttributeContent(ByteSource& volume, File file, const TSK_FS_ATTR& attribute, bool damaged,
                   std::function<void()> forget_damage)
      : volume_(volume), file_(std::move(file)), attribute_(attribute), forget_damage_(std::move(forget_damage)) {
    if (damaged) doubts_.add(0, size(), DoubtCause::read_error);
    damaged_reads_ = damaged ? 1 : 0;
  }

  std::uint64_t size() const override { return static_cast<std::uint64_t>(std::max<TSK_OFF_T>(attribute_.size, 0)); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= size()) return std::size_t{0};
    const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size() - offset));
    bool damaged = false;
    // Pieces end at multiples of `piece` of the content, so that a doubt covers no more than its compression unit.
    for (std::size_t done = 0; done < wanted;) {
      const std::uint64_t at = offset + done;
      const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(wanted - done, piece - at % piece));
      damaged |= read_piece(at, buffer.subspan(done, length));
      done += length;
    }
    damaged_reads_ += damaged ? 1 : 0;
    return wanted;
  }

  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return doubts_.within(offset, length);
  }
  std::uint64_t damaged_reads() const override { return damaged_reads_; }

 private:
  // NTFS compresses units of 16 clusters of at most 4 KiB; HFS+ blocks of 64 KiB.
  static constexpr std::uint64_t piece = std::uint64_t{64} << 10;

  bool read_piece(std::uint64_t offset, std::span<std::byte> buffer) {
    forget_damage_();
    const std::uint64_t before = volume_.damaged_reads();
    std::memset(buffer.data(), 0, buffer.size());
    const ssize_t got =
        tsk_fs_attr_read(&attribute_, static_cast<TSK_OFF_T>(offset), reinterpret_cast<char*>(buffer.data()),
                         buffer.size(), TSK_FS_FILE_READ_FLAG_NONE);
    const std::size_t delivered = got > 0 ? std::min(static_cast<std::size_t>(got), buffer.size()) : 0;
    if (delivered < buffer.size()) {
      tsk_error_reset();
      std::memset(buffer.data() + delivered, 0, buffer.size() - delivered);
    }
    // Which byte of a unit depends on a damaged one can't be known.
    const bool beneath = volume_.damaged_reads() != before;
    if (beneath) doubts_.add(offset, buffer.size(), DoubtCause::read_error);
    doubts_.add(offset + delivered, buffer.size() - delivered, DoubtCause::read_error);
    return beneath || delivered < buffer.size();
  }

  ByteSource& volume_;
  File file_;
  const TSK_FS_ATTR& attribute_;
  std::function<void()> forget_damage_;
  Doubts doubts_;
  std::uint64_t damaged_reads_ = 0;
};

class TextContent final : public ByteSource {
 public:
  TextContent(std::string text, bool damaged) : text_(std::move(text)), damaged_(damaged) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= text_.size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(buffer.size(), text_.size() - offset);
    std::memcpy(buffer.data(), text_.data() + offset, length);
    return length;
  }
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    if (!damaged_ || offset >= text_.size()) return {};
    return {{offset, std::min<std::uint64_t>(length, text_.size() - offset), DoubtCause::read_error}};
  }
  std::uint64_t damaged_reads() const override { return damaged_ ? 1 : 0; }

 private:
  std::string text_;
  bool damaged_;
};

}  // namespace

std::unique_ptr<ByteSource> run_content(ByteSource& volume, Layout layout) {
  return std::make_unique<RunContent>(volume, std::move(layout));
}

std::unique_ptr<ByteSource> attribute_content(ByteSource& volume, File file, const TSK_FS_ATTR& attribute, bool damaged,
                                              std::function<void()> forget_damage) {
  return std::make_unique<AttributeContent>(volume, std::move(file), attribute, damaged, std::move(forget_damage));
}

std::unique_ptr<ByteSource> text_content(std::string text, bool damaged) {
  return std::make_unique<TextContent>(std::move(text), damaged);
}

}  // namespace exhibit::filesystem::tsk
