// ECDSA (FIPS 186-4, RFC 5753): our own signatures with P-256 and SHA-256; P-384 and P-521 are verified too.

#include <openssl/err.h>

#include <array>

#include "manifest/suite.h"

namespace exhibit::manifest {
namespace {

// ecdsa-with-SHA256/384/512, RFC 5758 section 3.2.
constexpr std::array pairings = {Pairing{"2.16.840.1.101.3.4.2.1", "SHA2-256", "1.2.840.10045.4.3.2"},
                                 Pairing{"2.16.840.1.101.3.4.2.2", "SHA2-384", "1.2.840.10045.4.3.3"},
                                 Pairing{"2.16.840.1.101.3.4.2.3", "SHA2-512", "1.2.840.10045.4.3.4"}};

// Empty for what isn't a key on a curve of a name.
std::string curve_of(X509_PUBKEY* key) {
  char name[64];
  std::size_t length = 0;
  const EVP_PKEY* const parsed = X509_PUBKEY_get0(key);
  const bool named = parsed != nullptr && EVP_PKEY_get_group_name(parsed, name, sizeof name, &length) == 1;
  ERR_clear_error();
  return named ? std::string(name, length) : "";
}

std::optional<std::string> weakness(X509_PUBKEY* key, Office) {
  if (X509_PUBKEY_get0(key) == nullptr) return "its public key can't be read";
  const std::string curve = curve_of(key);
  if (curve == "prime256v1" || curve == "secp384r1" || curve == "secp521r1") return {};
  return "its key is on the curve " + (curve.empty() ? "without a name" : curve) + ", not on P-256, P-384 or P-521";
}

std::optional<std::string> unfit_for_signing(X509_PUBKEY* key) {
  if (curve_of(key) == "prime256v1") return {};
  return "the key is on the curve " + curve_of(key) + "; give one on P-256 (prime256v1)";
}

}  // namespace

constinit const Suite ecdsa_suite = {.name = "ECDSA",
                                     .key_oid = "1.2.840.10045.2.1",
                                     .pairings = pairings,
                                     .weakness = weakness,
                                     .unfit_for_signing = unfit_for_signing,
                                     .verify = verify_with_openssl,
                                     .known_to_openssl = true};

}  // namespace exhibit::manifest
