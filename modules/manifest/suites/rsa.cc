// RSASSA-PKCS1-v1_5 (RFC 8017, RFC 3370): our own signatures with 3072 bits or more and SHA-256.

#include <openssl/err.h>

#include <array>

#include "manifest/suite.h"

namespace exhibit::manifest {
namespace {

// CMS writes rsaEncryption or the algorithm with its digest (RFC 3370 section 3.2, RFC 5754 section 3.2).
constexpr std::array pairings = {Pairing{"2.16.840.1.101.3.4.2.1", "SHA2-256", "1.2.840.113549.1.1.1", true},
                                 Pairing{"2.16.840.1.101.3.4.2.1", "SHA2-256", "1.2.840.113549.1.1.11"},
                                 Pairing{"2.16.840.1.101.3.4.2.2", "SHA2-384", "1.2.840.113549.1.1.1"},
                                 Pairing{"2.16.840.1.101.3.4.2.2", "SHA2-384", "1.2.840.113549.1.1.12"},
                                 Pairing{"2.16.840.1.101.3.4.2.3", "SHA2-512", "1.2.840.113549.1.1.1"},
                                 Pairing{"2.16.840.1.101.3.4.2.3", "SHA2-512", "1.2.840.113549.1.1.13"}};

constexpr int least_bits = 3072;               // manifest.md, "Signatures"
constexpr int least_bits_time_stamper = 2048;  // what public authorities still use; NIST SP 800-131A

std::optional<std::string> weakness(X509_PUBKEY* key, Office office) {
  const EVP_PKEY* const parsed = X509_PUBKEY_get0(key);
  ERR_clear_error();
  if (parsed == nullptr) return "its public key can't be read";
  const int least = office == Office::signer ? least_bits : least_bits_time_stamper;
  const int bits = EVP_PKEY_get_bits(parsed);
  if (bits >= least) return {};
  return "its RSA key has " + std::to_string(bits) + " bits, fewer than " + std::to_string(least);
}

std::optional<std::string> unfit_for_signing(X509_PUBKEY*) { return {}; }

}  // namespace

constinit const Suite rsa_suite = {.name = "RSA",
                                   .key_oid = "1.2.840.113549.1.1.1",
                                   .pairings = pairings,
                                   .weakness = weakness,
                                   .unfit_for_signing = unfit_for_signing,
                                   .verify = verify_with_openssl,
                                   .known_to_openssl = true};

}  // namespace exhibit::manifest
