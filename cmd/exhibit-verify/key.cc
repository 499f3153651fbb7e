#include "key.h"

#include <algorithm>

#include "base.h"
#include "curves.h"
#include "digest.h"

namespace exhibit_verify {
namespace {

struct DigestName {
  View oid, name;
};
constexpr DigestName digest_names[] = {
    {"2.16.840.1.101.3.4.2.1", "sha256"},  // NIST, RFC 5754
    {"2.16.840.1.101.3.4.2.2", "sha384"}, {"2.16.840.1.101.3.4.2.3", "sha512"},
    {"1.2.643.7.1.1.2.2", "streebog256"},                                              // RFC 9215
    {"1.2.643.7.1.1.2.3", "streebog512"}, {"1.2.112.0.2.0.34.101.31.81", "belt256"}};  // STB 34.101.31

// A signature algorithm, the kind of its key, and its digest; "" where the digest stands beside it.
struct SignatureName {
  View oid;
  KeyKind kind;
  View digest;
};
constexpr SignatureName signature_names[] = {
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
constexpr KindName kind_names[] = {{"1.2.840.113549.1.1.1", KeyKind::rsa},
                                   {"1.2.840.10045.2.1", KeyKind::ecdsa},
                                   {"1.2.643.7.1.1.1.1", KeyKind::gost256},
                                   {"1.2.643.7.1.1.1.2", KeyKind::gost512},
                                   {"1.2.112.0.2.0.34.101.45.2.1", KeyKind::bign}};

// RFC 8017 section 8.2.2: RSASSA-PKCS1-v1_5. The whole padded message is made again and compared.
bool verify_rsa(const Number& modulus, const Number& exponent, View algorithm, View digest, View signature) {
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

}  // namespace

PublicKey PublicKey::read(const Element& info) {
  Elements parts(info, tag_sequence, "public key");
  Elements algorithm(parts.next("key algorithm"), tag_sequence, "key algorithm");
  const View bits = parts.next("public key").bit_string();
  parts.end("public key");
  PublicKey key;
  key.name = algorithm.next("key algorithm").oid();
  for (const KindName& one : kind_names) key.kind = one.oid == key.name ? one.kind : key.kind;
  if (key.kind == KeyKind::unknown) return key;
  if (key.kind == KeyKind::rsa) {
    constexpr std::size_t least = 1024, most = 8192, longest_exponent = 64;  // bits that this program takes on
    Elements numbers(only_element(bits, tag_sequence, "RSA key"), tag_sequence, "RSA key");
    key.first_ = Number::from_big_endian(numbers.next("modulus").integer());
    key.second_ = Number::from_big_endian(numbers.next("exponent").integer());
    key.bits = key.first_.bits();
    if (!key.first_.is_odd() || !key.second_.is_odd() || key.second_ == Number(1) || key.bits < least ||
        key.bits > most || key.second_.bits() > longest_exponent)
      throw Refused{"an RSA key that no honest program makes"};
    key.name = "RSA with " + std::to_string(key.bits) + " bits";
    return key;
  }
  const bool gost = key.kind == KeyKind::gost256 || key.kind == KeyKind::gost512;
  const Element parameters = algorithm.next("curve");
  const std::string oid =
      gost ? Elements(parameters, tag_sequence, "parameters").next("curve").oid() : parameters.oid();
  key.curve_ = find_curve(oid, key.kind);
  if (key.curve_ == nullptr) {
    key.name += " on the curve " + oid;
    key.kind = KeyKind::unknown;
    return key;
  }
  key.bits = curve_bits(*key.curve_);
  const std::size_t size = (key.bits + 7) / 8;
  View point = gost ? only_element(bits, tag_octet_string, "point").content : bits;
  const bool ecdsa = key.kind == KeyKind::ecdsa;  // SEC 1 section 2.3.4, uncompressed; the others have no mark
  if (point.size() != 2 * size + ecdsa || (ecdsa && point[0] != '\x04')) throw Refused{"a public key of no known form"};
  point.remove_prefix(ecdsa);
  const auto number = ecdsa ? Number::from_big_endian : Number::from_little_endian;
  key.first_ = number(point.substr(0, size));
  key.second_ = number(point.substr(size));
  if (!is_on_curve(*key.curve_, key.first_, key.second_)) throw Refused{"a public key that isn't on its curve"};
  key.name = (ecdsa ? "ECDSA on " : gost ? "GOST R 34.10-2012 on " : "bign on ") + Bytes(key.curve_->name);
  return key;
}

bool PublicKey::verify(View algorithm, View digest, View signature) const {
  if (kind == KeyKind::rsa) return verify_rsa(first_, second_, algorithm, digest, signature);
  return kind != KeyKind::unknown && verify_on_curve(*curve_, first_, second_, digest, signature);
}

View digest_of_oid(View oid) {
  for (const DigestName& one : digest_names) {
    if (one.oid == oid) return one.name;
  }
  return "";
}

bool is_broken_digest(View oid) {
  return oid == "1.2.840.113549.2.5" /* MD5, RFC 1321 */ || oid == "1.3.14.3.2.26" /* SHA-1, FIPS 180-4 */;
}

View signature_digest(View signature_oid, KeyKind kind, View beside) {
  for (const SignatureName& one : signature_names) {
    if (one.oid != signature_oid || one.kind != kind) continue;
    if (one.digest.empty()) return beside.substr(0, 3) == "sha" ? beside : "";
    return beside.empty() || beside == one.digest ? one.digest : "";
  }
  return "";
}

}  // namespace exhibit_verify
