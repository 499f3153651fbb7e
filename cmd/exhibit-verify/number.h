#pragma once
// Whole numbers of any size, and arithmetic modulo an odd number: what public-key signatures are made of. Nothing here
// is secret, so nothing has to take the same time for all inputs.

#include <compare>

#include "base.h"

namespace exhibit_verify {

class Number {
 public:
  Number() = default;
  explicit Number(std::uint64_t value);
  static Number from_big_endian(View bytes);
  static Number from_little_endian(View bytes);
  static Number from_hex_text(View hex);        // any number of digits
  Bytes little_endian(std::size_t size) const;  // its lowest bytes

  bool is_zero() const { return limbs_.empty(); }
  bool is_odd() const { return !limbs_.empty() && (limbs_[0] & 1) != 0; }
  std::size_t bits() const;
  bool bit(std::size_t i) const;

  std::strong_ordering operator<=>(const Number& other) const;
  bool operator==(const Number&) const = default;
  Number operator+(const Number& other) const;
  Number operator-(const Number& other) const;  // of no greater a number
  Number operator<<(std::size_t bits) const;
  Number operator%(const Number& modulus) const;

 private:
  friend class Modulus;
  void trim();
  std::vector<std::uint32_t> limbs_;  // the least significant first, the last isn't zero
};

// Arithmetic modulo an odd number above 1, by Montgomery's multiplication (Handbook of Applied Cryptography, algorithm
// 14.36). Residues go in by `in` and come out by `out`; between, they are multiplied by R = 2^(32 * limbs).
class Modulus {
 public:
  explicit Modulus(Number modulus);
  const Number& value() const { return modulus_; }
  Number in(const Number& value) const { return multiply(value % modulus_, r_squared_); }
  Number out(const Number& value) const { return multiply(value, Number(1)); }
  Number multiply(const Number& a, const Number& b) const;
  Number add(const Number& a, const Number& b) const;
  Number subtract(const Number& a, const Number& b) const;
  Number power(const Number& base, const Number& exponent) const;
  // Of a prime modulus: by Fermat, a^(p-2).
  Number inverse(const Number& a) const { return power(a, modulus_ - Number(2)); }

 private:
  Number modulus_, r_squared_, one_;
  std::uint32_t negative_inverse_ = 0;  // -modulus^-1 mod 2^32
};

}  // namespace exhibit_verify
