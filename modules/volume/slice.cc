#include <algorithm>

#include "volume/volumes.h"

namespace exhibit::volume {
namespace {

class Slice final : public ByteSource {
 public:
  Slice(ByteSource& parent, std::uint64_t offset, std::uint64_t size)
      : parent_(parent), offset_(std::min(offset, parent.size())), size_(std::min(size, parent.size() - offset_)) {}

  std::uint64_t size() const override { return size_; }
  std::uint64_t damaged_reads() const override { return parent_.damaged_reads(); }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= size_) return std::size_t{0};
    const std::uint64_t length = std::min<std::uint64_t>(buffer.size(), size_ - offset);
    return parent_.read_at(offset_ + offset, buffer.first(static_cast<std::size_t>(length)));
  }

  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    if (offset >= size_) return {};
    std::vector<Doubt> found = parent_.doubts(offset_ + offset, std::min(length, size_ - offset));
    for (Doubt& doubt : found) doubt.offset -= offset_;
    return found;
  }

 private:
  ByteSource& parent_;
  std::uint64_t offset_, size_;
};

}  // namespace

std::unique_ptr<ByteSource> slice(ByteSource& parent, std::uint64_t offset, std::uint64_t size) {
  return std::make_unique<Slice>(parent, offset, size);
}

}  // namespace exhibit::volume
