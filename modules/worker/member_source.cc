#include "worker/member_source.h"

#include <algorithm>
#include <cstring>

namespace exhibit::worker {
namespace {

constexpr std::uint64_t bytes_per_tick = std::uint64_t{16} << 20;
constexpr std::size_t piece = std::size_t{256} << 10, least_piece = std::size_t{8} << 10;

}  // namespace

Result<void> Meter::take(std::uint64_t bytes, std::uint64_t work) {
  if (bytes > bytes_) return Error{ErrorCode::size_limit, "unpacked it is larger than may be (--expand-size)", {}, {}};
  if (work > work_) return Error{ErrorCode::size_limit, "it would have to be unpacked too often to be read", {}, {}};
  bytes_ -= bytes;
  work_ -= work;
  since_tick_ += work;
  if (since_tick_ >= bytes_per_tick) tick_(std::exchange(since_tick_, 0));
  return {};
}

Result<void> Cursor::open() {
  damaged_before_ = content_.damaged_reads();
  reader_ = EXHIBIT_TRY(expand::open(kind_, content_, name_));
  return {};
}

Result<std::optional<expand::Entry>> Cursor::next() {
  before_ += farthest_;
  position_ = farthest_ = 0;
  ++index_;
  return reader_->next();
}

Result<std::size_t> Cursor::read(std::span<std::byte> buffer) {
  const std::size_t got = EXHIBIT_TRY(reader_->read(buffer));
  position_ += got;
  const std::uint64_t fresh = position_ - std::min(position_, farthest_);
  farthest_ = std::max(farthest_, position_);
  EXHIBIT_TRY(meter_.take(fresh, got));
  return got;
}

// What lies before the member is passed over, and in most formats unpacked for that.
Result<void> Cursor::restart() {
  EXHIBIT_TRY(meter_.take(0, before_));
  reader_.reset();
  reader_ = EXHIBIT_TRY(expand::open(kind_, content_, name_));
  for (std::uint64_t i = 0; i < index_; ++i) {
    if (!EXHIBIT_TRY(reader_->next())) return Error{ErrorCode::internal, "a member is gone", {}, {}};
  }
  position_ = 0;
  return {};
}

bool MemberSource::hold(std::uint64_t expected, std::uint64_t room) {
  expected = std::min(expected, room);
  // Most members are small: memory is taken, and cleared, as it turns out to be needed. One byte more shows the end.
  std::uint64_t asked = std::clamp<std::uint64_t>(expected + 1, least_piece, piece);
  held_.reserve(static_cast<std::size_t>(std::min(std::max(expected + 1, asked), room)));
  while (held_.size() < room) {
    const std::size_t before = held_.size();
    asked = std::min(asked, room - before);
    held_.resize(before + static_cast<std::size_t>(asked));
    const auto got = cursor_.read(std::span(held_).subspan(before));
    held_.resize(before + (got.ok() ? *got : 0));
    if (!got.ok()) keep(got.error());
    if (!got.ok() || *got == 0) {
      is_end_checked_ = true;
      size_ = held_.size();
      return true;
    }
    asked = *got < asked ? least_piece : piece;
  }
  return false;
}

void MemberSource::hold_zeros() {
  const std::uint64_t had = held_.size();
  held_.resize(static_cast<std::size_t>(size_));
  if (had < size_) doubts_ = {{had, size_ - had, DoubtCause::crc_error}};
}

Result<std::size_t> MemberSource::read_at(std::uint64_t offset, std::span<std::byte> buffer) {
  if (offset >= size_ || buffer.empty()) return std::size_t{0};
  buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size_ - offset)));
  std::size_t done = 0;
  if (offset < held_.size()) {
    done = std::min<std::size_t>(buffer.size(), held_.size() - static_cast<std::size_t>(offset));
    std::memcpy(buffer.data(), held_.data() + offset, done);
  }
  while (done < buffer.size()) {
    const std::size_t got = EXHIBIT_TRY(read_on(offset + done, buffer.subspan(done)));
    if (got == 0) return Error{ErrorCode::corrupt, "its content ends early", {}, offset + done};
    done += got;
  }
  return done;
}

Error MemberSource::keep(Error error) {
  error.offset.reset();  // told as the whole content's
  error_ = error;
  return error;
}

Result<std::size_t> MemberSource::read_member(std::span<std::byte> buffer) {
  auto got = cursor_.read(buffer);
  if (!got.ok()) return keep(got.take_error());
  if (*got == 0) return keep({ErrorCode::corrupt, "its content ends early", {}, {}});
  return got;
}

Result<std::size_t> MemberSource::read_on(std::uint64_t offset, std::span<std::byte> buffer) {
  if (error_) return *error_;
  if (offset < cursor_.position()) {
    auto restarted = cursor_.restart();
    if (!restarted.ok()) return keep(restarted.take_error());
  }
  std::vector<std::byte> passed_over;
  while (cursor_.position() < offset) {
    passed_over.resize(piece);
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(piece, offset - cursor_.position()));
    EXHIBIT_TRY(read_member(std::span(passed_over).first(length)));
  }
  const std::size_t got = EXHIBIT_TRY(read_member(buffer));
  if (cursor_.position() == size_ && !is_end_checked_) EXHIBIT_TRY(check_end());
  return got;
}

// Many formats say only behind the last byte whether the content is what it was.
Result<void> MemberSource::check_end() {
  is_end_checked_ = true;
  std::byte more{};
  const auto got = cursor_.read({&more, 1});
  if (got.ok() && *got == 0) return {};
  const Error error = keep(got.ok() ? Error{ErrorCode::corrupt, "it holds more than it says", {}, {}} : got.error());
  if (error.code == ErrorCode::size_limit) return error;
  doubt_all(DoubtCause::crc_error);
  return {};
}

std::vector<Doubt> MemberSource::doubts(std::uint64_t offset, std::uint64_t length) const {
  std::vector<Doubt> clipped;
  if (cursor_.is_damaged() && length > 0) return {{offset, length, DoubtCause::read_error}};
  for (const Doubt& doubt : doubts_) {
    const std::uint64_t begin = std::max(doubt.offset, offset);
    const std::uint64_t end = std::min(doubt.offset + doubt.length, offset + length);
    if (begin < end) clipped.push_back({begin, end - begin, doubt.cause});
  }
  return clipped;
}

}  // namespace exhibit::worker
