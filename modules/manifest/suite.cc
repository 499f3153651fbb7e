#include "manifest/suite.h"

#include <openssl/err.h>

#include <array>

namespace exhibit::manifest {
namespace {

constexpr std::array rows = {&ecdsa_suite, &rsa_suite};

// FIPS 180-4; OIDs of NIST's hashAlgs arc.
struct DigestRow {
  const char* oid;
  const char* name;
};
constexpr std::array digests = {DigestRow{"2.16.840.1.101.3.4.2.1", "SHA2-256"},
                                DigestRow{"2.16.840.1.101.3.4.2.2", "SHA2-384"},
                                DigestRow{"2.16.840.1.101.3.4.2.3", "SHA2-512"}};

}  // namespace

std::span<const Suite* const> suites() { return rows; }

const Suite* suite_of(X509_PUBKEY* key) {
  ASN1_OBJECT* algorithm = nullptr;
  if (key == nullptr || X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, key) != 1) return nullptr;
  const std::string oid = openssl::oid_of(algorithm);
  for (const Suite* suite : rows) {
    if (oid == suite->key_oid) return suite;
  }
  return nullptr;
}

const Suite* suite_of(const EVP_PKEY* key) {
  const ASN1_OBJECT* algorithm = OBJ_nid2obj(EVP_PKEY_get_base_id(key));
  const std::string oid = openssl::oid_of(algorithm);
  for (const Suite* suite : rows) {
    if (oid == suite->key_oid) return suite;
  }
  return nullptr;
}

const char* digest_named(const std::string& oid) {
  for (const DigestRow& row : digests) {
    if (oid == row.oid) return row.name;
  }
  return nullptr;
}

bool is_broken_digest(const std::string& oid) {
  return oid == "1.2.840.113549.2.5" /* MD5, RFC 1321 */ || oid == "1.3.14.3.2.26" /* SHA-1, FIPS 180-4 */;
}

bool verify_with_openssl(CMS_SignerInfo* signer, X509* certificate) {
  CMS_SignerInfo_set1_signer_cert(signer, certificate);
  const bool good = CMS_SignerInfo_verify(signer) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace exhibit::manifest
