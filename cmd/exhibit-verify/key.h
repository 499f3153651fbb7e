#pragma once
// Public keys, the algorithms that go with them, and the signatures that they verify.

#include "curves.h"
#include "der.h"

namespace exhibit_verify {

class PublicKey {
 public:
  // From a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). A kind or a curve that this program doesn't know gives a
  // key of kind unknown; a known one that is malformed, or a point that isn't on its curve, is Refused.
  static PublicKey read(const Element& info);

  KeyKind kind = KeyKind::unknown;
  std::string name;      // "RSA with 3072 bits", "ECDSA on P-256", …; for an unknown one, its object identifiers
  std::size_t bits = 0;  // of the modulus or of the curve

  // Whether `signature` is this key's over a digest by that algorithm (digest.h).
  bool verify(View algorithm, View digest, View signature) const;

 private:
  const Curve* curve_ = nullptr;
  Number first_, second_;  // RSA: modulus and exponent; else the coordinates of the point
};

// The digest (digest.h) that an object identifier names; "" for one that this program doesn't know.
View digest_of_oid(View oid);
// MD5 and SHA-1: whoever signs with them proves nothing.
bool is_broken_digest(View oid);
// The digest of a signature algorithm over a key of that kind; `beside` is the digest named beside it (in CMS), ""
// where none is (in a certificate). "" where these don't go together, or aren't known.
View signature_digest(View signature_oid, KeyKind kind, View beside);

}  // namespace exhibit_verify
