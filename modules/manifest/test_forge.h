#pragma once
// For tests: certificates, revocation lists and signatures put together piece by piece, so that any piece can be wrong.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "manifest/der.h"
#include "manifest/openssl.h"
#include "manifest/signing_key.h"
#include "support/test_support.h"

namespace exhibit::manifest::test {

inline std::unique_ptr<SigningKey> corpus_key(const std::string& suite, const std::string& who) {
  auto key = open_signing_key(exhibit::test::corpus("crypto/" + suite + "/" + who + ".key").string());
  EXPECT_TRUE(key.ok()) << (key.ok() ? "" : key.error().message);
  return key.take();
}

inline openssl::Certificate corpus_certificate(const std::string& suite, const std::string& who) {
  const auto path = exhibit::test::corpus("crypto/" + suite + "/" + who + ".pem");
  return std::move(openssl::certificates_of_pem(exhibit::test::read_file(path), path).take().front());
}

inline std::string pem_of(X509* certificate) {
  return "-----BEGIN CERTIFICATE-----\n" + base::base64_encode(openssl::der_of(certificate, i2d_X509)) +
         "\n-----END CERTIFICATE-----\n";
}

inline std::string signature_by(const SigningKey& key, std::string_view bytes) {
  auto made = key.sign(digest_of(key.pairing().digest, bytes));
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
  return made.take();
}

inline std::string bit_string(std::string_view bytes) {
  return der::element(der::bit_string_tag, std::string(1, '\0').append(bytes));
}

inline std::string key_info_of(X509* certificate) {
  return openssl::der_of(X509_get_X509_PUBKEY(certificate), i2d_X509_PUBKEY);
}

inline std::string name(const std::string& common) {
  return der::sequence({der::set_of({der::sequence({der::oid("2.5.4.3"), der::element(0x0C, common)})})});
}

inline std::string utc(const char* text) { return der::element(0x17, text); }

inline std::string extension(const char* oid, bool critical, const std::string& value) {
  return der::sequence(
      {der::oid(oid), critical ? std::string("\x01\x01\xFF") : std::string(), der::octet_string(value)});
}
inline std::string basic_constraints(bool authority, int path_length = -1) {
  std::string inside = authority ? std::string("\x01\x01\xFF") : std::string();
  if (path_length >= 0) inside += der::small_integer(static_cast<unsigned char>(path_length));
  return extension("2.5.29.19", true, der::sequence({inside}));
}
// `bits`: the octet of the BIT STRING. 0x06: keyCertSign and cRLSign; 0xC0: signing.
inline std::string key_usage(unsigned char bits, unsigned char unused) {
  return extension("2.5.29.15", true,
                   der::element(der::bit_string_tag, std::string{static_cast<char>(unused), static_cast<char>(bits)}));
}

struct CertificateForm {
  std::string subject = name("subject");
  std::string issuer = name("issuer");
  std::string key_info;  // SubjectPublicKeyInfo
  std::vector<std::string> extensions = {key_usage(0xC0, 6)};
  const char* from = "260101000000Z";
  const char* to = "460101000000Z";
  unsigned char serial = 7;
  std::string inner_algorithm, outer_algorithm;  // empty: the key's
};

// `signature_oid`: what certificates signed by the key say.
inline openssl::Certificate forge_certificate(const CertificateForm& form, const SigningKey& issuer,
                                              const char* signature_oid) {
  const std::string algorithm = der::algorithm(signature_oid, true);
  std::string extensions;
  for (const std::string& one : form.extensions) extensions += one;
  const std::string body =
      der::sequence({der::element(der::context_tag(0), der::small_integer(2)), der::small_integer(form.serial),
                     form.inner_algorithm.empty() ? algorithm : form.inner_algorithm, form.issuer,
                     der::sequence({utc(form.from), utc(form.to)}), form.subject, form.key_info,
                     der::element(der::context_tag(3), der::sequence({extensions}))});
  const std::string whole = der::sequence(
      {body, form.outer_algorithm.empty() ? algorithm : form.outer_algorithm, bit_string(signature_by(issuer, body))});
  auto certificate = openssl::from_der<openssl::Certificate>(d2i_X509, whole);
  EXPECT_TRUE(certificate) << openssl::last_error();
  return certificate;
}

struct Revoked {
  unsigned char serial;
  const char* at;
};

inline std::string forge_revocation_list(const std::string& issuer, const std::vector<Revoked>& revoked,
                                         const char* from, const char* next, const SigningKey& key,
                                         const char* signature_oid, const std::string& extensions = {}) {
  const std::string algorithm = der::algorithm(signature_oid, true);
  std::string entries;
  for (const Revoked& one : revoked) entries += der::sequence({der::small_integer(one.serial), utc(one.at)});
  const std::string body = der::sequence(
      {der::small_integer(1), algorithm, issuer, utc(from), utc(next),
       entries.empty() ? std::string() : der::sequence({entries}),
       extensions.empty() ? std::string() : der::element(der::context_tag(0), der::sequence({extensions}))});
  return der::sequence({body, algorithm, bit_string(signature_by(key, body))});
}

}  // namespace exhibit::manifest::test
