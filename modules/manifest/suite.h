#pragma once
// The suites of signature algorithms: which public keys, which digests with which signature algorithms, and the
// arithmetic. One row a suite, one file a row in suites/; whatever no row knows is never 'ok'.
// GOST R 34.10-2012 and bign get their rows here: `verify` is given the SignerInfo and the certificate, so that a row
// can use its own arithmetic where OpenSSL has none.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "manifest/openssl.h"

namespace exhibit::manifest {

// Who signs. A time-stamp authority is somebody else's: its keys may be weaker than ours.
enum class Office { signer, time_stamper };

// A digest and the signature algorithms that may stand beside it in a SignerInfo (dotted OIDs).
struct Pairing {
  const char* digest_oid;
  const char* digest;  // OpenSSL's name
  const char* signature_oid;
};

struct Suite {
  const char* name;
  const char* key_oid;  // SubjectPublicKeyInfo's algorithm
  std::span<const Pairing> pairings;
  const char* signing_digest;  // what our own signatures use, OpenSSL's name
  // Why the key is refused.
  std::optional<std::string> (*weakness)(const EVP_PKEY* key, Office office);
  // Why the key can't make new signatures; beyond weakness().
  std::optional<std::string> (*unfit_for_signing)(const EVP_PKEY* key);
  // Whether the signature over the signed attributes is the certificate's key's.
  bool (*verify)(CMS_SignerInfo* signer, X509* certificate);
};

std::span<const Suite* const> suites();

// nullptr for a key of an unknown algorithm.
const Suite* suite_of(X509_PUBKEY* key);
const Suite* suite_of(const EVP_PKEY* key);

// Digests for imprints and content, by dotted OID: OpenSSL's name, nullptr for one that is unknown or broken.
const char* digest_named(const std::string& oid);
// MD5 and SHA-1: known, and no longer a proof of anything.
bool is_broken_digest(const std::string& oid);

// The check of a SignerInfo by OpenSSL, for the rows that it can do.
bool verify_with_openssl(CMS_SignerInfo* signer, X509* certificate);

// The rows.
extern const Suite ecdsa_suite, rsa_suite;

}  // namespace exhibit::manifest
