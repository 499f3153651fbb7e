#include "manifest/suite.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "hash/bash.h"
#include "hash/openssl.h"

namespace exhibit::manifest {
namespace {

constexpr std::array rows = {&bign_suite, &ecdsa_suite, &gost256_suite, &gost512_suite, &rsa_suite};

using Hasher = Result<std::unique_ptr<hash::Hasher>>;

template <std::size_t bytes>
Hasher create_bash() {
  return std::unique_ptr<hash::Hasher>(std::make_unique<hash::BashHash>(bytes));
}
Hasher create_sha384() {
  static constinit hash::OpensslDigest sha384("SHA2-384");
  return sha384.create();
}

struct DigestRow {
  const char* oid;
  const char* name;
  const char* algorithm;         // of the hash module's table, where records may have it
  Hasher (*create)() = nullptr;  // of the others
};
// FIPS 180-4 (NIST's hashAlgs arc), GOST R 34.11-2012 (RFC 9215), STB 34.101.31, STB 34.101.77.
constexpr std::array digests = {DigestRow{"2.16.840.1.101.3.4.2.1", "SHA2-256", "sha256"},
                                DigestRow{"2.16.840.1.101.3.4.2.2", "SHA2-384", nullptr, create_sha384},
                                DigestRow{"2.16.840.1.101.3.4.2.3", "SHA2-512", "sha512"},
                                DigestRow{"1.2.643.7.1.1.2.2", "Streebog-256", "streebog256"},
                                DigestRow{"1.2.643.7.1.1.2.3", "Streebog-512", "streebog512"},
                                DigestRow{"1.2.112.0.2.0.34.101.31.81", "belt-hash", "belt256"},
                                DigestRow{"1.2.112.0.2.0.34.101.77.11", "bash-256", nullptr, create_bash<32>},
                                DigestRow{"1.2.112.0.2.0.34.101.77.12", "bash-384", nullptr, create_bash<48>},
                                DigestRow{"1.2.112.0.2.0.34.101.77.13", "bash-512", nullptr, create_bash<64>}};

}  // namespace

std::span<const Suite* const> suites() { return rows; }

std::string key_oid(X509_PUBKEY* key) {
  ASN1_OBJECT* algorithm = nullptr;
  if (key == nullptr || X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, key) != 1) return {};
  return openssl::oid_of(algorithm);
}

const Suite* suite_of(X509_PUBKEY* key) {
  const std::string oid = key_oid(key);
  for (const Suite* suite : rows) {
    if (oid == suite->key_oid) return suite;
  }
  return nullptr;
}

const Pairing* pairing_of_certificate(const Suite& suite, const std::string& signature_oid) {
  // A key's own OID names a signature algorithm only beside a digest's, in a SignerInfo.
  if (signature_oid == suite.key_oid) return nullptr;
  for (const Pairing& pairing : suite.pairings) {
    if (signature_oid == pairing.signature_oid) return &pairing;
  }
  return nullptr;
}

std::string key_bytes(X509_PUBKEY* key) {
  const unsigned char* bytes = nullptr;
  int length = 0;
  if (key == nullptr || X509_PUBKEY_get0_param(nullptr, &bytes, &length, nullptr, key) != 1 || length < 0) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)};
}

std::string key_parameters(X509_PUBKEY* key) {
  X509_ALGOR* algorithm = nullptr;
  if (key == nullptr || X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &algorithm, key) != 1) return {};
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type == V_ASN1_OBJECT) return openssl::der_of(static_cast<const ASN1_OBJECT*>(value), i2d_ASN1_OBJECT);
  // OpenSSL keeps a SEQUENCE as the bytes that it was.
  if (type == V_ASN1_SEQUENCE) return openssl::bytes_of(static_cast<const ASN1_STRING*>(value));
  return {};
}

const char* digest_named(const std::string& oid) {
  for (const DigestRow& row : digests) {
    if (oid == row.oid) return row.name;
  }
  return nullptr;
}

const char* oid_of_digest(std::string_view name) {
  for (const DigestRow& row : digests) {
    if (name == row.name) return row.oid;
  }
  return nullptr;
}

const char* imprint_digest(std::string_view option) {
  static constexpr std::pair<std::string_view, const char*> names[] = {
      {"sha256", "SHA2-256"},   {"streebog256", "Streebog-256"}, {"streebog512", "Streebog-512"},
      {"belt256", "belt-hash"}, {"bash256", "bash-256"},         {"bash384", "bash-384"},
      {"bash512", "bash-512"}};
  const auto* row = std::ranges::find(names, option, &std::pair<std::string_view, const char*>::first);
  return row == std::end(names) ? nullptr : row->second;
}

bool is_broken_digest(const std::string& oid) {
  return oid == "1.2.840.113549.2.5" /* MD5, RFC 1321 */ || oid == "1.3.14.3.2.26" /* SHA-1, FIPS 180-4 */;
}

Result<std::unique_ptr<hash::Hasher>> create_digest(std::string_view name) {
  for (const DigestRow& row : digests) {
    if (name == row.name) return row.algorithm == nullptr ? row.create() : hash::create(row.algorithm);
  }
  return Error{ErrorCode::invalid_argument, "no digest is called " + std::string(name), {}, {}};
}

std::string digest_of(std::string_view name, std::string_view bytes) {
  auto hasher = create_digest(name);
  if (!hasher.ok()) return {};
  (*hasher)->update(std::as_bytes(std::span(bytes)));
  return (*hasher)->finish();
}

Result<bool> verify_with_openssl(X509_PUBKEY* key, const Pairing& pairing, std::string_view digest,
                                 std::string_view signature) {
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  EVP_PKEY* const public_key = X509_PUBKEY_get0(key);
  const openssl::KeyContext context(public_key == nullptr ? nullptr : EVP_PKEY_CTX_new(public_key, nullptr));
  const openssl::Digest algorithm(EVP_MD_fetch(nullptr, pairing.digest, nullptr));
  bool good = context && algorithm && EVP_PKEY_verify_init(context.get()) == 1 &&
              EVP_PKEY_CTX_set_signature_md(context.get(), algorithm.get()) == 1;
  if (good && EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA)
    good = EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1;
  good = good && digest.size() == static_cast<std::size_t>(EVP_MD_get_size(algorithm.get())) &&
         EVP_PKEY_verify(context.get(), bytes(signature), signature.size(), bytes(digest), digest.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace exhibit::manifest
