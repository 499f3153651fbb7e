#include "manifest/trust.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/text.h"
#include "manifest/file.h"
#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

// OpenSSL's authentication level 2: 112 bits, so no MD5 or SHA-1 and no RSA below 2048 anywhere on the path
// (SSL_CTX_set_security_level(3) lists the levels).
constexpr int auth_level = 2;

openssl::Store store_of(const TrustedCertificates& trusted) {
  openssl::Store store(X509_STORE_new());
  for (const auto& certificate : trusted.all) X509_STORE_add_cert(store.get(), certificate.get());
  return store;
}

}  // namespace

Result<Trust> Trust::from_pem(const std::filesystem::path& file) {
  const std::string pem = EXHIBIT_TRY(read_whole(file));
  auto certificates = std::make_shared<TrustedCertificates>();
  certificates->all = EXHIBIT_TRY(openssl::certificates_of_pem(pem, file));
  Trust trust;
  trust.certificates_ = std::move(certificates);
  return trust;
}

std::string time_text(std::int64_t seconds) { return base::rfc3339(seconds, 0, 0).value_or("out of any calendar"); }

std::optional<std::string> path_defect(const Trust& trust, X509* signer, STACK_OF(X509) * others, std::int64_t seconds,
                                       int purpose) {
  const openssl::Store store = store_of(trust.certificates());
  const openssl::StoreContext context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_CTX_init(context.get(), store.get(), signer, others) != 1)
    return "OpenSSL refused to look: " + openssl::last_error();
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(seconds));
  X509_VERIFY_PARAM_set_purpose(parameters, purpose);
  X509_VERIFY_PARAM_set_auth_level(parameters, auth_level);
  const int verified = X509_verify_cert(context.get());
  ERR_clear_error();
  const int why = X509_STORE_CTX_get_error(context.get());
  if (verified == 1 && why == X509_V_OK) return {};
  const X509* at = X509_STORE_CTX_get_current_cert(context.get());
  return std::string(X509_verify_cert_error_string(why)) + (at == nullptr ? "" : " (" + openssl::name_of(at) + ")");
}

std::optional<std::string> certificate_defect(X509* certificate, std::int64_t seconds, bool for_time_stamps) {
  const auto from = openssl::seconds_of(X509_get0_notBefore(certificate));
  const auto to = openssl::seconds_of(X509_get0_notAfter(certificate));
  if (!from || !to) return "its dates can't be read";
  if (seconds < *from) return "it is valid only from " + time_text(*from);
  if (seconds > *to) return "it had expired at " + time_text(*to);
  // Absent key usage is UINT32_MAX: everything.
  if ((X509_get_key_usage(certificate) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
    return "its key usage isn't signing";
  if (for_time_stamps) {
    // RFC 3161 section 2.3: critical, and for nothing else.
    if (X509_check_purpose(certificate, X509_PURPOSE_TIMESTAMP_SIGN, 0) != 1)
      return "its extended key usage isn't time-stamping alone";
    return {};
  }
  const std::uint32_t extended = X509_get_extended_key_usage(certificate);
  if (extended != UINT32_MAX && (extended & (XKU_TIMESTAMP | XKU_OCSP_SIGN)) != 0)
    return "its extended key usage is another office's (time-stamps or revocation answers)";
  return {};
}

}  // namespace exhibit::manifest
