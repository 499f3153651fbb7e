#pragma once
// A medium with one stretch of it held in memory, so that everything that wants its bytes has them from one reading.

#include <exhibit/byte_source.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace exhibit::worker {

// The memory of one stretch after the other: given back to the system, each of its pages would cost a fault every time.
class StretchBuffer {
 public:
  static constexpr std::size_t size = std::size_t{32} << 20;
  static constexpr std::size_t most_ahead = std::size_t{16} << 10;  // bytes behind the stretch
  std::span<std::byte> first(std::size_t length) {
    if (bytes_ == nullptr) bytes_ = std::make_unique_for_overwrite<std::byte[]>(size + most_ahead);
    return {bytes_.get(), length};
  }

 private:
  std::unique_ptr<std::byte[]> bytes_;
};

class Stretch final : public ByteSource {
 public:
  static constexpr std::uint64_t largest = StretchBuffer::size;

  // [offset, offset + length) of `medium`; nothing is read yet. Both must outlive this, and `buffer` is this one's
  // alone.
  Stretch(ByteSource& medium, StretchBuffer& buffer, std::uint64_t offset, std::uint64_t length);

  // Reads the stretch, and up to `ahead` bytes (StretchBuffer::most_ahead) of what follows it. Error: the medium can't
  // give the stretch.
  Result<void> load(std::size_t ahead = 0);
  bool loaded() const { return !bytes_.empty(); }
  std::span<const std::byte> bytes() const { return bytes_; }
  // The stretch and what was read of what follows it.
  std::span<const std::byte> bytes_and_ahead() const { return {bytes_.data(), bytes_.size() + ahead_}; }
  std::uint64_t offset() const { return offset_; }
  std::uint64_t length() const { return length_; }

  // The medium's bytes [offset, offset + length), where they are in memory and none of them is in doubt.
  std::optional<std::span<const std::byte>> sound_bytes(std::uint64_t offset, std::uint64_t length) const;

  std::uint64_t size() const override { return medium_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return medium_.doubts(offset, length);
  }
  std::uint64_t damaged_reads() const override { return medium_.damaged_reads() + damaged_reads_; }

 private:
  bool holds(std::uint64_t offset, std::uint64_t length) const;

  ByteSource& medium_;
  StretchBuffer& buffer_;
  std::uint64_t offset_, length_;
  std::span<const std::byte> bytes_;  // empty: not loaded
  std::size_t ahead_ = 0;             // bytes behind bytes_
  std::vector<Doubt> doubts_;         // within the stretch
  std::uint64_t damaged_reads_ = 0;
};

}  // namespace exhibit::worker
