#pragma once
// The owning types of OpenSSL's handles, and its errors in words. No other file frees one.

#include <exhibit/result.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ts.h>
#include <openssl/x509.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hash/openssl_handles.h"

namespace exhibit::manifest::openssl {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
template <typename T, auto Free>
using Owned = std::unique_ptr<T, Deleter<Free>>;

inline void free_bio(BIO* bio) { BIO_free_all(bio); }
inline void free_bytes(unsigned char* bytes) { OPENSSL_free(bytes); }
inline void free_text(char* text) { OPENSSL_free(text); }
inline void free_certificates(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
inline void free_borrowed(STACK_OF(X509) * stack) { sk_X509_free(stack); }

using Bio = Owned<BIO, free_bio>;
using Bytes = Owned<unsigned char, free_bytes>;
using Text = Owned<char, free_text>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Digest = hash::OwnedDigest;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using PublicKey = Owned<X509_PUBKEY, X509_PUBKEY_free>;
using PrivateKeyInfo = Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using Object = Owned<ASN1_OBJECT, ASN1_OBJECT_free>;
using Number = Owned<BIGNUM, BN_clear_free>;
using NumberContext = Owned<BN_CTX, BN_CTX_free>;
using Curve = Owned<EC_GROUP, EC_GROUP_free>;
using Point = Owned<EC_POINT, EC_POINT_clear_free>;
using Certificate = Owned<X509, X509_free>;
using DistinguishedName = Owned<X509_NAME, X509_NAME_free>;
using RevocationList = Owned<X509_CRL, X509_CRL_free>;
using Certificates = Owned<STACK_OF(X509), free_certificates>;      // owns the certificates too
using BorrowedCertificates = Owned<STACK_OF(X509), free_borrowed>;  // owns only the list
using Store = Owned<X509_STORE, X509_STORE_free>;
using StoreContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
using Cms = Owned<CMS_ContentInfo, CMS_ContentInfo_free>;
using Time = Owned<ASN1_TIME, ASN1_TIME_free>;
using Integer = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using SigningCert = Owned<ESS_SIGNING_CERT, ESS_SIGNING_CERT_free>;
using StampInfo = Owned<TS_TST_INFO, TS_TST_INFO_free>;
using StampRequest = Owned<TS_REQ, TS_REQ_free>;
using StampImprint = Owned<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using StampResponse = Owned<TS_RESP, TS_RESP_free>;
using StampAuthority = Owned<TS_RESP_CTX, TS_RESP_CTX_free>;
using Configuration = Owned<CONF, NCONF_free>;
using AlgorithmIdentifier = Owned<X509_ALGOR, X509_ALGOR_free>;

// Dotted, never a name: an algorithm that OpenSSL has no name for has an OID all the same.
std::string oid_of(const ASN1_OBJECT* object);
std::string oid_of(const X509_ALGOR* algorithm);

std::string bytes_of(const ASN1_STRING* string);

// The DER of a value, by its i2d function.
template <typename T, typename Encode>
std::string der_of(T* value, Encode encode) {
  unsigned char* out = nullptr;
  const int length = encode(value, &out);
  const Bytes owner(out);
  return length < 0 ? std::string() : std::string(reinterpret_cast<const char*>(out), static_cast<std::size_t>(length));
}

// The value of DER, by its d2i function; nullptr unless all of `der` is one such value.
template <typename Owner, typename Decode>
Owner from_der(Decode decode, std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  Owner value(decode(nullptr, &at, static_cast<long>(der.size())));
  if (at != end) value.reset();
  return value;
}

// A reader over bytes that outlive it.
Bio memory(std::string_view bytes);

// Seconds since 1970.
std::optional<std::int64_t> seconds_of(const ASN1_TIME* time);

std::string name_of(const X509* certificate);         // the subject, RFC 2253
std::string fingerprint_of(const X509* certificate);  // SHA-256 of the DER, lower-case hex

// A second owner of the same certificate.
Certificate share(X509* certificate);

// Certificates of PEM text in order. Error where there is none or one is broken.
Result<std::vector<Certificate>> certificates_of_pem(std::string_view pem, const std::filesystem::path& path);

// What OpenSSL last complained of, in words; empties its list.
std::string last_error();

}  // namespace exhibit::manifest::openssl
