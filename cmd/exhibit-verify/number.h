#pragma once
// Whole numbers of any size, and arithmetic modulo an odd number: what public-key signatures are made of. Nothing here
// is secret, so nothing has to take the same time for all inputs.

#include <bit>
#include <compare>

#include "base.h"

namespace exhibit_verify {

class Number {
 public:
  Number() = default;
  explicit Number(std::uint64_t value)
      : limbs_{static_cast<std::uint32_t>(value), static_cast<std::uint32_t>(value >> 32)} {
    trim();
  }
  static Number from_little_endian(View bytes) {
    Number out;
    out.limbs_.resize((bytes.size() + 3) / 4);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      out.limbs_[i / 4] |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * (i % 4));
    out.trim();
    return out;
  }
  static Number from_big_endian(View bytes) { return from_little_endian(Bytes(bytes.rbegin(), bytes.rend())); }
  // Any number of digits.
  static Number from_hex_text(View hex) {
    return from_big_endian(from_hex((hex.size() % 2 == 0 ? "" : "0") + Bytes(hex)).value_or(""));
  }

  // Its lowest bytes, the least significant first.
  Bytes little_endian(std::size_t size) const {
    Bytes out(size, '\0');
    for (std::size_t i = 0; i < size && i / 4 < limbs_.size(); ++i)
      out[i] = static_cast<char>(limbs_[i / 4] >> (8 * (i % 4)) & 0xFF);
    return out;
  }
  bool is_zero() const { return limbs_.empty(); }
  bool bit(std::size_t i) const { return i / 32 < limbs_.size() && (limbs_[i / 32] >> (i % 32) & 1) != 0; }
  std::size_t bits() const {
    return limbs_.empty() ? 0 : 32 * limbs_.size() - static_cast<std::size_t>(std::countl_zero(limbs_.back()));
  }

  bool operator==(const Number&) const = default;
  std::strong_ordering operator<=>(const Number& other) const {
    if (limbs_.size() != other.limbs_.size()) return limbs_.size() <=> other.limbs_.size();
    for (std::size_t i = limbs_.size(); i-- > 0;) {
      if (limbs_[i] != other.limbs_[i]) return limbs_[i] <=> other.limbs_[i];
    }
    return std::strong_ordering::equal;
  }
  Number operator+(const Number& other) const {
    Number out = *this;
    out.limbs_.resize(std::max(limbs_.size(), other.limbs_.size()) + 1);
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < out.limbs_.size(); ++i, carry >>= 32) {
      carry += std::uint64_t{out.limbs_[i]} + (i < other.limbs_.size() ? other.limbs_[i] : 0);
      out.limbs_[i] = static_cast<std::uint32_t>(carry);
    }
    out.trim();
    return out;
  }
  // Of no greater a number.
  Number operator-(const Number& other) const {
    Number out = *this;
    std::uint64_t borrow = 0;
    for (std::size_t i = 0; i < out.limbs_.size(); ++i) {
      const std::uint64_t taken = (i < other.limbs_.size() ? other.limbs_[i] : 0) + borrow;
      borrow = out.limbs_[i] < taken;
      out.limbs_[i] -= static_cast<std::uint32_t>(taken);
    }
    out.trim();
    return out;
  }
  Number operator<<(std::size_t bits) const {
    Number out;
    out.limbs_.resize(limbs_.size() + bits / 32 + 1);
    for (std::size_t i = 0; i < limbs_.size(); ++i) {
      const std::uint64_t shifted = std::uint64_t{limbs_[i]} << (bits % 32);
      out.limbs_[i + bits / 32] |= static_cast<std::uint32_t>(shifted);
      out.limbs_[i + bits / 32 + 1] |= static_cast<std::uint32_t>(shifted >> 32);
    }
    out.trim();
    return out;
  }
  // Bit by bit, as on paper: it is asked for seldom.
  Number operator%(const Number& modulus) const {
    Number rest = *this;
    for (std::size_t shift = bits() - std::min(bits(), modulus.bits()) + 1; shift-- > 0;) {
      if (const Number shifted = modulus << shift; rest >= shifted) rest = rest - shifted;
    }
    return rest;
  }

 private:
  friend class Modulus;
  void trim() {
    while (!limbs_.empty() && limbs_.back() == 0) limbs_.pop_back();
  }
  std::vector<std::uint32_t> limbs_;  // the least significant first, the last isn't zero
};

// Arithmetic modulo an odd number above 1, by Montgomery's multiplication (Handbook of Applied Cryptography, algorithm
// 14.36). Residues go in by `in` and come out by `out`; between, they are multiplied by R = 2^(32 * limbs).
class Modulus {
 public:
  explicit Modulus(Number modulus) : modulus_(std::move(modulus)) {
    std::uint32_t inverse = 1;  // of the lowest limb, modulo 2^32; Newton's iteration doubles the bits that are right
    for (int i = 0; i < 5; ++i) inverse *= 2 - modulus_.limbs_[0] * inverse;
    negative_inverse_ = 0 - inverse;
    r_squared_ = (Number(1) << (64 * modulus_.limbs_.size())) % modulus_;
  }
  const Number& value() const { return modulus_; }
  Number in(const Number& value) const { return multiply(value % modulus_, r_squared_); }
  Number out(const Number& value) const { return multiply(value, Number(1)); }
  Number multiply(const Number& a, const Number& b) const {
    const std::size_t n = modulus_.limbs_.size();
    std::vector<std::uint32_t> sum(n + 2);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t factor = i < a.limbs_.size() ? a.limbs_[i] : 0;
      std::uint64_t carry = 0;
      for (std::size_t j = 0; j < n; ++j) {
        carry += sum[j] + factor * (j < b.limbs_.size() ? b.limbs_[j] : 0);
        sum[j] = static_cast<std::uint32_t>(carry);
        carry >>= 32;
      }
      carry += sum[n];
      sum[n] = static_cast<std::uint32_t>(carry);
      sum[n + 1] = static_cast<std::uint32_t>(carry >> 32);
      // The multiple of the modulus that makes the lowest limb zero; then everything moves down by one.
      const std::uint64_t multiple = sum[0] * negative_inverse_;
      carry = (sum[0] + multiple * modulus_.limbs_[0]) >> 32;
      for (std::size_t j = 1; j < n; ++j) {
        carry += sum[j] + multiple * modulus_.limbs_[j];
        sum[j - 1] = static_cast<std::uint32_t>(carry);
        carry >>= 32;
      }
      carry += sum[n];
      sum[n - 1] = static_cast<std::uint32_t>(carry);
      sum[n] = sum[n + 1] + static_cast<std::uint32_t>(carry >> 32);
    }
    Number out;
    out.limbs_.assign(sum.begin(), sum.begin() + static_cast<std::ptrdiff_t>(n + 1));
    out.trim();
    return out < modulus_ ? out : out - modulus_;
  }
  Number add(const Number& a, const Number& b) const {
    const Number sum = a + b;
    return sum < modulus_ ? sum : sum - modulus_;
  }
  Number subtract(const Number& a, const Number& b) const { return a >= b ? a - b : a + modulus_ - b; }
  Number power(const Number& base, const Number& exponent) const {
    Number out = in(Number(1));
    for (std::size_t i = exponent.bits(); i-- > 0;) {
      out = multiply(out, out);
      if (exponent.bit(i)) out = multiply(out, base);
    }
    return out;
  }
  // Of a prime modulus: by Fermat, a^(p-2).
  Number inverse(const Number& a) const { return power(a, modulus_ - Number(2)); }

 private:
  Number modulus_, r_squared_;
  std::uint32_t negative_inverse_ = 0;  // -modulus^-1 mod 2^32
};

}  // namespace exhibit_verify
