#include "manifest/bign.h"

#include <openssl/err.h>

#include <array>
#include <bit>
#include <cstring>

#include "base/json.h"
#include "hash/belt.h"
#include "hash/multi_digest.h"
#include "manifest/der.h"
#include "manifest/openssl.h"

namespace exhibit::manifest::bign {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are loaded as little-endian words");

// STB 34.101.45, table B.1, big-endian here: p, a = p - 3, b, the order q, and y of G = (0, y).
constexpr const char* p_hex = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff43";
constexpr const char* a_hex = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff40";
constexpr const char* b_hex = "77ce6c1515f3a8edd2c13aabe4d8fbbe4cf55069978b9253b22e7d6bd69c03f1";
constexpr const char* q_hex = "ffffffffffffffffffffffffffffffffd95c8ed60dfb4dfc7e5abf99263d6607";
constexpr const char* y_hex = "6bf7fc3cfb16d69f5ce4c9a351d6835d78913966c408f6521e29cf1804516a93";
constexpr const char* seed_hex = "5e38010000000000";  // of b, as bytes

// DER of the OID of belt-hash, which the signature covers.
constexpr std::string_view hash_oid_der("\x06\x09\x2a\x70\x00\x02\x00\x22\x65\x1f\x51", 11);

constexpr std::size_t level_bytes = 16;  // l = 128 bits: of S0

// ---- numbers modulo q in constant time

using Scalar = std::array<std::uint64_t, 4>;  // the least significant word first
constexpr Scalar order = {0x7e5abf99263d6607, 0xd95c8ed60dfb4dfc, ~std::uint64_t{0}, ~std::uint64_t{0}};

std::uint64_t add(Scalar& a, Scalar b) {  // b by value: it may be a
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] += carry;
    carry = a[i] < carry;
    a[i] += b[i];
    carry += a[i] < b[i];
  }
  return carry;
}

std::uint64_t subtract(Scalar& a, const Scalar& b) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::uint64_t before = a[i];
    a[i] -= b[i];
    const std::uint64_t first = a[i] > before;
    const std::uint64_t between = a[i];
    a[i] -= borrow;
    borrow = first | static_cast<std::uint64_t>(a[i] > between);
  }
  return borrow;
}

// carry·2^256 + a, which is below 2q, modulo q.
void reduce(Scalar& a, std::uint64_t carry) {
  Scalar less = a;
  const std::uint64_t borrow = subtract(less, order);
  const std::uint64_t mask = std::uint64_t{0} - (carry | (borrow ^ 1));
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = (less[i] & mask) | (a[i] & ~mask);
}

void add_modulo(Scalar& a, const Scalar& b) { reduce(a, add(a, b)); }

void subtract_modulo(Scalar& a, const Scalar& b) {
  const std::uint64_t mask = std::uint64_t{0} - subtract(a, b);
  Scalar back = order;
  for (std::uint64_t& word : back) word &= mask;
  add(a, back);
}

// (s0 + 2^l)·d modulo q. s0 is public, d isn't.
Scalar times(std::string_view s0, const Scalar& d) {
  Scalar product = d;  // the bit 2^l
  for (std::size_t bit = 8 * s0.size(); bit-- > 0;) {
    add_modulo(product, product);
    if ((static_cast<unsigned char>(s0[bit / 8]) >> (bit % 8) & 1) != 0) add_modulo(product, d);
  }
  return product;
}

Scalar load(std::string_view bytes) {
  Scalar scalar;
  std::memcpy(scalar.data(), bytes.data(), sizeof scalar);
  return scalar;
}

std::string store(const Scalar& scalar) { return {reinterpret_cast<const char*>(scalar.data()), sizeof scalar}; }

// Between 0 and q, neither of them.
bool is_secret(std::string_view bytes) {
  if (bytes.size() != secret_bytes) return false;
  Scalar scalar = load(bytes);
  std::uint64_t any = 0;
  for (const std::uint64_t word : scalar) any |= word;
  const bool below = subtract(scalar, order) == 1;
  OPENSSL_cleanse(scalar.data(), sizeof scalar);
  return any != 0 && below;
}

// ---- the curve

openssl::Number number_of_hex(const char* hex) {
  BIGNUM* number = nullptr;
  BN_hex2bn(&number, hex);
  return openssl::Number(number);
}

openssl::Number number_of(std::string_view little_endian) {
  return openssl::Number(BN_lebin2bn(reinterpret_cast<const unsigned char*>(little_endian.data()),
                                     static_cast<int>(little_endian.size()), nullptr));
}

std::string reversed(std::string_view bytes) { return {bytes.rbegin(), bytes.rend()}; }
std::string bytes_of_hex(const char* big_endian) { return base::from_hex(big_endian).take(); }

struct Arithmetic {
  openssl::NumberContext context = openssl::NumberContext(BN_CTX_new());
  openssl::Number q = number_of_hex(q_hex);
  openssl::Curve curve;
};

// OpenSSL's functions fail where memory ends: an arithmetic without a curve.
Arithmetic make_arithmetic() {
  Arithmetic made;
  const openssl::Number p = number_of_hex(p_hex), a = number_of_hex(a_hex), b = number_of_hex(b_hex),
                        x = number_of_hex("0"), y = number_of_hex(y_hex);
  openssl::Curve curve(EC_GROUP_new_curve_GFp(p.get(), a.get(), b.get(), made.context.get()));
  const openssl::Point generator(curve ? EC_POINT_new(curve.get()) : nullptr);
  if (generator &&
      EC_POINT_set_affine_coordinates(curve.get(), generator.get(), x.get(), y.get(), made.context.get()) == 1 &&
      EC_GROUP_set_generator(curve.get(), generator.get(), made.q.get(), BN_value_one()) == 1)
    made.curve = std::move(curve);
  return made;
}

// nullptr unless the bytes are the coordinates of a point of the curve, each below p.
openssl::Point point_of(const Arithmetic& with, std::string_view public_key) {
  if (public_key.size() != public_bytes || !with.curve) return nullptr;
  const openssl::Number p = number_of_hex(p_hex), x = number_of(public_key.substr(0, public_bytes / 2)),
                        y = number_of(public_key.substr(public_bytes / 2));
  openssl::Point point(EC_POINT_new(with.curve.get()));
  if (!p || !x || !y || !point || BN_cmp(x.get(), p.get()) >= 0 || BN_cmp(y.get(), p.get()) >= 0) return nullptr;
  // Refuses a point that isn't on the curve; asked again all the same.
  const bool good =
      EC_POINT_set_affine_coordinates(with.curve.get(), point.get(), x.get(), y.get(), with.context.get()) == 1 &&
      EC_POINT_is_on_curve(with.curve.get(), point.get(), with.context.get()) == 1;
  ERR_clear_error();
  return good ? std::move(point) : nullptr;
}

// x, then y; empty for the point at infinity.
std::string coordinates(const Arithmetic& with, const EC_POINT* point) {
  const openssl::Number x(BN_new()), y(BN_new());
  std::string bytes(public_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  constexpr int half = public_bytes / 2;
  if (!x || !y || EC_POINT_is_at_infinity(with.curve.get(), point) == 1 ||
      EC_POINT_get_affine_coordinates(with.curve.get(), point, x.get(), y.get(), with.context.get()) != 1 ||
      BN_bn2lebinpad(x.get(), out, half) != half || BN_bn2lebinpad(y.get(), out + half, half) != half) {
    ERR_clear_error();
    return {};
  }
  return bytes;
}

Error openssl_refused() { return {ErrorCode::internal, "OpenSSL refused to compute on the curve", {}, {}}; }

// secret·G; EC_POINT_mul multiplies the generator alone in constant time.
Result<std::string> times_generator(std::string_view secret) {
  const Arithmetic with = make_arithmetic();
  const openssl::Number scalar = number_of(secret);
  const openssl::Point point(with.curve ? EC_POINT_new(with.curve.get()) : nullptr);
  if (!scalar || !point) return openssl_refused();
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  if (EC_POINT_mul(with.curve.get(), point.get(), scalar.get(), nullptr, nullptr, with.context.get()) != 1)
    return openssl_refused();
  std::string bytes = coordinates(with, point.get());
  if (bytes.empty()) return openssl_refused();
  return bytes;
}

std::string first_half_of_signature(std::string_view x, std::string_view digest) {
  return hash::digest_of("belt256", std::string(hash_oid_der).append(x).append(digest)).substr(0, level_bytes);
}

Error bad_secret() {
  return {ErrorCode::invalid_argument, "the secret key isn't within the order of its curve", {}, {}};
}

}  // namespace

std::string curve_parameters() {
  const auto integer = [](const char* hex) { return der::element(der::integer_tag, '\0' + bytes_of_hex(hex)); };
  const auto number = [](const char* hex) { return der::octet_string(reversed(bytes_of_hex(hex))); };
  const std::string field =
      der::sequence({der::oid("1.2.112.0.2.0.34.101.45.4.1"), integer(p_hex)});  // bign-primefield
  const std::string seed = der::element(der::bit_string_tag, '\0' + bytes_of_hex(seed_hex));
  const std::string curve = der::sequence({number(a_hex), number(b_hex), seed});
  return der::sequence({der::small_integer(1), field, curve, number(y_hex), integer(q_hex), der::small_integer(1)});
}

bool is_point(std::string_view public_key) { return point_of(make_arithmetic(), public_key) != nullptr; }

bool verify(std::string_view public_key, std::string_view digest, std::string_view signature) {
  if (digest.size() != digest_bytes || signature.size() != signature_bytes) return false;
  const Arithmetic with = make_arithmetic();
  const openssl::Point key = point_of(with, public_key);
  const std::string_view s0 = signature.substr(0, level_bytes);
  const openssl::Number first = number_of(s0), second = number_of(signature.substr(level_bytes)),
                        hash = number_of(digest);
  const openssl::Point point(with.curve ? EC_POINT_new(with.curve.get()) : nullptr);
  if (!key || !point || !first || !second || !hash || BN_cmp(second.get(), with.q.get()) >= 0) return false;
  // R = (S1 + H)G + (S0 + 2^l)Q.
  const bool computed =
      BN_mod_add(second.get(), second.get(), hash.get(), with.q.get(), with.context.get()) == 1 &&
      BN_set_bit(first.get(), 8 * level_bytes) == 1 &&
      EC_POINT_mul(with.curve.get(), point.get(), second.get(), key.get(), first.get(), with.context.get()) == 1;
  ERR_clear_error();
  const std::string bytes = computed ? coordinates(with, point.get()) : std::string();
  return !bytes.empty() && first_half_of_signature(bytes.substr(0, public_bytes / 2), digest) == s0;
}

Result<std::string> one_time_secret(std::string_view secret, std::string_view digest, std::string_view t) {
  if (!is_secret(secret) || digest.size() != digest_bytes) return bad_secret();
  std::string seed = std::string(hash_oid_der).append(secret).append(t);
  std::string theta = hash::belt_hash_of_secret(seed);
  std::string k(digest);
  do {
    k = hash::belt_wide_block_of_secret(k, theta);
  } while (!is_secret(k));
  OPENSSL_cleanse(seed.data(), seed.size());
  OPENSSL_cleanse(theta.data(), theta.size());
  return k;
}

Result<std::string> sign_with(std::string_view secret, std::string_view digest, std::string_view one_time) {
  if (!is_secret(secret) || !is_secret(one_time) || digest.size() != digest_bytes) return bad_secret();
  const std::string point = EXHIBIT_TRY(times_generator(one_time));
  const std::string s0 = first_half_of_signature(std::string_view(point).substr(0, public_bytes / 2), digest);
  // S1 = k - H - (S0 + 2^l)d.
  Scalar d = load(secret);
  Scalar product = times(s0, d);
  Scalar s1 = load(one_time);
  Scalar hash = load(digest);
  reduce(hash, 0);
  subtract_modulo(s1, product);
  subtract_modulo(s1, hash);
  OPENSSL_cleanse(d.data(), sizeof d);
  OPENSSL_cleanse(product.data(), sizeof product);
  return s0 + store(s1);
}

Result<std::string> sign(std::string_view secret, std::string_view digest, std::string_view t) {
  std::string k = EXHIBIT_TRY(one_time_secret(secret, digest, t));
  auto signature = sign_with(secret, digest, k);
  OPENSSL_cleanse(k.data(), k.size());
  return signature;
}

Result<std::string> public_key_of(std::string_view secret) {
  if (!is_secret(secret)) return bad_secret();
  return times_generator(secret);
}

}  // namespace exhibit::manifest::bign
