#pragma once
// The checksums of an Outlook store's pages and blocks ([MS-PST] 2.2.2; the store with pages of 4 KiB as libpff's
// format description has it). libpff reads past those that contradict.

#include <exhibit/byte_source.h>

#include <cstdint>
#include <vector>

namespace exhibit::expand {

// A store's bytes, whose blocks are checked as they are read.
class CheckedStore final : public ByteSource {
 public:
  explicit CheckedStore(ByteSource& content) : content_(content) {}

  // Goes through the trees of nodes and of blocks. Error: no store; or a page of them contradicts its checksum or
  // isn't one: then nothing in the store is sure to be what it is taken for.
  Result<void> read_trees();

  // How many reads met a block that contradicts its checksum.
  std::uint64_t bad_reads() const { return bad_reads_; }

  std::uint64_t size() const override { return content_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override;
  std::vector<Doubt> doubts(std::uint64_t offset, std::uint64_t length) const override {
    return content_.doubts(offset, length);
  }
  std::uint64_t damaged_reads() const override { return content_.damaged_reads(); }

 private:
  enum class State : std::uint8_t { unknown, good, bad };
  struct Block {
    std::uint64_t offset = 0;
    std::uint16_t length = 0;
    State state = State::unknown;
  };
  struct Layout {
    bool is_wide = true;         // 64-bit
    std::uint64_t page = 512;    // bytes
    std::size_t count_at = 488;  // in a page: number of entries, their size, level
    std::size_t page_trailer = 496;
    std::uint64_t block_unit = 64;  // a block with its trailer is a multiple of it
    std::uint64_t block_trailer = 16;
    std::size_t page_crc = 4, block_crc = 4;  // in the trailers
  };

  Result<void> read_header(std::uint64_t& nodes, std::uint64_t& blocks);
  Result<void> read_page(std::uint64_t offset, std::uint8_t kind, int level);
  State check(const Block& block);

  ByteSource& content_;
  Layout layout_;
  std::vector<Block> blocks_;  // by offset
  std::uint64_t pages_ = 0, bad_reads_ = 0;
};

}  // namespace exhibit::expand
