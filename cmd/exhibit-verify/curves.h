#pragma once
// The elliptic curves y^2 = x^3 + ax + b modulo p, with a base point (x, y) of prime order q, and the three signatures
// over them.

#include "number.h"

namespace exhibit_verify {

enum class KeyKind { unknown, rsa, ecdsa, gost256, gost512, bign };

struct Curve {
  KeyKind kind;
  View name;
  View oids;        // each that it has, with blanks between
  View parameters;  // p, a, b, q, x, y in hex, with blanks between; the most significant digit first
};

// nullptr where no curve of that kind has this object identifier.
const Curve* find_curve(View oid, KeyKind kind);
std::size_t curve_bits(const Curve& curve);  // of p

bool is_on_curve(const Curve& curve, const Number& x, const Number& y);
// Whether `signature` over a digest is that of the key (x, y), by the curve's kind.
bool verify_on_curve(const Curve& curve, const Number& x, const Number& y, View digest, View signature);

}  // namespace exhibit_verify
