#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

Answer worse(Answer a, Answer b) {
  const auto rank = [](Status status) { return status == Status::failed ? 2 : status == Status::not_checked ? 1 : 0; };
  return rank(b.status) > rank(a.status) ? b : a;
}

// A list that says only a part (a delta, one of several), by an extension that must be understood.
bool is_partial(const X509_CRL* list) {
  for (int i = 0; i < X509_CRL_get_ext_count(list); ++i) {
    if (X509_EXTENSION_get_critical(X509_CRL_get_ext(list, i)) != 0) return true;
  }
  return false;
}

// When the certificate is to be called revoked: its entry's date, or the earlier one from which its key was in doubt
// (RFC 5280 section 5.3.2).
std::optional<std::int64_t> revoked_at(X509_REVOKED* entry) {
  auto date = openssl::seconds_of(X509_REVOKED_get0_revocationDate(entry));
  const openssl::Time doubtful(
      static_cast<ASN1_TIME*>(X509_REVOKED_get_ext_d2i(entry, NID_invalidity_date, nullptr, nullptr)));
  const auto since = openssl::seconds_of(doubtful.get());
  return since && date && *since < *date ? since : date;
}

// What one list, which must be the issuer's, says of the certificate.
Answer ask_list(X509_CRL* list, X509* certificate, std::int64_t seconds, bool vouched) {
  const std::string name = openssl::name_of(certificate);
  const auto from = openssl::seconds_of(X509_CRL_get0_lastUpdate(list));
  const auto next = openssl::seconds_of(X509_CRL_get0_nextUpdate(list));
  if (!from) return {Status::not_checked, "the date of a revocation list of " + name + "'s issuer can't be read"};
  X509_REVOKED* entry = nullptr;
  // 2: an entry that takes a revocation back.
  if (X509_CRL_get0_by_cert(list, &entry, certificate) == 1) {
    const auto at = revoked_at(entry);
    const std::string when = at ? time_text(*at) : "a date that can't be read";
    if (!at || *at <= seconds) return {Status::failed, name + " was revoked at " + when};
    if (!vouched)
      return {Status::failed,
              name + " was revoked at " + when + ", and no time-stamp says that the signature is older"};
    return {Status::ok, name + " was revoked only later, at " + when};
  }
  if (*from <= seconds && (!next || *next < seconds))
    return {Status::not_checked,
            "the revocation list for " + name + ", of " + time_text(*from) + ", ends before " + time_text(seconds)};
  return {Status::ok, name + " isn't revoked in the list of " + time_text(*from)};
}

Answer ask_lists(const Trust& trust, X509* certificate, X509* issuer, std::int64_t seconds, bool vouched) {
  std::optional<Answer> best;
  std::string why = "no revocation list of " + openssl::name_of(issuer);
  for (const auto& list : trust.certificates().revocation_lists) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_issuer_name(certificate)) != 0) continue;
    const auto good = is_signed_by(list.get(), issuer);
    if (!good.ok() || !*good || (X509_get_key_usage(issuer) & KU_CRL_SIGN) == 0) {
      why = good.ok() ? "a revocation list isn't signed by " + openssl::name_of(issuer) : good.error().message;
      continue;
    }
    if (is_partial(list.get())) {
      why = "a revocation list of " + openssl::name_of(issuer) + " is partial, which isn't understood here";
      continue;
    }
    const Answer answer = ask_list(list.get(), certificate, seconds, vouched);
    if (answer.status == Status::failed) return answer;
    if (!best || answer.status == Status::ok) best = answer;
  }
  return best.value_or(Answer{Status::not_checked, why});
}

}  // namespace

Answer check_revocation(const Trust& trust, const std::vector<openssl::Certificate>& chain, std::int64_t seconds,
                        bool vouched) {
  if (trust.certificates().revocation_lists.empty()) return {Status::not_checked, "no revocation list was given"};
  if (chain.size() < 2) return {Status::not_checked, "nobody could revoke a certificate that signed itself"};
  std::string said;
  Answer answer = {Status::ok, {}};
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const Answer one = ask_lists(trust, chain[i].get(), chain[i + 1].get(), seconds, vouched);
    answer = worse(std::move(answer), one);
    said += (said.empty() ? "" : "; ") + one.detail;
  }
  ERR_clear_error();
  answer.detail = said;
  return answer;
}

}  // namespace exhibit::manifest
