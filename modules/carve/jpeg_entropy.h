#pragma once
// The bits of entropy-coded data (ITU-T T.81, B.1.1.5): a byte ff is followed by 00, which is no data, or by a marker,
// which ends it.

#include <bit>
#include <cstdint>
#include <cstring>

#include "carve/content.h"

namespace exhibit::carve::jpeg {

class EntropyReader {
 public:
  // What it takes to go on later.
  struct Place {
    std::uint64_t position = 0;  // of the first byte that isn't among `bits`
    std::uint64_t bits = 0;      // the next ones, from the highest on
    unsigned count = 0;
  };

  EntropyReader(const Content& content, const Place& place)
      : content_(content), bits_(place.bits), count_(place.count) {
    fetch(place.position);
  }

  // Goes on at another byte.
  void seek(std::uint64_t position) {
    bits_ = 0;
    count_ = beyond_ = 0;
    ended_ = false;
    fetch(position);
  }

  // The bits at hand, taken out of the reader while it lives: as a local variable the compiler keeps them in registers,
  // which makes decoding about twice as fast. The reader is not to be used meanwhile.
  class Hand {
   public:
    explicit Hand(EntropyReader& reader) : reader_(reader) { take_out(); }
    Hand(const Hand&) = delete;
    Hand& operator=(const Hand&) = delete;
    ~Hand() { put_back(); }

    // At least 56 bits can be looked at after it; zeros behind the end of the data.
    void fill() {
      constexpr std::uint64_t ones = 0x0101010101010101, highs = ones << 7;
      if (end_ - next_ >= 8) {
        std::uint64_t bytes = 0;
        std::memcpy(&bytes, next_, sizeof bytes);
        if constexpr (std::endian::native == std::endian::little) bytes = __builtin_bswap64(bytes);
        const std::uint64_t all_ones = (~bytes - ones) & bytes & highs;  // the high bit of each ff, if of no other
        if (all_ones >> count_ == 0) {  // none among those that are taken, and in the next
          bits_ |= bytes >> count_;     // what is more than `count_` tells of is the same once more later
          next_ += (63 - count_) >> 3;
          count_ |= 56;
          return;
        }
      }
      put_back();
      reader_.fill_slowly();
      take_out();
    }
    void need(unsigned bits) {
      if (count_ < bits) fill();
    }
    std::uint32_t look(unsigned bits) const { return static_cast<std::uint32_t>(bits_ >> (64 - bits)); }
    void skip(unsigned bits) {
      bits_ <<= bits;
      count_ -= bits;
    }
    std::uint32_t take(unsigned bits) {  // 1 to 32
      const std::uint32_t value = look(bits);
      skip(bits);
      return value;
    }

   private:
    void take_out() {
      bits_ = reader_.bits_;
      count_ = reader_.count_;
      next_ = reader_.next_;
      end_ = reader_.end_;
    }
    void put_back() {
      reader_.bits_ = bits_;
      reader_.count_ = count_;
      reader_.next_ = next_;
    }

    EntropyReader& reader_;
    std::uint64_t bits_ = 0;
    const std::uint8_t *next_ = nullptr, *end_ = nullptr;
    unsigned count_ = 0;
  };

  // Of the first byte that isn't among the bits at hand.
  std::uint64_t position() const { return offset_ + static_cast<std::uint64_t>(next_ - begin_); }
  // Whether more was taken than there was.
  bool is_overdrawn() const { return count_ < beyond_; }
  // Whether nothing but the padding of the last byte is left (F.1.2.3); position() is the marker's, or the content's
  // end.
  bool is_at_end() {
    Hand(*this).fill();
    return ended_ && count_ - beyond_ < 8;
  }
  bool is_cut() const { return ended_ && position() + 1 >= content_.size(); }
  Place place() const {
    const unsigned count = count_ - beyond_;
    return {position(), count == 0 ? 0 : bits_ & (~std::uint64_t{0} << (64 - count)), count};
  }

  // The bytes [offset, offset + length), which lie before position().
  ByteSpan before(std::uint64_t offset, std::size_t length);

 private:
  void fetch(std::uint64_t position);
  void fill_slowly();

  const Content& content_;
  const std::uint8_t *begin_ = nullptr, *next_ = nullptr, *end_ = nullptr;
  std::uint64_t offset_ = 0;  // of *begin_
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;   // of bits_
  unsigned beyond_ = 0;  // how many of them are behind the end
  bool ended_ = false;   // at a marker, or with the content
};

}  // namespace exhibit::carve::jpeg
