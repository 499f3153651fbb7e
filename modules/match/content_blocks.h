#pragma once
// One content as the memory blocks that libyara scans, with memory for two of them only.
//
// Block k covers [k * window_size, k * window_size + window_size + overlap), cut at the content's end. libyara searches
// each block by itself, which is wrong at a block's borders in four ways that this class puts right between blocks:
//   - near a border `fullword`, `\b`, `^`, `$` and repetitions see the border as the end of the file. Each block
//     therefore owns the matches that start `border` bytes after its start (the first: at its start) and up to where
//     the next block's own begin; the others are taken out of libyara's lists. What is left equals what one block
//     would give, counts included;
//   - parts of a string with a long jump are joined by offsets relative to different blocks. Open parts are dropped at
//     a block's end, so only such a string longer than overlap - border can be missed;
//   - the entry point and the modules (pe, elf, …) would take a block in the middle for the start of a file: they get
//     the first block alone;
//   - functions over ranges (uint32, hash, math) walk the blocks again after the search: they may.

#include <exhibit/byte_source.h>
#include <yara.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "match/content.h"

namespace exhibit::match {

// The two blocks' memory, kept from scan to scan.
class BlockBuffers {
 public:
  static constexpr std::size_t size = RuleScanner::window_size + RuleScanner::overlap;
  BlockBuffers()
      : head_(std::make_unique_for_overwrite<std::byte[]>(size)),
        current_(std::make_unique_for_overwrite<std::byte[]>(size)) {}
  std::byte* head() { return head_.get(); }        // block 0: libyara's modules keep pointers into it
  std::byte* current() { return current_.get(); }  // any other block

 private:
  std::unique_ptr<std::byte[]> head_, current_;
};

class ContentBlocks {
 public:
  using FirstRead = std::function<void(std::span<const std::byte>)>;

  ContentBlocks(BlockBuffers& buffers, ByteSource& content, const FirstRead& first_read);
  ContentBlocks(const ContentBlocks&) = delete;
  ContentBlocks& operator=(const ContentBlocks&) = delete;

  // The blocks for one scan by `scanner`, from the start. Both must outlive the scan.
  YR_MEMORY_BLOCK_ITERATOR* start(YR_SCANNER& scanner);
  // Every block in order, before any scan.
  void visit(const std::function<void(std::span<const std::byte>)>& block);
  // Block 0: the content's beginning, or all of it.
  std::span<const std::byte> head();
  // Between the messages IMPORT_MODULE and MODULE_IMPORTED.
  void set_importing(bool importing) { importing_ = importing; }

  // Gives first_read whatever no scan has read.
  void finish();

  std::uint64_t size() const { return size_; }
  bool windowed() const { return count_ > 1; }
  // The reads that the content refused, as one trouble. Those bytes were taken for zeros.
  std::optional<ScanTrouble> read_trouble() const;

 private:
  std::uint64_t base_of(std::uint64_t index) const;
  std::size_t size_of(std::uint64_t index) const;
  YR_MEMORY_BLOCK* point_to(std::uint64_t index);
  YR_MEMORY_BLOCK* advance();
  const std::byte* load(std::uint64_t index);
  void read(std::uint64_t offset, std::span<std::byte> buffer);
  void note_refused(std::uint64_t offset, std::uint64_t length, const std::string& why);
  void leave_searched_block();
  void end_search();

  BlockBuffers& buffers_;
  ByteSource& content_;
  const FirstRead& first_read_;
  const std::uint64_t size_;
  const std::uint64_t count_;
  YR_SCANNER* scanner_ = nullptr;
  YR_MEMORY_BLOCK block_{};
  YR_MEMORY_BLOCK_ITERATOR iterator_{};
  std::uint64_t index_ = 0;       // the block that libyara is at
  std::uint64_t in_current_ = 0;  // the block that buffers_.current() holds; 0: none
  bool head_loaded_ = false;
  bool searching_ = false;  // libyara's first walk over the blocks
  bool importing_ = false;
  std::uint64_t entry_point_ = 0;  // as found in block 0
  std::uint64_t delivered_ = 0;    // first_read has had the bytes below
  std::uint64_t refused_bytes_ = 0, first_refused_ = 0;
  std::string first_refusal_;
};

}  // namespace exhibit::match
