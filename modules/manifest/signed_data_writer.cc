#include "manifest/signed_data_writer.h"

#include "manifest/der.h"
#include "manifest/signed_data.h"

namespace exhibit::manifest {
namespace {

// RFC 5652 section 11, RFC 5035.
constexpr const char* content_type_attribute = "1.2.840.113549.1.9.3";
constexpr const char* message_digest_attribute = "1.2.840.113549.1.9.4";
constexpr const char* signing_time_attribute = "1.2.840.113549.1.9.5";
constexpr const char* signing_certificate_attribute = "1.2.840.113549.1.9.16.2.47";
constexpr const char* signed_data_type = "1.2.840.113549.1.7.2";

std::string attribute(const char* type, const std::string& value) {
  return der::sequence({der::oid(type), der::set_of({value})});
}

std::string issuer_name(const X509* certificate) {
  return openssl::der_of(X509_get_issuer_name(certificate), i2d_X509_NAME);
}
std::string serial_number(X509* certificate) {
  return openssl::der_of(X509_get0_serialNumber(certificate), i2d_ASN1_INTEGER);
}

std::string signing_certificate(X509* certificate, const Pairing& pairing, bool with_name) {
  // SHA-256 is the default, which DER leaves out.
  const bool is_default = std::string_view(pairing.digest) == "SHA2-256";
  const std::string algorithm = is_default ? "" : der::algorithm(pairing.digest_oid, pairing.null_parameters);
  const std::string digest = der::octet_string(digest_of(pairing.digest, openssl::der_of(certificate, i2d_X509)));
  const std::string general_name = der::element(der::context_tag(4), issuer_name(certificate));
  const std::string name =
      with_name ? der::sequence({der::sequence({general_name}), serial_number(certificate)}) : std::string();
  return der::sequence({der::sequence({der::sequence({algorithm, digest, name})})});
}

std::string attributes_of(X509* certificate, const Pairing& pairing, const ContentToSign& content,
                          const std::string& time) {
  return der::sorted(
      {attribute(content_type_attribute, der::oid(content.type)), attribute(signing_time_attribute, time),
       attribute(message_digest_attribute, der::octet_string(digest_of(pairing.digest, content.bytes))),
       attribute(signing_certificate_attribute, signing_certificate(certificate, pairing, content.name_in_mark))});
}

}  // namespace

Result<std::string> make_signed_data(const SigningKey& key, const std::vector<openssl::Certificate>& certificates,
                                     const ContentToSign& content) {
  const Pairing& pairing = key.pairing();
  X509* const own = certificates.front().get();
  const openssl::Time time(ASN1_TIME_set(nullptr, static_cast<time_t>(content.time)));
  if (!time) return Error{ErrorCode::invalid_argument, "the signing time can't be written", {}, {}};
  const std::string attributes = attributes_of(own, pairing, content, openssl::der_of(time.get(), i2d_ASN1_TIME));
  const std::string signature =
      EXHIBIT_TRY(key.sign(digest_of(pairing.digest, der::element(der::set_tag, attributes))));

  // NULL beside the digest is what all products of the national suites write; RFC 5754 wants none beside SHA-2.
  const bool sha2 = std::string_view(pairing.digest).starts_with("SHA2");
  const std::string digest_algorithm = der::algorithm(pairing.digest_oid, !sha2);
  const std::string signer =
      der::sequence({der::small_integer(1), der::sequence({issuer_name(own), serial_number(own)}), digest_algorithm,
                     der::element(der::context_tag(0), attributes),
                     der::algorithm(pairing.signature_oid, pairing.null_parameters), der::octet_string(signature)});
  const std::string inner =
      content.encapsulated ? der::element(der::context_tag(0), der::octet_string(content.bytes)) : std::string();
  std::vector<std::string> included;
  for (const auto& certificate : certificates) included.push_back(openssl::der_of(certificate.get(), i2d_X509));
  // Version 3 where the content isn't plain data (section 5.1).
  const bool plain = std::string_view(content.type) == data_type;
  const std::string data =
      der::sequence({der::small_integer(plain ? 1 : 3), der::set_of({digest_algorithm}),
                     der::sequence({der::oid(content.type), inner}),
                     der::element(der::context_tag(0), der::sorted(std::move(included))), der::set_of({signer})});
  return der::sequence({der::oid(signed_data_type), der::element(der::context_tag(0), data)});
}

}  // namespace exhibit::manifest
