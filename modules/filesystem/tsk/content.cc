#include "filesystem/tsk/content.h"

#include <algorithm>
#include <cstring>

#include "filesystem/doubts.h"

namespace exhibit::filesystem::tsk {

namespace {

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

std::unique_ptr<ByteSource> attribute_content(ByteSource& volume, File file, const TSK_FS_ATTR& attribute, bool damaged,
                                              std::function<void()> forget_damage) {
  return std::make_unique<AttributeContent>(volume, std::move(file), attribute, damaged, std::move(forget_damage));
}

std::unique_ptr<ByteSource> text_content(std::string text, bool damaged) {
  return std::make_unique<TextContent>(std::move(text), damaged);
}

}  // namespace exhibit::filesystem::tsk
