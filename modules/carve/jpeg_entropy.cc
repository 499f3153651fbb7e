#include "carve/jpeg_entropy.h"

namespace exhibit::carve::jpeg {
namespace {

constexpr std::size_t least_window = 4096;  // bytes

}  // namespace

void EntropyReader::fetch(std::uint64_t position) {
  const ByteSpan bytes = content_.at(position, least_window);
  begin_ = next_ = bytes.data();
  end_ = begin_ + bytes.size();
  offset_ = position;
}

void EntropyReader::fill_slowly() {
  while (count_ <= 56 && !ended_) {
    if (end_ - next_ < 2) {  // an ff needs the byte behind it
      fetch(position());
      if (end_ - next_ < 2) {
        ended_ = true;
        break;
      }
    }
    const std::uint64_t byte = *next_;
    if (byte == 0xff && next_[1] != 0) {
      ended_ = true;
      break;
    }
    bits_ |= byte << (56 - count_);
    count_ += 8;
    next_ += byte == 0xff ? 2 : 1;
  }
  if (count_ <= 56) {
    bits_ = count_ == 0 ? 0 : bits_ & (~std::uint64_t{0} << (64 - count_));
    const unsigned more = (63 - count_) & ~7U;
    count_ += more;
    beyond_ += more;
  }
}

ByteSpan EntropyReader::before(std::uint64_t offset, std::size_t length) {
  if (offset >= offset_ && offset + length <= offset_ + static_cast<std::uint64_t>(end_ - begin_)) {
    return {begin_ + (offset - offset_), length};
  }
  const std::uint64_t back = position();
  const ByteSpan bytes = content_.at(offset, length + least_window);
  if (bytes.size() < length || bytes.size() < back - offset) {
    fetch(back);
    return {};
  }
  begin_ = bytes.data();
  next_ = begin_ + (back - offset);
  end_ = begin_ + bytes.size();
  offset_ = offset;
  return bytes.first(length);
}

}  // namespace exhibit::carve::jpeg
