#include "manifest/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "base/text.h"
#include "manifest/file.h"
#include "manifest/suite.h"
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

// Whether our own code must follow the path: OpenSSL knows nothing of the signer's key, or of its issuer's.
bool is_strange_to_openssl(X509* signer) {
  const Suite* const suite = suite_of(X509_get_X509_PUBKEY(signer));
  if (suite != nullptr && !suite->known_to_openssl) return true;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, signer);
  const std::string oid = openssl::oid_of(algorithm);
  return std::any_of(suites().begin(), suites().end(), [&](const Suite* one) {
    return !one->known_to_openssl && pairing_of_certificate(*one, oid) != nullptr;
  });
}

Path no_path(Status status, std::string why) { return {{status, std::move(why)}, {}}; }

}  // namespace

Result<Trust> Trust::from_pem(const std::filesystem::path& file) {
  const std::string pem = EXHIBIT_TRY(read_whole(file));
  auto certificates = std::make_shared<TrustedCertificates>();
  certificates->all = EXHIBIT_TRY(openssl::certificates_of_pem(pem, file));
  Trust trust;
  trust.certificates_ = std::move(certificates);
  return trust;
}

Result<void> Trust::add_revocation_lists(const std::filesystem::path& file) {
  const std::string bytes = EXHIBIT_TRY(read_whole(file));
  auto& lists = certificates_->revocation_lists;
  if (auto der = openssl::from_der<openssl::RevocationList>(d2i_X509_CRL, bytes)) {
    lists.push_back(std::move(der));
    return {};
  }
  ERR_clear_error();
  const openssl::Bio in = openssl::memory(bytes);
  const std::size_t before = lists.size();
  while (X509_CRL* list = PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)) lists.emplace_back(list);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = openssl::last_error();
  if (!at_end) return file_error(ErrorCode::corrupt, file, "a revocation list in it is broken (" + why + ")");
  if (lists.size() == before)
    return file_error(ErrorCode::invalid_argument, file, "holds no revocation list; give PEM (BEGIN X509 CRL) or DER");
  return {};
}

std::string time_text(std::int64_t seconds) { return base::rfc3339(seconds, 0, 0).value_or("out of any calendar"); }

Path find_path(const Trust& trust, X509* signer, STACK_OF(X509) * others, std::int64_t seconds, int purpose) {
  if (is_strange_to_openssl(signer)) return find_path_ourselves(trust, signer, others, seconds);
  const openssl::Store store = store_of(trust.certificates());
  const openssl::StoreContext context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_CTX_init(context.get(), store.get(), signer, others) != 1)
    return no_path(Status::failed, "OpenSSL refused to look: " + openssl::last_error());
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<time_t>(seconds));
  X509_VERIFY_PARAM_set_purpose(parameters, purpose);
  X509_VERIFY_PARAM_set_auth_level(parameters, auth_level);
  const int verified = X509_verify_cert(context.get());
  ERR_clear_error();
  const int why = X509_STORE_CTX_get_error(context.get());
  if (verified != 1 || why != X509_V_OK) {
    const X509* at = X509_STORE_CTX_get_current_cert(context.get());
    return no_path(Status::failed, std::string(X509_verify_cert_error_string(why)) +
                                       (at == nullptr ? "" : " (" + openssl::name_of(at) + ")"));
  }
  Path path = {{Status::ok, {}}, {}};
  const STACK_OF(X509)* const chain = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) path.chain.push_back(openssl::share(sk_X509_value(chain, i)));
  return path;
}

std::optional<std::string> date_defect(const X509* certificate, std::int64_t seconds) {
  const auto from = openssl::seconds_of(X509_get0_notBefore(certificate));
  const auto to = openssl::seconds_of(X509_get0_notAfter(certificate));
  if (!from || !to) return "its dates can't be read";
  if (seconds < *from) return "it is valid only from " + time_text(*from);
  if (seconds > *to) return "it had expired at " + time_text(*to);
  return {};
}

std::optional<std::string> certificate_defect(X509* certificate, std::int64_t seconds, bool for_time_stamps) {
  if (auto defect = date_defect(certificate, seconds)) return defect;
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
