// GOST R 34.10-2012 with Streebog (RFC 7091, RFC 9215), by OpenSSL's gost engine in a process of its own
// (crypto_process.h).

#include <algorithm>
#include <array>

#include "base/json.h"
#include "manifest/crypto_process.h"
#include "manifest/der.h"
#include "manifest/suite.h"

namespace exhibit::manifest {
namespace {

// SignerInfos hold the key's own OID (RFC 9215 leaves it open; gost-engine and CryptoPro write so) or the one with the
// digest; certificates the latter.
constexpr std::array pairings256 = {Pairing{"1.2.643.7.1.1.2.2", "Streebog-256", "1.2.643.7.1.1.1.1", true},
                                    Pairing{"1.2.643.7.1.1.2.2", "Streebog-256", "1.2.643.7.1.1.3.2"}};
constexpr std::array pairings512 = {Pairing{"1.2.643.7.1.1.2.3", "Streebog-512", "1.2.643.7.1.1.1.2", true},
                                    Pairing{"1.2.643.7.1.1.2.3", "Streebog-512", "1.2.643.7.1.1.3.3"}};

// RFC 9215 section 4 and RFC 7836: id-tc26-gost-3410-2012-256-paramSetA to D, the CryptoPro sets that B, C and D are,
// and those of key exchange that equal them; -512-paramSetA to C. Test sets (…35.0, …2.2.0) are refused.
constexpr std::array<std::string_view, 9> curves256 = {
    "1.2.643.7.1.2.1.1.1", "1.2.643.7.1.2.1.1.2", "1.2.643.7.1.2.1.1.3", "1.2.643.7.1.2.1.1.4", "1.2.643.2.2.35.1",
    "1.2.643.2.2.35.2",    "1.2.643.2.2.35.3",    "1.2.643.2.2.36.0",    "1.2.643.2.2.36.1"};
constexpr std::array<std::string_view, 3> curves512 = {"1.2.643.7.1.2.1.2.1", "1.2.643.7.1.2.1.2.2",
                                                       "1.2.643.7.1.2.1.2.3"};

// GostR3410-2012-PublicKeyParameters (RFC 9215 section 4.1): the curve and, where it stands, the digest, which must be
// the suite's. The key: an OCTET STRING of the point's coordinates.
std::optional<std::string> weakness_of(X509_PUBKEY* key, std::span<const std::string_view> curves,
                                       const char* digest_oid, std::size_t bytes) {
  const std::string parameters = key_parameters(key);
  const auto outer = der::only(parameters, der::sequence_tag);
  const auto fields = outer ? der::elements(outer->content) : std::nullopt;
  if (!fields || fields->empty() || fields->size() > 3) return "its key's parameters can't be read";
  const std::string curve = der::oid_of(fields->front());
  if (std::find(curves.begin(), curves.end(), curve) == curves.end())
    return "its key is on the curve " + curve + ", which isn't one of GOST R 34.10-2012's";
  if (fields->size() > 1 && der::oid_of((*fields)[1]) != digest_oid) return "its key is for another digest";
  const std::string point = key_bytes(key);
  const auto inner = der::only(point, der::octet_string_tag);
  if (!inner || inner->content.size() != bytes) return "its public key hasn't the length of its algorithm";
  return {};
}

std::optional<std::string> weakness256(X509_PUBKEY* key, Office) {
  return weakness_of(key, curves256, pairings256.front().digest_oid, 64);
}
std::optional<std::string> weakness512(X509_PUBKEY* key, Office) {
  return weakness_of(key, curves512, pairings512.front().digest_oid, 128);
}

std::optional<std::string> unfit_for_signing(X509_PUBKEY*) { return {}; }

Result<bool> verify(X509_PUBKEY* key, const Pairing&, std::string_view digest, std::string_view signature) {
  // Both halves have the curve's length; the engine looks at the numbers.
  if (signature.size() != 2 * digest.size()) return false;
  const base::Json answer =
      EXHIBIT_TRY(ask_crypto_process({{"do", "verify"},
                                      {"key", base::to_hex(openssl::der_of(key, i2d_X509_PUBKEY))},
                                      {"digest", base::to_hex(digest)},
                                      {"signature", base::to_hex(signature)}}));
  return answer.value("valid", false);
}

}  // namespace

constinit const Suite gost256_suite = {.name = "GOST R 34.10-2012 (256 bits)",
                                       .key_oid = "1.2.643.7.1.1.1.1",
                                       .pairings = pairings256,
                                       .weakness = weakness256,
                                       .unfit_for_signing = unfit_for_signing,
                                       .verify = verify,
                                       .known_to_openssl = false};

constinit const Suite gost512_suite = {.name = "GOST R 34.10-2012 (512 bits)",
                                       .key_oid = "1.2.643.7.1.1.1.2",
                                       .pairings = pairings512,
                                       .weakness = weakness512,
                                       .unfit_for_signing = unfit_for_signing,
                                       .verify = verify,
                                       .known_to_openssl = false};

}  // namespace exhibit::manifest
