#include "manifest/signer.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "manifest/file.h"
#include "manifest/openssl.h"
#include "manifest/suite.h"
#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

Error refused_by_openssl(std::string_view doing) {
  return {ErrorCode::internal, "OpenSSL refused " + std::string(doing) + ": " + openssl::last_error(), {}, {}};
}

class KeySigner : public Signer {
 public:
  KeySigner(openssl::Key key, std::vector<openssl::Certificate> certificates, const Suite& suite)
      : key_(std::move(key)), certificates_(std::move(certificates)), suite_(suite) {}

  Result<std::string> sign(std::string_view content, std::int64_t time) const override {
    if (const auto defect = certificate_defect(certificates_.front().get(), time, false)) {
      return Error{
          ErrorCode::invalid_argument, "the certificate of " + name() + " can't sign now: " + *defect, name(), {}};
    }
    const openssl::BorrowedCertificates chain(sk_X509_new_null());
    for (std::size_t i = 1; i < certificates_.size(); ++i) sk_X509_push(chain.get(), certificates_[i].get());
    constexpr unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP | CMS_CADES;
    const openssl::Cms cms(CMS_sign(nullptr, nullptr, chain.get(), nullptr, flags));
    const openssl::Digest digest(EVP_MD_fetch(nullptr, suite_.signing_digest, nullptr));
    const openssl::Time signing_time(ASN1_TIME_set(nullptr, static_cast<time_t>(time)));
    const openssl::Bio in = openssl::memory(content);
    if (!cms || !digest || !signing_time || !in) return refused_by_openssl("to prepare a signature");
    CMS_SignerInfo* signer = CMS_add1_signer(cms.get(), certificates_.front().get(), key_.get(), digest.get(), flags);
    if (signer == nullptr ||
        CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, ASN1_STRING_type(signing_time.get()),
                                    signing_time.get(), -1) != 1 ||
        CMS_final(cms.get(), in.get(), nullptr, flags & ~static_cast<unsigned>(CMS_PARTIAL)) != 1)
      return refused_by_openssl("to sign");
    return openssl::der_of(cms.get(), i2d_CMS_ContentInfo);
  }

  std::string name() const override { return openssl::name_of(certificates_.front().get()); }

 private:
  openssl::Key key_;
  std::vector<openssl::Certificate> certificates_;  // the signer's first
  const Suite& suite_;
};

// Called by OpenSSL for a key behind a passphrase: notes that one was asked for, and gives none.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<openssl::Key> key_of_pem(const std::filesystem::path& path) {
  std::string pem = EXHIBIT_TRY(read_whole(path));
  const openssl::Bio in = openssl::memory(pem);
  bool asked = false;
  openssl::Key key(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, &asked));
  OPENSSL_cleanse(pem.data(), pem.size());
  const std::string why = openssl::last_error();
  if (asked)
    return file_error(ErrorCode::encrypted, path,
                      "the key is behind a passphrase; give it decrypted, in a file of 0600");
  if (!key) return file_error(ErrorCode::invalid_argument, path, "holds no private key in PEM (" + why + ")");
  return key;
}

}  // namespace

Result<std::unique_ptr<Signer>> open_signer(const std::filesystem::path& key_file,
                                            const std::vector<std::filesystem::path>& certificate_files) {
  if (certificate_files.empty())
    return file_error(ErrorCode::invalid_argument, key_file, "no certificate was given for it");
  openssl::Key key = EXHIBIT_TRY(key_of_pem(key_file));
  std::vector<openssl::Certificate> certificates;
  for (const auto& file : certificate_files) {
    const std::string pem = EXHIBIT_TRY(read_whole(file));
    auto found = EXHIBIT_TRY(openssl::certificates_of_pem(pem, file));
    for (auto& one : found) certificates.push_back(std::move(one));
  }
  const Suite* suite = suite_of(key.get());
  if (suite == nullptr)
    return file_error(ErrorCode::unsupported, key_file, "a key of this kind can't sign; give ECDSA P-256 or RSA-3072");
  if (const auto weak = suite->weakness(key.get(), Office::signer))
    return file_error(ErrorCode::invalid_argument, key_file, *weak);
  if (const auto unfit = suite->unfit_for_signing(key.get()))
    return file_error(ErrorCode::invalid_argument, key_file, *unfit);
  const bool pair = X509_check_private_key(certificates.front().get(), key.get()) == 1;
  ERR_clear_error();
  if (!pair) {
    return file_error(ErrorCode::invalid_argument, key_file,
                      "isn't the key of the certificate in " + certificate_files.front().string());
  }
  return std::unique_ptr<Signer>(std::make_unique<KeySigner>(std::move(key), std::move(certificates), *suite));
}

}  // namespace exhibit::manifest
