#pragma once
// A source whose bytes are made of another one's: decrypted, put together, seen as they were.

#include <exhibit/byte_source.h>

namespace exhibit::volume {

// Where making a stretch met damage beneath, the stretch is in doubt from then on.
class DerivedSource : public ByteSource {
 public:
  DerivedSource(ByteSource& beneath, std::uint64_t size) : beneath_(beneath), size_(size) {}

  std::uint64_t size() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override;
  std::uint64_t damaged_reads() const override { return damaged_reads_; }

 protected:
  // All of `buffer`, which lies within the size.
  virtual Result<void> derive(std::uint64_t offset, std::span<std::byte> buffer) = 0;
  ByteSource& beneath() const { return beneath_; }

 private:
  void note_doubt(std::uint64_t offset, std::uint64_t length);

  ByteSource& beneath_;
  std::uint64_t size_;
  std::uint64_t damaged_reads_ = 0;
  std::vector<Doubt> doubts_;  // sorted, disjoint, none touches the next
};

}  // namespace exhibit::volume
