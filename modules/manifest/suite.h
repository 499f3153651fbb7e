#pragma once
// The suites of signature algorithms: which public keys, which digests with which signature algorithms, and the
// arithmetic. One row a suite, one file a row in suites/; whatever no row knows is never 'ok'.

#include <exhibit/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "hash/multi_digest.h"
#include "manifest/openssl.h"

namespace exhibit::manifest {

// Who signs. A time-stamp authority is somebody else's: its keys may be weaker than ours.
enum class Office { signer, time_stamper };

// A digest and the signature algorithms that may stand beside it in a SignerInfo, or (the signature's alone) in a
// certificate (dotted OIDs).
struct Pairing {
  const char* digest_oid;
  const char* digest;  // by its name, see digest_named()
  const char* signature_oid;
  bool null_parameters = false;  // whether our own AlgorithmIdentifiers have NULL there, as the suite's products write
};

struct Suite {
  const char* name;
  const char* key_oid;                // SubjectPublicKeyInfo's algorithm
  std::span<const Pairing> pairings;  // the first is that of our own signatures
  // Why the key is refused.
  std::optional<std::string> (*weakness)(X509_PUBKEY* key, Office office);
  // Why the key can't make new signatures; beyond weakness().
  std::optional<std::string> (*unfit_for_signing)(X509_PUBKEY* key);
  // Whether `signature` over a raw digest is the key's, of which weakness() must have said nothing. Error (unsupported)
  // where this machine can't tell.
  Result<bool> (*verify)(X509_PUBKEY* key, const Pairing& pairing, std::string_view digest, std::string_view signature);
  // Whether OpenSSL knows the algorithms of certificates; else their paths are followed by our own code.
  bool known_to_openssl;
};

std::span<const Suite* const> suites();

// nullptr for a key of an unknown algorithm.
const Suite* suite_of(X509_PUBKEY* key);

// The row's pairing for a certificate's (or a revocation list's) signature algorithm; nullptr where it has none.
const Pairing* pairing_of_certificate(const Suite& suite, const std::string& signature_oid);

// The bits of a public key, as they stand.
std::string key_bytes(X509_PUBKEY* key);
// The parameters of its algorithm, DER; empty for none.
std::string key_parameters(X509_PUBKEY* key);
std::string key_oid(X509_PUBKEY* key);

// Digests for imprints and content, by dotted OID: our name for it, nullptr for one that is unknown or broken.
const char* digest_named(const std::string& oid);
const char* oid_of_digest(std::string_view name);
// The same by the name that an option or a configuration file gives to the digest of imprints ("belt256"): nullptr for
// one by which none is made.
const char* imprint_digest(std::string_view option);
// MD5 and SHA-1: known, and no longer a proof of anything.
bool is_broken_digest(const std::string& oid);
// By a name that digest_named() gives.
Result<std::unique_ptr<hash::Hasher>> create_digest(std::string_view name);
// The raw digest of bytes at hand; empty where it can't be had.
std::string digest_of(std::string_view name, std::string_view bytes);

// Suite::verify by OpenSSL, for the rows that it can do.
Result<bool> verify_with_openssl(X509_PUBKEY* key, const Pairing& pairing, std::string_view digest,
                                 std::string_view signature);

// The rows.
extern const Suite bign_suite, ecdsa_suite, gost256_suite, gost512_suite, rsa_suite;

}  // namespace exhibit::manifest
