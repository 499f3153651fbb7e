#pragma once
// Fields of content that don't end at bytes.

#include <algorithm>
#include <bit>
#include <cstdint>

#include "carve/content.h"

namespace exhibit::carve {

// Bits from a byte on, the highest first. Behind `end`, or the content's, none are given, and ok() is false.
class Bits {
 public:
  Bits(const Content& content, std::uint64_t offset, std::uint64_t end) : content_(content), next_(offset), end_(end) {}

  bool ok() const { return ok_; }
  // The first byte of which no bit was taken.
  std::uint64_t position() const { return next_ - (span_.size() - at_) - held_ / 8; }

  std::uint32_t take(unsigned count) {  // at most 32
    if (count == 0 || !need(count)) return 0;
    const auto value = static_cast<std::uint32_t>(bits_ >> (64 - count));
    drop(count);
    return value;
  }
  void skip(std::uint64_t count) {
    for (; count > 32 && ok_; count -= 32) take(32);
    take(static_cast<unsigned>(count));
  }
  // Ones before the next zero, which is taken too; no more than `most`, and then no zero.
  unsigned ones(unsigned most) {
    fill(most + 1);
    const unsigned found = std::min(static_cast<unsigned>(std::countl_one(bits_)), most);
    if (found == held_ && found < most) ok_ = false;
    drop(std::min(held_, found + (found < most ? 1 : 0)));
    return found;
  }
  // Zeros before the next one; the one is taken too.
  std::uint32_t unary() {
    std::uint32_t zeros = 0;
    for (;;) {
      if (!need(1)) return 0;
      if (bits_ != 0) {
        const auto here = static_cast<unsigned>(std::countl_zero(bits_));
        drop(here + 1);
        return zeros + here;
      }
      zeros += held_;
      held_ = 0;
    }
  }

 private:
  bool need(unsigned count) { return ok_ &= fill(count); }
  // Whether at least `count` bits are held.
  bool fill(unsigned count) {
    while (held_ < count) {
      if (at_ == span_.size() && !refill()) return false;
      while (held_ <= 56 && at_ < span_.size()) {
        bits_ |= std::uint64_t{span_[at_++]} << (56 - held_);
        held_ += 8;
      }
    }
    return true;
  }
  void drop(unsigned count) {
    bits_ = count < 64 ? bits_ << count : 0;
    held_ -= count;
  }
  bool refill() {
    if (next_ >= end_) return false;
    constexpr std::uint64_t piece = 4096;  // bytes
    const std::uint64_t wanted = std::min(piece, end_ - next_);
    span_ = content_.at(next_, wanted);
    span_ = span_.first(std::min<std::uint64_t>(span_.size(), wanted));
    at_ = 0;
    next_ += span_.size();
    return !span_.empty();
  }

  const Content& content_;
  std::uint64_t next_;  // of what is behind span_
  std::uint64_t end_;
  ByteSpan span_;
  std::size_t at_ = 0;
  std::uint64_t bits_ = 0;  // the next one highest
  unsigned held_ = 0;
  bool ok_ = true;
};

}  // namespace exhibit::carve
