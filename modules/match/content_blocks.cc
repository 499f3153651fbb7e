#include "match/content_blocks.h"

#include <yara/object.h>

#include <algorithm>
#include <cstring>

namespace exhibit::match {
namespace {

constexpr std::uint64_t window = RuleScanner::window_size;
constexpr std::uint64_t overlap = RuleScanner::overlap;
// libyara looks at most YR_RE_SCAN_LIMIT bytes back and as many forward from where it hits a string's fixed part.
constexpr std::uint64_t border = std::uint64_t{2} * YR_RE_SCAN_LIMIT;
static_assert(border * 2 < overlap && overlap < window);
// What one refused read costs: that much is taken for zeros.
constexpr std::size_t read_piece = std::size_t{1} << 20;

// Blocks until one reaches the end; every block but the last is of full size, and the last is longer than `overlap`.
std::uint64_t count_blocks(std::uint64_t size) {
  return size <= window + overlap ? 1 : (size - overlap + window - 1) / window;
}

ContentBlocks& blocks_of(const YR_MEMORY_BLOCK_ITERATOR* iterator) {
  return *static_cast<ContentBlocks*>(iterator->context);
}

void unlink(YR_MATCHES& list, YR_MATCH* match) {
  (match->prev ? match->prev->next : list.head) = match->next;
  (match->next ? match->next->prev : list.tail) = match->prev;
  --list.count;  // the match itself belongs to the scan's notebook
}

}  // namespace

ContentBlocks::ContentBlocks(BlockBuffers& buffers, ByteSource& content, const FirstRead& first_read)
    : buffers_(buffers),
      content_(content),
      first_read_(first_read),
      size_(content.size()),
      count_(count_blocks(size_)) {
  // libyara calls these through C frames: an exception (no memory) ends the process, which becomes a `crash` problem.
  iterator_.context = this;
  iterator_.first = [](YR_MEMORY_BLOCK_ITERATOR* iterator) noexcept { return blocks_of(iterator).point_to(0); };
  iterator_.next = [](YR_MEMORY_BLOCK_ITERATOR* iterator) noexcept { return blocks_of(iterator).advance(); };
  iterator_.file_size = [](YR_MEMORY_BLOCK_ITERATOR* iterator) noexcept { return blocks_of(iterator).size_; };
  block_.context = this;
  block_.fetch_data = [](YR_MEMORY_BLOCK* block) noexcept {  // NOLINT(bugprone-exception-escape)
    auto& blocks = *static_cast<ContentBlocks*>(block->context);
    return reinterpret_cast<const std::uint8_t*>(blocks.load(blocks.index_));
  };
}

YR_MEMORY_BLOCK_ITERATOR* ContentBlocks::start(YR_SCANNER& scanner) {
  scanner_ = &scanner;
  searching_ = true;
  importing_ = false;
  iterator_.last_error = ERROR_SUCCESS;
  return &iterator_;
}

void ContentBlocks::visit(const std::function<void(std::span<const std::byte>)>& block) {
  for (std::uint64_t index = 0; size_ > 0 && index < count_; ++index) block({load(index), size_of(index)});
}

std::span<const std::byte> ContentBlocks::head() { return {load(0), size_of(0)}; }

std::uint64_t ContentBlocks::base_of(std::uint64_t index) const { return index * window; }

std::size_t ContentBlocks::size_of(std::uint64_t index) const {
  return static_cast<std::size_t>(std::min(size_ - base_of(index), window + overlap));
}

YR_MEMORY_BLOCK* ContentBlocks::point_to(std::uint64_t index) {
  index_ = index;
  block_.base = base_of(index);
  block_.size = size_of(index);
  return &block_;
}

YR_MEMORY_BLOCK* ContentBlocks::advance() {
  if (importing_) return nullptr;
  if (searching_) leave_searched_block();
  if (index_ + 1 < count_) return point_to(index_ + 1);
  if (searching_) end_search();
  return nullptr;
}

void ContentBlocks::leave_searched_block() {
  if (index_ == 0) entry_point_ = scanner_->entry_point;
  if (!windowed()) return;
  const auto base = static_cast<std::int64_t>(base_of(index_));
  const std::uint64_t owned_from = index_ == 0 ? 0 : border;
  const std::uint64_t owned_to = index_ + 1 == count_ ? size_of(index_) : window + border;
  for (std::uint32_t string = 0; string < scanner_->rules->num_strings; ++string) {
    YR_MATCHES& list = scanner_->matches[string];
    for (YR_MATCH* match = list.head; match != nullptr; match = match->next) {
      const auto offset = static_cast<std::uint64_t>(match->offset);
      if (match->base == base && (offset < owned_from || offset >= owned_to)) unlink(list, match);
    }
    scanner_->unconfirmed_matches[string] = {};
  }
}

void ContentBlocks::end_search() {
  searching_ = false;
  scanner_->entry_point = entry_point_;
}

const std::byte* ContentBlocks::load(std::uint64_t index) {
  if (size_ == 0) return nullptr;  // as libyara has it for an empty file
  if (index == 0) {
    if (!head_loaded_) read(0, {buffers_.head(), size_of(0)});
    head_loaded_ = true;
    return buffers_.head();
  }
  if (in_current_ == index) return buffers_.current();
  std::size_t have = 0;
  const bool after_head = index == 1 && head_loaded_;
  if (after_head || (index > 1 && in_current_ == index - 1)) {
    std::memmove(buffers_.current(), (after_head ? buffers_.head() : buffers_.current()) + window, overlap);
    have = overlap;
  }
  read(base_of(index) + have, {buffers_.current() + have, size_of(index) - have});
  in_current_ = index;
  return buffers_.current();
}

void ContentBlocks::read(std::uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    const std::span<std::byte> piece = buffer.first(std::min(buffer.size(), read_piece));
    std::size_t filled = 0;
    while (filled < piece.size()) {
      const auto got = content_.read_at(offset + filled, piece.subspan(filled));
      if (!got.ok() || *got == 0) {
        std::fill(piece.begin() + static_cast<std::ptrdiff_t>(filled), piece.end(), std::byte{0});
        note_refused(offset + filled, piece.size() - filled, got.ok() ? "it ends early" : got.error().message);
        break;
      }
      filled += *got;
    }
    const std::uint64_t end = offset + piece.size();
    if (end > delivered_) {
      if (first_read_) first_read_(piece.last(static_cast<std::size_t>(end - std::max(offset, delivered_))));
      delivered_ = end;
    }
    offset = end;
    buffer = buffer.subspan(piece.size());
  }
}

void ContentBlocks::note_refused(std::uint64_t offset, std::uint64_t length, const std::string& why) {
  if (offset + length <= delivered_) return;  // told at its first reading
  if (refused_bytes_ == 0) {
    first_refused_ = offset;
    first_refusal_ = why;
  }
  refused_bytes_ += length;
}

std::optional<ScanTrouble> ContentBlocks::read_trouble() const {
  if (refused_bytes_ == 0) return std::nullopt;
  return ScanTrouble{name_of(ErrorCode::io_error),
                     std::to_string(refused_bytes_) +
                         " bytes couldn't be read and were taken for zeros, the first at " +
                         std::to_string(first_refused_) + ": " + first_refusal_};
}

void ContentBlocks::finish() {
  searching_ = false;
  in_current_ = 0;
  while (delivered_ < size_) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(size_ - delivered_, BlockBuffers::size));
    read(delivered_, {buffers_.current(), length});
  }
}

}  // namespace exhibit::match
