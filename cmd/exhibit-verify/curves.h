#pragma once
// The elliptic curves y^2 = x^3 + ax + b modulo p, with a base point (x, y) of prime order q, and the three signatures
// over them.

#include "der.h"
#include "digest.h"
#include "number.h"

namespace exhibit_verify {

enum class KeyKind { unknown, rsa, ecdsa, gost256, gost512, bign };

struct Curve {
  KeyKind kind;
  View name;
  View oids;        // each that it has, with blanks between
  View parameters;  // p, a, b, q, x, y in hex, the most significant digit first; -3 is p - 3

  std::vector<Number> numbers() const {
    std::vector<Number> out;
    for (std::size_t at = 0; out.size() < 6; at = parameters.find(' ', at) + 1) {
      const View text = parameters.substr(at, std::min(parameters.size(), parameters.find(' ', at)) - at);
      out.push_back(text == "-3" ? out[0] - Number(3) : Number::from_hex_text(text));
    }
    return out;
  }
};

inline constexpr Curve curves[] = {
    // FIPS 186-4 appendix D.1.2.
    {KeyKind::ecdsa, "P-256", "1.2.840.10045.3.1.7",
     "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff -3 5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53"
     "b0f63bce3c3e27d2604b ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551 6b17d1f2e12c4247f8bce6e563"
     "a440f277037d812deb33a0f4a13945d898c296 4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"},
    {KeyKind::ecdsa, "P-384", "1.3.132.0.34",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff -3 b3312fa7e23e"
     "e7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef fffffffffffffffffffffffffff"
     "fffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973 aa87ca22be8b05378eb1c71ef320ad746e1d3b628b"
     "a79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7 3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b"
     "5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"},
    {KeyKind::ecdsa, "P-521", "1.3.132.0.35",
     "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "fffffffffffffffffff -3 51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0b"
     "d3bb1bf073573df883d2c34f1ef451fd46b503f00 1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa518"
     "68783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409 c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521"
     "f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66 11839296a789a3bc0045c8a5fb42c7d"
     "1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650"},
    // STB 34.101.45 table B.1.
    {KeyKind::bign, "bign-curve256v1", "1.2.112.0.2.0.34.101.45.3.1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43 -3 77ce6c1515f3a8edd2c13aabe4d8fbbe4cf55069978b"
     "9253b22e7d6bd69c03f1 ffffffffffffffffffffffffffffffffd95c8ed60dfb4dfc7e5abf99263d6607 0 6bf7fc3cfb16d69f5ce4c9a3"
     "51d6835d78913966c408f6521e29cf1804516a93"},
    // RFC 7836 appendix A.
    {KeyKind::gost256, "TC26-256-A", "1.2.643.7.1.2.1.1.1",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97 c2173f1513981673af4892c23035a27ce25e2013bf95aa3"
     "3b22c656f277e7335 295f9bae7428ed9ccc20e7c359a9d41a22fccd9108e17bf7ba9337a6f8ae9513 40000000000000000000000000000"
     "0000fd8cddfc87b6635c115af556c360c67 91e38443a5e82c0d880923425712b2bb658b9196932e02c78b2582fe742daa28 32879423ab1"
     "a0375895786c4bb46e9565fde0b5344766740af268adb32322e5c"},
    {KeyKind::gost512, "TC26-512-A", "1.2.643.7.1.2.1.2.1",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "fffffffffffffdc7 -3 e8c2505dedfc86ddc1bd0b2b6667f1da34b82574761cb0e879bd081cfd0b6265ee3cb090f30d27614cb4574010da"
     "90dd862ef9d4ebee4761503190785a71c760 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff27e69532f48"
     "d89116ff22b8d4e0560609b4b38abfad2b85dcacdb1411f10b275 3 7503cfe87a836ae3a61b8816e25450e6ce5e1c93acf1abc1778064fd"
     "cbefa921df1626be4fd036e93d75e6a50e3a41e98028fe5fc235f5b889a589cb5215f2a4"},
    {KeyKind::gost512, "TC26-512-B", "1.2.643.7.1.2.1.2.2",
     "8000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "000000000000006f -3 687d1b459dc841457e3e06cf6f5e2517b97c7d614af138bcbf85dc806c4b289f3e965d2db1416d217f8b276fad1a"
     "b69c50f78bee1fa3106efb8ccbc7c5140116 800000000000000000000000000000000000000000000000000000000000000149a1ec14256"
     "5a545acfdb77bd9d40cfa8b996712101bea0ec6346c54374f25bd 2 1a8f7eda389b094c2c071e3647a8940f3c123b697578c213be6dd9e6"
     "c8ec7335dcb228fd1edf4a39152cbcaaf8c0398828041055f94ceeec7e21340780fe41bd"},
    {KeyKind::gost512, "TC26-512-C", "1.2.643.7.1.2.1.2.3",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "fffffffffffffdc7 dc9203e514a721875485a529d2c722fb187bc8980eb866644de41c68e143064546e861c0e2c9edd92ade71f46fcf50f"
     "f2ad97f951fda9f2a2eb6546f39689bd3 b4c4ee28cebc6c2c8ac12952cf37f16ac7efb6a9f69f4b57ffda2e4f0de5ade038cbc2fff719d2"
     "c18de0284b8bfef3b52b8cc7a5f5bf0a3c8d2319a5312557e1 3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "fffc98cdba46506ab004c33a9ff5147502cc8eda9e7a769a12694623cef47f023ed e2e31edfc23de7bdebe241ce593ef5de2295b7a9cbae"
     "f021d385f7074cea043aa27272a7ae602bf2a7b9033db9ed3610c6fb85487eae97aac5bc7928c1950148 f5ce40d95b5eb899abbccff5911"
     "cb8577939804d6527378b8c108c3d2090ff9be18e2d33e3021ed2ef32d85822423b6304f726aa854bae07d0396e9a9addc40f"},
    // RFC 4357 section 11.4 (CryptoPro-A, B, C and XchA, XchB); TC26's names, RFC 9215.
    {KeyKind::gost256, "CryptoPro-A", "1.2.643.2.2.35.1 1.2.643.2.2.36.0 1.2.643.7.1.2.1.1.2",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd97 -3 a6 ffffffffffffffffffffffffffffffff6c6110709"
     "95ad10045841b09b761b893 1 8d91e471e0989cda27df505a453f2b7635294f2ddf23e3b122acc99c9e9f1e14"},
    {KeyKind::gost256, "CryptoPro-B", "1.2.643.2.2.35.2 1.2.643.7.1.2.1.1.3",
     "8000000000000000000000000000000000000000000000000000000000000c99 -3 3e1af419a269a5f866a7d3c25c3df80ae979259373ff"
     "2b182f49d4ce7e1bbc8b 800000000000000000000000000000015f700cfff1a624e5e497161bcc8a198f 1 3fa8124359f96680b83d1c3e"
     "b2c070e5c545c9858d03ecfb744bf8d717717efc"},
    {KeyKind::gost256, "CryptoPro-C", "1.2.643.2.2.35.3 1.2.643.2.2.36.1 1.2.643.7.1.2.1.1.4",
     "9b9f605f5a858107ab1ec85e6b41c8aacf846e86789051d37998f7b9022d759b -3 805a 9b9f605f5a858107ab1ec85e6b41c8aa582ca35"
     "11eddfb74f02f3a6598980bb9 0 41ece55743711a8c3cbf3783cd08c0ee4d4dc440d4641a8f366e550dfdb3bb67"}};

// nullptr where no curve of that kind has this object identifier.
inline const Curve* find_curve(View oid, KeyKind kind) {
  for (const Curve& curve : curves) {
    if (curve.kind == kind && (Bytes(curve.oids) + " ").find(Bytes(oid) + " ") != Bytes::npos) return &curve;
  }
  return nullptr;
}

// In Jacobian coordinates: (X / Z^2, Y / Z^3); Z is zero at infinity.
struct Point {
  Number x, y, z;
};

// A curve's points; their coordinates are residues of its field.
class Group {
 public:
  explicit Group(const Curve& curve) : Group(curve.numbers()) {}

  Point point(const Number& x, const Number& y) const { return {field_.in(x), field_.in(y), field_.in(Number(1))}; }

  bool has(const Number& x, const Number& y) const {
    if (x >= field_.value() || y >= field_.value()) return false;
    const Number at = field_.in(x), height = field_.in(y);
    return times(height, height) == plus(plus(times(times(at, at), at), times(a_, at)), b_);
  }

  // number * base + other * point, both at once from the highest bit down.
  Point sum(const Number& number, const Number& other, const Point& point) const {
    const Point both = add(base_, point);
    Point out;
    for (std::size_t i = std::max(number.bits(), other.bits()); i-- > 0;) {
      out = twice(out);
      if (number.bit(i) || other.bit(i)) out = add(out, !other.bit(i) ? base_ : number.bit(i) ? both : point);
    }
    return out;
  }

  Number affine_x(const Point& at) const { return field_.out(times(at.x, field_.inverse(times(at.z, at.z)))); }
  const Modulus& order() const { return order_; }
  std::size_t bits() const { return field_.value().bits(); }

 private:
  explicit Group(const std::vector<Number>& p)
      : field_(p[0]), order_(p[3]), a_(field_.in(p[1])), b_(field_.in(p[2])), base_(point(p[4], p[5])) {}

  Number times(const Number& a, const Number& b) const { return field_.multiply(a, b); }
  Number plus(const Number& a, const Number& b) const { return field_.add(a, b); }
  Number minus(const Number& a, const Number& b) const { return field_.subtract(a, b); }

  Point twice(const Point& p) const {
    if (p.z.is_zero() || p.y.is_zero()) return {};
    const Number y2 = times(p.y, p.y), x2 = times(p.x, p.x), z2 = times(p.z, p.z), xy2 = times(p.x, y2);
    const Number half = plus(xy2, xy2), s = plus(half, half);  // 4XY^2
    const Number m = plus(plus(plus(x2, x2), x2), times(a_, times(z2, z2)));
    const Number y4 = times(y2, y2), two = plus(y4, y4), four = plus(two, two);
    const Number x = minus(minus(times(m, m), s), s), yz = times(p.y, p.z);
    return {x, minus(times(m, minus(s, x)), plus(four, four)), plus(yz, yz)};
  }

  Point add(const Point& p, const Point& q) const {
    if (p.z.is_zero()) return q;
    if (q.z.is_zero()) return p;
    const Number pz2 = times(p.z, p.z), qz2 = times(q.z, q.z), u1 = times(p.x, qz2), u2 = times(q.x, pz2);
    const Number s1 = times(p.y, times(qz2, q.z)), s2 = times(q.y, times(pz2, p.z));
    if (u1 == u2) return s1 == s2 ? twice(p) : Point{};
    const Number h = minus(u2, u1), r = minus(s2, s1), h2 = times(h, h), h3 = times(h2, h), v = times(u1, h2);
    const Number x = minus(minus(minus(times(r, r), h3), v), v);
    return {x, minus(times(r, minus(v, x)), times(s1, h3)), times(h, times(p.z, q.z))};
  }

  Modulus field_, order_;
  Number a_, b_;
  Point base_;
};

// Whether x of (a / c) * base + (b / c) * key is r: the last step of both ECDSA and GOST R 34.10.
inline bool leads_to(const Group& group, const Number& a, const Number& b, const Number& c, const Point& key,
                     const Number& r) {
  const Modulus& order = group.order();
  const Number inverse = order.inverse(order.in(c));
  const auto over_c = [&](const Number& n) { return order.out(order.multiply(order.in(n), inverse)); };
  const Point at = group.sum(over_c(a), over_c(b), key);
  return !at.z.is_zero() && group.affine_x(at) % order.value() == r;
}

inline bool in_range(const Number& number, const Group& group) {
  return !number.is_zero() && number < group.order().value();
}

// FIPS 186-4 section 6.4: ECDSA. The orders of the curves above are of whole bytes.
inline bool verify_ecdsa(const Group& group, const Point& key, View digest, View signature) {
  Elements parts = only_sequence(signature, "ECDSA signature");
  const Number r = Number::from_big_endian(parts.next("r").integer());
  const Number s = Number::from_big_endian(parts.next("s").integer());
  parts.end("ECDSA signature");
  const Number e = Number::from_big_endian(digest.substr(0, group.order().value().bits() / 8));
  return in_range(r, group) && in_range(s, group) && leads_to(group, e, r, s, key, r);
}

// GOST R 34.10-2012 section 6.2 (RFC 7091). In X.509 and CMS the signature is s || r, the most significant byte first
// (RFC 4491 section 2.2.2, RFC 9215); the digest is a number whose least significant byte comes first.
inline bool verify_gost(const Group& group, const Point& key, View digest, View signature) {
  const std::size_t half = digest.size();
  if (signature.size() != 2 * half) return false;
  const Number s = Number::from_big_endian(signature.substr(0, half)),
               r = Number::from_big_endian(signature.substr(half));
  if (!in_range(r, group) || !in_range(s, group)) return false;
  Number e = Number::from_little_endian(digest) % group.order().value();
  if (e.is_zero()) e = Number(1);
  return leads_to(group, s, group.order().value() - r, e, key, r);
}

// STB 34.101.45 algorithm 7.1.4 at level l = 128: S0 of 16 bytes, S1 of 32, the least significant byte first.
inline bool verify_bign(const Group& group, const Point& key, View digest, View signature) {
  if (signature.size() != 48 || digest.size() != 32) return false;
  const Number s0 = Number::from_little_endian(signature.substr(0, 16));
  const Number s1 = Number::from_little_endian(signature.substr(16));
  const Number& q = group.order().value();
  if (s1 >= q) return false;
  const Point at = group.sum((s1 + Number::from_little_endian(digest)) % q, (s0 + (Number(1) << 128)) % q, key);
  if (at.z.is_zero()) return false;
  const Bytes oid = *from_hex("06092a7000020022651f51");  // DER of belt-hash's, 1.2.112.0.2.0.34.101.31.81
  const Bytes t = digest_of("belt256", oid + group.affine_x(at).little_endian(32) + Bytes(digest));
  return t.substr(0, 16) == signature.substr(0, 16);
}

// Whether `signature` over a digest is that of the key (x, y), by the curve's kind.
inline bool verify_on_curve(const Curve& curve, const Number& x, const Number& y, View digest, View signature) {
  const Group group(curve);
  const Point key = group.point(x, y);
  if (curve.kind == KeyKind::ecdsa) return verify_ecdsa(group, key, digest, signature);
  if (curve.kind == KeyKind::bign) return verify_bign(group, key, digest, signature);
  return verify_gost(group, key, digest, signature);
}

}  // namespace exhibit_verify
