#pragma once
// Bytes in memory as a source; nothing of them is damaged.

#include <exhibit/byte_source.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace exhibit::test {

// Another's bytes, which may change meanwhile.
class BorrowedSource : public ByteSource {
 public:
  explicit BorrowedSource(const std::string& bytes) : bytes_(bytes) {}
  std::uint64_t size() const override { return bytes_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= bytes_.size()) return std::size_t{0};
    const std::size_t length = std::min<std::size_t>(buffer.size(), bytes_.size() - offset);
    std::memcpy(buffer.data(), bytes_.data() + offset, length);
    return length;
  }
  std::vector<Doubt> doubts(std::uint64_t, std::uint64_t) const override { return {}; }
  std::uint64_t damaged_reads() const override { return 0; }

 private:
  const std::string& bytes_;
};

class MemorySource : public BorrowedSource {
 public:
  explicit MemorySource(std::string bytes) : BorrowedSource(own_), own_(std::move(bytes)) {}
  MemorySource(const MemorySource&) = delete;
  MemorySource& operator=(const MemorySource&) = delete;

 private:
  std::string own_;
};

}  // namespace exhibit::test
