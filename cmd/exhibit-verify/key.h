#pragma once
// Public keys, the algorithms that go with them, and the signatures that they verify.

#include "curves.h"

namespace exhibit_verify {

// A signature algorithm, the kind of its key, and its digest; "" where the digest stands beside it.
struct SignatureName {
  View oid;
  KeyKind kind;
  View digest;
};
inline constexpr SignatureName signature_names[] = {
    {"1.2.840.113549.1.1.1", KeyKind::rsa, ""},         // RFC 3370 section 3.2
    {"1.2.840.113549.1.1.11", KeyKind::rsa, "sha256"},  // RFC 4055
    {"1.2.840.113549.1.1.12", KeyKind::rsa, "sha384"},
    {"1.2.840.113549.1.1.13", KeyKind::rsa, "sha512"},
    {"1.2.840.10045.4.3.2", KeyKind::ecdsa, "sha256"},  // RFC 5758
    {"1.2.840.10045.4.3.3", KeyKind::ecdsa, "sha384"},
    {"1.2.840.10045.4.3.4", KeyKind::ecdsa, "sha512"},
    {"1.2.643.7.1.1.3.2", KeyKind::gost256, "streebog256"},  // RFC 9215
    {"1.2.643.7.1.1.3.3", KeyKind::gost512, "streebog512"},
    {"1.2.643.7.1.1.1.1", KeyKind::gost256, "streebog256"},  // as CMS is written
    {"1.2.643.7.1.1.1.2", KeyKind::gost512, "streebog512"},
    {"1.2.112.0.2.0.34.101.45.12", KeyKind::bign, "belt256"}};  // STB 34.101.45

struct KindName {
  View oid;
  KeyKind kind;
};
inline constexpr KindName kind_names[] = {{"1.2.840.113549.1.1.1", KeyKind::rsa},
                                          {"1.2.840.10045.2.1", KeyKind::ecdsa},
                                          {"1.2.643.7.1.1.1.1", KeyKind::gost256},
                                          {"1.2.643.7.1.1.1.2", KeyKind::gost512},
                                          {"1.2.112.0.2.0.34.101.45.2.1", KeyKind::bign}};

// MD5 (RFC 1321) and SHA-1 (FIPS 180-4): whoever signs with them proves nothing.
inline bool is_broken_digest(View oid) { return oid == "1.2.840.113549.2.5" || oid == "1.3.14.3.2.26"; }

// The digest of a signature algorithm over a key of that kind; `beside` is the digest named beside it (in CMS), ""
// where none is (in a certificate). "" where these don't go together, or aren't known.
inline View signature_digest(View signature_oid, KeyKind kind, View beside) {
  for (const SignatureName& one : signature_names) {
    if (one.oid != signature_oid || one.kind != kind) continue;
    if (one.digest.empty()) return beside.substr(0, 3) == "sha" ? beside : "";
    return beside.empty() || beside == one.digest ? one.digest : "";
  }
  return "";
}

// RFC 8017 section 8.2.2: RSASSA-PKCS1-v1_5. The whole padded message is made again and compared.
inline bool verify_rsa(const Number& modulus, const Number& exponent, View algorithm, View digest, View signature) {
  // Section 9.2, note 1: DigestInfo up to the digest itself, in hex.
  const View last = algorithm == "sha256" ? "0105000420" : algorithm == "sha384" ? "0205000430" : "0305000440";
  const Bytes prefix =
      *from_hex("30" + to_hex(big_endian(17 + digest.size(), 1)) + "300d06096086480165030402" + Bytes(last));
  const std::size_t size = (modulus.bits() + 7) / 8;
  if (signature.size() != size || size < prefix.size() + digest.size() + 11) return false;
  const Number number = Number::from_big_endian(signature);
  if (number >= modulus) return false;
  const Bytes filling(size - prefix.size() - digest.size() - 3, '\xFF');
  const Bytes expected = Bytes("\0\1", 2) + filling + Bytes(1, '\0') + prefix + Bytes(digest);
  const Modulus field(modulus);
  return field.out(field.power(field.in(number), exponent)) == Number::from_big_endian(expected);
}

struct PublicKey {
  KeyKind kind = KeyKind::unknown;
  std::string name;      // "RSA with 3072 bits", "ECDSA on P-256", …; for an unknown one, its object identifiers
  std::size_t bits = 0;  // of the modulus or of the curve
  const Curve* curve = nullptr;
  Number first, second;  // RSA: modulus and exponent; else the coordinates of the point

  // From a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). A kind or a curve that this program doesn't know gives a
  // key of kind unknown; a known one that is malformed is Refused.
  explicit PublicKey(const Element& info) {
    Elements parts(info, tag_sequence, "public key");
    Elements algorithm(parts.next("key algorithm"), tag_sequence, "key algorithm");
    const View key = parts.next("public key").bit_string();
    parts.end("public key");
    name = algorithm.next("key algorithm").oid();
    for (const KindName& one : kind_names) kind = one.oid == name ? one.kind : kind;
    if (kind == KeyKind::rsa) read_rsa(key);
    if (kind != KeyKind::rsa && kind != KeyKind::unknown) read_point(algorithm.next("curve"), key);
  }

  // Whether `signature` is this key's over a digest by that algorithm (digest.h).
  bool verify(View algorithm, View digest, View signature) const {
    if (kind == KeyKind::rsa) return verify_rsa(first, second, algorithm, digest, signature);
    return kind != KeyKind::unknown && verify_on_curve(*curve, first, second, digest, signature);
  }

 private:
  void read_rsa(View key) {
    constexpr std::size_t least = 1024, most = 8192, longest_exponent = 64;  // bits that this program takes on
    Elements numbers = only_sequence(key, "RSA key");
    first = Number::from_big_endian(numbers.next("modulus").integer());
    second = Number::from_big_endian(numbers.next("exponent").integer());
    bits = first.bits();
    name = "RSA with " + std::to_string(bits) + " bits";
    if (!first.bit(0) || !second.bit(0) || second.bits() < 2 || second.bits() > longest_exponent || bits < least ||
        bits > most)
      throw Refused{"an RSA key that no honest program makes"};
  }

  // ECDSA: SEC 1 section 2.3.4, uncompressed. GOST: RFC 9215. bign: STB 34.101.45.
  void read_point(const Element& parameters, View key) {
    const bool gost = kind == KeyKind::gost256 || kind == KeyKind::gost512, ecdsa = kind == KeyKind::ecdsa;
    const std::string oid =
        gost ? Elements(parameters, tag_sequence, "parameters").next("curve").oid() : parameters.oid();
    curve = find_curve(oid, kind);
    if (curve == nullptr) {
      name += " on the curve " + oid;
      kind = KeyKind::unknown;
      return;
    }
    const Group group(*curve);
    bits = group.bits();
    name = (ecdsa ? "ECDSA on " : gost ? "GOST R 34.10-2012 on " : "bign on ") + Bytes(curve->name);
    const std::size_t size = (bits + 7) / 8;
    const View point = gost ? only_element(key, tag_octet_string, "point").content : key;
    if (point.size() != 2 * size + ecdsa || (ecdsa && point[0] != '\x04'))
      throw Refused{"a public key of no known form"};
    const auto number = ecdsa ? Number::from_big_endian : Number::from_little_endian;
    first = number(point.substr(ecdsa, size));
    second = number(point.substr(ecdsa + size));
    if (!group.has(first, second)) throw Refused{"a public key that isn't on its curve"};
  }
};

}  // namespace exhibit_verify
