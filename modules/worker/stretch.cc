#include "worker/stretch.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"

namespace exhibit::worker {

Stretch::Stretch(ByteSource& medium, StretchBuffer& buffer, std::uint64_t offset, std::uint64_t length)
    : medium_(medium),
      buffer_(buffer),
      offset_(std::min(offset, medium.size())),
      length_(std::min({length, medium.size() - offset_, largest})) {}

Result<void> Stretch::load(std::size_t ahead) {
  const std::span<std::byte> all = buffer_.first(static_cast<std::size_t>(length_) + ahead);
  const std::span<std::byte> bytes = all.first(static_cast<std::size_t>(length_));
  const std::size_t got = EXHIBIT_TRY(medium_.read_at(offset_, bytes));
  if (got != bytes.size()) return Error{ErrorCode::io_error, "the medium ends before its size", {}, offset_ + got};
  doubts_ = medium_.doubts(offset_, length_);
  bytes_ = bytes;
  if (ahead > 0) {
    const auto more = medium_.read_at(offset_ + length_, all.subspan(bytes.size()));
    ahead_ = more.ok() ? *more : 0;
  }
  return {};
}

bool Stretch::holds(std::uint64_t offset, std::uint64_t length) const {
  return offset >= offset_ && base::within(offset - offset_, length, bytes_.size());
}

std::optional<std::span<const std::byte>> Stretch::sound_bytes(std::uint64_t offset, std::uint64_t length) const {
  if (!holds(offset, length)) return std::nullopt;
  const bool damaged = std::any_of(doubts_.begin(), doubts_.end(), [&](const Doubt& doubt) {
    return doubt.offset < offset + length && offset < doubt.offset + doubt.length;
  });
  if (damaged) return std::nullopt;
  return bytes_.subspan(static_cast<std::size_t>(offset - offset_), static_cast<std::size_t>(length));
}

Result<std::size_t> Stretch::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
  if (!holds(offset, 1)) {
    // Up to where the stretch begins; what lies in it needs no second reading.
    const bool reaches = loaded() && offset < offset_ && buffer.size() > offset_ - offset;
    const std::size_t outside = reaches ? static_cast<std::size_t>(offset_ - offset) : buffer.size();
    const std::size_t got = EXHIBIT_TRY(medium_.read_at(offset, buffer.first(outside)));
    if (!reaches || got < outside) return got;
    return got + EXHIBIT_TRY(read_at(offset_, buffer.subspan(got)));
  }
  const std::size_t within = static_cast<std::size_t>(offset - offset_);
  const std::size_t length = std::min(buffer.size(), bytes_.size() - within);
  std::memcpy(buffer.data(), bytes_.data() + within, length);
  if (!doubts_.empty() && !medium_.doubts(offset, length).empty()) ++damaged_reads_;
  if (length == buffer.size() || offset + length == medium_.size()) return length;
  return length + EXHIBIT_TRY(read_at(offset + length, buffer.subspan(length)));
}

}  // namespace exhibit::worker
