#include "carve/space.h"

#include <algorithm>
#include <numeric>

namespace exhibit::carve {
namespace {

// Of what lies around a candidate mostly little is wanted, and in a packed image each byte read has its price.
constexpr std::size_t block_size = std::size_t{64} << 10;

}  // namespace

Space::Space(ByteSource& volume, std::vector<Run> runs, std::span<std::byte> room)
    : volume_(volume), runs_(std::move(runs)), room_(room) {
  for (const Run& run : runs_) {
    begins_.push_back(size_);
    size_ += run.length;
  }
  by_place_.resize(runs_.size());
  std::iota(by_place_.begin(), by_place_.end(), std::size_t{0});
  std::sort(by_place_.begin(), by_place_.end(),
            [&](std::size_t a, std::size_t b) { return runs_[a].offset < runs_[b].offset; });
  if (room_.empty()) {
    const std::uint64_t blocks = size_ / block_size + 1;
    const std::size_t bytes = std::min<std::uint64_t>(blocks, room_size / block_size) * block_size;
    own_room_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
    room_ = {own_room_.get(), bytes};
  }
}

std::size_t Space::run_of(std::uint64_t offset) const {
  return static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), offset) - begins_.begin()) - 1;
}

void Space::fill(Block& block) const {
  const std::uint64_t begin = block.number * block_size;
  const std::size_t wanted = std::min<std::uint64_t>(block_size, size_ - begin);
  block.filled = 0;
  for (std::size_t run = run_of(begin); block.filled < wanted; ++run) {
    const std::uint64_t within = begin + block.filled - begins_[run];
    const std::size_t length = std::min<std::uint64_t>(runs_[run].length - within, wanted - block.filled);
    if (length == 0) continue;
    const auto part = std::as_writable_bytes(block.room.subspan(block.filled, length));
    const auto got = volume_.read_at(runs_[run].offset + within, part);
    block.filled += got.ok() ? *got : 0;
    if (got.ok() && *got == length) continue;
    if (!got.ok() && !error_) error_ = got.error();
    break;
  }
}

const Space::Block& Space::block(std::uint64_t number) const {
  if (!cache_.empty() && cache_.front().number == number) return cache_.front();
  work_ += block_size;
  const auto known = cached_.find(number);
  if (known != cached_.end()) {
    cache_.splice(cache_.begin(), cache_, known->second);
    return cache_.front();
  }
  if (cache_.size() == room_.size() / block_size) {
    cached_.erase(cache_.back().number);
    cache_.splice(cache_.begin(), cache_, std::prev(cache_.end()));
  } else {
    const auto room = room_.subspan(cache_.size() * block_size, block_size);
    cache_.push_front({0, {reinterpret_cast<std::uint8_t*>(room.data()), room.size()}, 0});
  }
  cache_.front().number = number;
  fill(cache_.front());
  cached_[number] = cache_.begin();
  return cache_.front();
}

ByteSpan Space::at(std::uint64_t offset, std::size_t wanted) const {
  if (offset >= size_) return {};
  const Block& first = block(offset / block_size);
  const std::size_t within = offset % block_size;
  if (within >= first.filled) return {};
  const ByteSpan here = first.bytes().subspan(within);
  wanted = std::min<std::uint64_t>(std::min(wanted, Content::window), size_ - offset);
  if (here.size() >= wanted || first.filled < block_size) return here;
  joint_.assign(here.begin(), here.end());
  for (std::uint64_t number = offset / block_size + 1; joint_.size() < wanted; ++number) {
    const Block& next = block(number);
    const std::size_t more = std::min(wanted - joint_.size(), next.filled);
    joint_.insert(joint_.end(), next.room.begin(), next.room.begin() + static_cast<std::ptrdiff_t>(more));
    if (next.filled < block_size) break;  // the space ends, or can't be read further
  }
  return joint_;
}

std::vector<Extent> Space::extents(std::uint64_t offset, std::uint64_t length) const {
  std::vector<Extent> extents;
  while (length > 0 && offset < size_) {
    const std::size_t run = run_of(offset);
    const std::uint64_t within = offset - begins_[run];
    const std::uint64_t part = std::min(runs_[run].length - within, length);
    const auto begin = static_cast<std::int64_t>(runs_[run].offset + within);
    if (!extents.empty() && extents.back().offset + static_cast<std::int64_t>(extents.back().length) == begin) {
      extents.back().length += part;
    } else {
      extents.push_back({begin, part});
    }
    offset += part;
    length -= part;
  }
  return extents;
}

std::optional<std::uint64_t> Space::place(std::uint64_t offset) const {
  auto after = std::upper_bound(by_place_.begin(), by_place_.end(), offset,
                                [&](std::uint64_t at, std::size_t run) { return at < runs_[run].offset; });
  if (after == by_place_.begin()) return std::nullopt;
  const std::size_t run = *--after;
  if (offset >= runs_[run].end()) return std::nullopt;
  return begins_[run] + (offset - runs_[run].offset);
}

std::uint64_t Space::volume_offset(std::uint64_t offset) const {
  const std::size_t run = run_of(offset);
  return runs_[run].offset + (offset - begins_[run]);
}

PieceContent::PieceContent(const Space& space, std::vector<Run> pieces) : space_(space), pieces_(std::move(pieces)) {
  for (const Run& piece : pieces_) size_ += piece.length;
}

ByteSpan PieceContent::at(std::uint64_t offset, std::size_t wanted) const {
  if (offset >= size_) return {};
  wanted = std::min<std::uint64_t>(std::min(wanted, window), size_ - offset);
  asked_ += wanted;
  std::size_t piece = 0;
  while (offset >= pieces_[piece].length) offset -= pieces_[piece++].length;
  const std::uint64_t left = pieces_[piece].length - offset;
  ByteSpan bytes = space_.at(pieces_[piece].offset + offset, std::min<std::uint64_t>(wanted, left));
  bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), left));
  if (bytes.size() >= wanted || bytes.size() < left) return bytes;
  joint_.assign(bytes.begin(), bytes.end());
  while (joint_.size() < wanted && ++piece < pieces_.size()) {
    const std::size_t more = std::min<std::uint64_t>(wanted - joint_.size(), pieces_[piece].length);
    const ByteSpan next = space_.at(pieces_[piece].offset, more);
    joint_.insert(joint_.end(), next.begin(), next.begin() + static_cast<std::ptrdiff_t>(std::min(more, next.size())));
    if (next.size() < more) break;
  }
  return joint_;
}

ByteSpan PieceContent::behind_first_piece(std::size_t wanted) const {
  const ByteSpan bytes = pieces_.size() > 1 ? space_.at(pieces_.front().end(), wanted) : ByteSpan{};
  return bytes.first(std::min(bytes.size(), wanted));
}

ByteSpan PieceContent::before_second_piece(std::size_t wanted) const {
  if (pieces_.size() < 2) return {};
  const std::uint64_t begin = pieces_[1].offset;
  const std::size_t length = std::min<std::uint64_t>(begin, wanted);
  const ByteSpan bytes = space_.at(begin - length, length);
  return bytes.first(std::min(bytes.size(), length));
}

std::vector<Run> PieceContent::pieces(std::uint64_t length) const {
  std::vector<Run> cut;
  for (const Run& piece : pieces_) {
    const std::uint64_t part = std::min(piece.length, length);
    if (part == 0) break;
    cut.push_back({piece.offset, part});
    length -= part;
  }
  return cut;
}

}  // namespace exhibit::carve
