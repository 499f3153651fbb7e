#include "manifest/signed_data.h"

#include <openssl/err.h>
#include <openssl/ess.h>

#include <algorithm>

#include "manifest/der.h"

namespace exhibit::manifest {
namespace {

Error malformed(std::string what) { return {ErrorCode::corrupt, std::move(what), {}, {}}; }

// The value of a signed attribute that stands exactly once with exactly one value; else nullptr.
ASN1_TYPE* single_attribute(const CMS_SignerInfo* signer, int nid) {
  const int at = CMS_signed_get_attr_by_NID(signer, nid, -1);
  if (at < 0 || CMS_signed_get_attr_by_NID(signer, nid, at) >= 0) return nullptr;
  X509_ATTRIBUTE* attribute = CMS_signed_get_attr(signer, at);
  return X509_ATTRIBUTE_count(attribute) == 1 ? X509_ATTRIBUTE_get0_type(attribute, 0) : nullptr;
}

std::string attribute_bytes(const CMS_SignerInfo* signer, int nid, int type) {
  const ASN1_TYPE* value = single_attribute(signer, nid);
  return value == nullptr || ASN1_TYPE_get(value) != type ? std::string() : openssl::bytes_of(value->value.asn1_string);
}

// issuerSerial of RFC 5035: the issuer's name, as the only one of a list, and the certificate's number.
bool is_issuer_and_number(std::string_view bytes, X509* certificate) {
  const auto fields = der::elements(bytes);
  if (!fields || fields->size() != 2 || (*fields)[0].tag != der::sequence_tag) return false;
  const auto name_der = der::only((*fields)[0].content, der::context_tag(4));  // directoryName
  const auto name =
      name_der ? openssl::from_der<openssl::DistinguishedName>(d2i_X509_NAME, name_der->content) : nullptr;
  return name && X509_NAME_cmp(name.get(), X509_get_issuer_name(certificate)) == 0 &&
         (*fields)[1].whole == openssl::der_of(X509_get0_serialNumber(certificate), i2d_ASN1_INTEGER);
}

// ESSCertIDv2 of RFC 5035 section 4: a digest (of SHA-256 where none is named), and maybe issuer and number.
bool is_mark_of(const der::Element& mark, X509* certificate) {
  auto fields = mark.tag == der::sequence_tag ? der::elements(mark.content) : std::nullopt;
  if (!fields || fields->empty()) return false;
  const char* digest = "SHA2-256";
  if (fields->front().tag == der::sequence_tag) {
    const auto algorithm = der::first(fields->front().content);
    digest = algorithm ? digest_named(der::oid_of(*algorithm)) : nullptr;
    fields->erase(fields->begin());
  }
  if (digest == nullptr || fields->empty() || fields->size() > 2 || fields->front().tag != der::octet_string_tag ||
      fields->front().content != digest_of(digest, openssl::der_of(certificate, i2d_X509)))
    return false;
  return fields->size() == 1 ||
         ((*fields)[1].tag == der::sequence_tag && is_issuer_and_number((*fields)[1].content, certificate));
}

// SigningCertificateV2: the first mark is the signer's certificate's, the others are of certificates that go along.
bool names_by_v2(const SignedData& data, X509* certificate, std::string_view attribute) {
  const auto outer = der::only(attribute, der::sequence_tag);
  const auto parts = outer ? der::elements(outer->content) : std::nullopt;
  const auto marks = parts && !parts->empty() ? der::elements(parts->front().content) : std::nullopt;
  if (!marks || marks->empty() || !is_mark_of(marks->front(), certificate)) return false;
  return std::all_of(marks->begin() + 1, marks->end(), [&](const der::Element& mark) {
    for (int i = 0; i < sk_X509_num(data.others.get()); ++i) {
      if (is_mark_of(mark, sk_X509_value(data.others.get(), i))) return true;
    }
    return false;
  });
}

// Version 1 (SHA-1), by OpenSSL.
bool names_by_v1(const SignedData& data, X509* certificate, std::string_view attribute) {
  const auto mark = openssl::from_der<openssl::SigningCert>(d2i_ESS_SIGNING_CERT, attribute);
  const openssl::BorrowedCertificates chain(sk_X509_new_null());
  sk_X509_push(chain.get(), certificate);
  for (int i = 0; i < sk_X509_num(data.others.get()); ++i)
    sk_X509_push(chain.get(), sk_X509_value(data.others.get(), i));
  const bool named = mark && OSSL_ESS_check_signing_certs(mark.get(), nullptr, chain.get(), 1) == 1;
  ERR_clear_error();
  return named;
}

// RFC 5035: the signed attribute that says whose certificate the signature is to be checked with. Version 1 alone only
// where RFC 3161 allows it.
bool names_certificate(const SignedData& data, X509* certificate, Office office) {
  const std::string v1 = attribute_bytes(data.signer, NID_id_smime_aa_signingCertificate, V_ASN1_SEQUENCE);
  const std::string v2 = attribute_bytes(data.signer, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE);
  if (v2.empty() && (office == Office::signer || v1.empty())) return false;
  return (v1.empty() || names_by_v1(data, certificate, v1)) && (v2.empty() || names_by_v2(data, certificate, v2));
}

// Of several certificates with the signer's name and number, the one that the signature itself names.
X509* find_certificate(const SignedData& data) {
  X509* found = nullptr;
  for (int i = 0; i < sk_X509_num(data.others.get()); ++i) {
    X509* candidate = sk_X509_value(data.others.get(), i);
    if (CMS_SignerInfo_cert_cmp(data.signer, candidate) != 0) continue;
    if (names_certificate(data, candidate, Office::time_stamper)) return candidate;
    if (found == nullptr) found = candidate;
  }
  return found;
}

struct Algorithms {
  std::string digest, signature;
};

Algorithms algorithms_of(CMS_SignerInfo* signer) {
  X509_ALGOR* digest = nullptr;
  X509_ALGOR* signature = nullptr;
  CMS_SignerInfo_get0_algs(signer, nullptr, nullptr, &digest, &signature);
  return {openssl::oid_of(digest), openssl::oid_of(signature)};
}

// nullptr where the row has no such pair.
const Pairing* pairing_of(const Suite& suite, const Algorithms& algorithms) {
  for (const Pairing& pairing : suite.pairings) {
    if (algorithms.digest == pairing.digest_oid && algorithms.signature == pairing.signature_oid) return &pairing;
  }
  return nullptr;
}

// What is signed (RFC 5652 section 5.4): the signed attributes as a SET OF, in the order in which they stand.
std::string signed_bytes(const CMS_SignerInfo* signer) {
  std::string content;
  for (int i = 0; i < CMS_signed_get_attr_count(signer); ++i)
    content += openssl::der_of(CMS_signed_get_attr(signer, i), i2d_X509_ATTRIBUTE);
  return der::element(der::set_tag, content);
}

Answer failed(std::string why) { return {Status::failed, std::move(why)}; }

}  // namespace

std::string SignedData::signature() const { return openssl::bytes_of(CMS_SignerInfo_get0_signature(signer)); }

std::optional<std::int64_t> SignedData::signing_time() const {
  const ASN1_TYPE* value = single_attribute(signer, NID_pkcs9_signingTime);
  if (value == nullptr) return {};
  const int type = ASN1_TYPE_get(value);
  if (type != V_ASN1_UTCTIME && type != V_ASN1_GENERALIZEDTIME) return {};
  return openssl::seconds_of(value->value.asn1_string);
}

Result<SignedData> parse_signed_data(std::string_view der) {
  SignedData data;
  data.cms = openssl::from_der<openssl::Cms>(d2i_CMS_ContentInfo, der);
  ERR_clear_error();
  if (!data.cms) return malformed("isn't one CMS message in DER and nothing else");
  if (OBJ_obj2nid(CMS_get0_type(data.cms.get())) != NID_pkcs7_signed) return malformed("isn't a CMS SignedData");
  STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(data.cms.get());
  const int count = signers == nullptr ? 0 : sk_CMS_SignerInfo_num(signers);
  if (count != 1) return malformed("has " + std::to_string(count) + " signers; one file for each signer is asked for");
  data.signer = sk_CMS_SignerInfo_value(signers, 0);
  data.content_type = openssl::oid_of(CMS_get0_eContentType(data.cms.get()));
  ASN1_OCTET_STRING** const content = CMS_get0_content(data.cms.get());
  if (content != nullptr && *content != nullptr) data.content = openssl::bytes_of(*content);
  data.others.reset(CMS_get1_certs(data.cms.get()));
  data.certificate = find_certificate(data);
  ERR_clear_error();
  return data;
}

Answer check_signed_data(SignedData& data, const ContentDigest& content, Office office) {
  if (data.certificate == nullptr) return failed("doesn't carry its signer's certificate");
  const std::string by = "by " + openssl::name_of(data.certificate);
  const Algorithms algorithms = algorithms_of(data.signer);
  if (is_broken_digest(algorithms.digest)) return failed(by + ": its digest is MD5 or SHA-1, which prove nothing");
  X509_PUBKEY* const key = X509_get_X509_PUBKEY(data.certificate);
  const Suite* suite = suite_of(key);
  const Pairing* pairing = suite == nullptr ? nullptr : pairing_of(*suite, algorithms);
  if (pairing == nullptr) {
    return {Status::not_checked, by + ": no suite for the key algorithm " + key_oid(key) + " with the digest " +
                                     algorithms.digest + " and the signature algorithm " + algorithms.signature};
  }
  if (const auto weak = suite->weakness(key, office)) return failed(by + ": " + *weak);

  const ASN1_TYPE* type = single_attribute(data.signer, NID_pkcs9_contentType);
  if (type == nullptr || ASN1_TYPE_get(type) != V_ASN1_OBJECT ||
      openssl::oid_of(type->value.object) != data.content_type)
    return failed(by + ": the signed attribute contentType is missing or another");
  if (!names_certificate(data, data.certificate, office))
    return failed(by + ": the signed attribute signingCertificateV2 is missing or names another certificate");
  const std::string stated = attribute_bytes(data.signer, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING);
  const auto actual = content(pairing->digest);
  if (!actual.ok()) return failed(actual.error().message);
  if (stated.empty() || stated != *actual) return failed(by + ": it is over other bytes (messageDigest differs)");
  const auto good =
      suite->verify(key, *pairing, digest_of(pairing->digest, signed_bytes(data.signer)), data.signature());
  if (!good.ok()) return {Status::not_checked, by + ": " + good.error().message};
  if (!*good) return failed(by + ": the signature isn't of that certificate's key over these attributes");
  return {Status::ok, by + " (certificate " + openssl::fingerprint_of(data.certificate) + "), " + suite->name +
                          " with " + pairing->digest};
}

}  // namespace exhibit::manifest
