#include "manifest/signing_certificate.h"

#include "base/json.h"
#include "hash/multi_digest.h"
#include "manifest/file.h"
#include "manifest/seal.h"
#include "manifest/signed_data.h"
#include "manifest/suite.h"

namespace exhibit::manifest {

Result<SigningCertificate> signing_certificate(std::string_view der) {
  const SignedData data = EXHIBIT_TRY(parse_signed_data(der));
  if (data.certificate == nullptr) {
    return Error{ErrorCode::corrupt, "the signature doesn't carry its signer's certificate", {}, {}};
  }
  SigningCertificate made;
  made.subject = openssl::name_of(data.certificate);
  made.issuer = openssl::der_of(X509_get_issuer_name(data.certificate), i2d_X509_NAME);
  X509_PUBKEY* const key = X509_get_X509_PUBKEY(data.certificate);
  made.key_sha256 = base::to_hex(hash::digest_of("sha256", openssl::der_of(key, i2d_X509_PUBKEY)));
  if (const Suite* suite = suite_of(key)) made.suite = suite->name;
  made.signing_time = data.signing_time();
  return made;
}

Result<std::vector<SigningCertificate>> signers_of(const std::filesystem::path& manifest_file) {
  std::vector<SigningCertificate> signers;
  for (const SealFiles& files : EXHIBIT_TRY(find_signatures(manifest_file)).files)
    signers.push_back(EXHIBIT_TRY(signing_certificate(EXHIBIT_TRY(read_whole(files.signature)))));
  return signers;
}

bool is_same_credential(const SigningCertificate& a, const SigningCertificate& b) {
  return a.key_sha256 == b.key_sha256 || (a.subject == b.subject && a.issuer == b.issuer);
}

}  // namespace exhibit::manifest
