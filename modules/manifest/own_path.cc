#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "manifest/der.h"
#include "manifest/suite.h"
#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

constexpr std::size_t longest_chain = 10;

// What is signed and by what: `whole` is a certificate or a revocation list, SEQUENCE { tbs, algorithm, BIT STRING }.
Result<bool> is_signed(const std::string& whole, const X509_ALGOR* algorithm, const X509_ALGOR* stated_inside,
                       const ASN1_BIT_STRING* signature, X509* issuer) {
  X509_PUBKEY* const key = X509_get_X509_PUBKEY(issuer);
  const Suite* const suite = suite_of(key);
  const Pairing* const pairing =
      suite == nullptr ? nullptr : pairing_of_certificate(*suite, openssl::oid_of(algorithm));
  const auto outer = der::only(whole, der::sequence_tag);
  const auto parts = outer ? der::elements(outer->content) : std::nullopt;
  if (pairing == nullptr || !parts || parts->size() != 3 || X509_ALGOR_cmp(algorithm, stated_inside) != 0 ||
      suite->weakness(key, Office::time_stamper))
    return false;
  const std::string_view bits = (*parts)[2].content;  // the number of unused bits, then the bits
  if ((*parts)[2].tag != der::bit_string_tag || bits.empty() || bits.front() != '\0' ||
      bits.substr(1) != openssl::bytes_of(signature))
    return false;
  return suite->verify(key, *pairing, digest_of(pairing->digest, (*parts)[0].whole), bits.substr(1));
}

bool is_self_issued(const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

// Extensions that change what a certificate may do, and that aren't computed here.
std::optional<std::string> extension_defect(X509* certificate) {
  if ((X509_get_extension_flags(certificate) & (EXFLAG_INVALID | EXFLAG_PROXY)) != 0)
    return "its extensions can't be read";
  constexpr std::array known = {NID_basic_constraints, NID_key_usage, NID_ext_key_usage, NID_subject_alt_name,
                                NID_certificate_policies};
  for (int i = 0; i < X509_get_ext_count(certificate); ++i) {
    X509_EXTENSION* const extension = X509_get_ext(certificate, i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    const bool restricts =
        nid == NID_name_constraints || nid == NID_policy_constraints || nid == NID_inhibit_any_policy;
    const bool unknown =
        X509_EXTENSION_get_critical(extension) != 0 && std::find(known.begin(), known.end(), nid) == known.end();
    if (restricts || unknown)
      return "its extension " + openssl::oid_of(X509_EXTENSION_get_object(extension)) + " isn't understood here";
  }
  return {};
}

// Why `issuer` may not have signed the certificate before it on the path; `below`: how many certificates of
// authorities stand between it and the signer's, those that name themselves not counted.
std::optional<std::string> authority_defect(X509* issuer, std::int64_t seconds, long below) {
  if (auto defect = date_defect(issuer, seconds)) return defect;
  if (auto defect = extension_defect(issuer)) return defect;
  // 1: basicConstraints say so and keyUsage, where it is there, allows it; other numbers are habits of old.
  if (X509_check_ca(issuer) != 1 || (X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN) == 0)
    return "it isn't the certificate of an authority";
  const long most = X509_get_pathlen(issuer);
  if (most >= 0 && below > most) return "its pathLenConstraint is exceeded";
  return {};
}

struct AuthorityKeyId {
  explicit AuthorityKeyId(const X509* certificate)
      : value(static_cast<AUTHORITY_KEYID*>(
            X509_get_ext_d2i(certificate, NID_authority_key_identifier, nullptr, nullptr))) {}
  openssl::Owned<AUTHORITY_KEYID, AUTHORITY_KEYID_free> value;
};

// The issuer among trusted certificates and others; an empty one where nobody is. Error where it can't be told.
Result<openssl::Certificate> find_issuer(const Trust& trust, X509* certificate, STACK_OF(X509) * others) {
  std::vector<X509*> candidates;
  for (const auto& one : trust.certificates().all) candidates.push_back(one.get());
  for (int i = 0; i < sk_X509_num(others); ++i) candidates.push_back(sk_X509_value(others, i));
  const AuthorityKeyId id(certificate);
  for (X509* candidate : candidates) {
    if (X509_NAME_cmp(X509_get_subject_name(candidate), X509_get_issuer_name(certificate)) != 0) continue;
    if (id.value && X509_check_akid(candidate, id.value.get()) != X509_V_OK) continue;
    if (EXHIBIT_TRY(is_signed_by(certificate, candidate))) return openssl::share(candidate);
  }
  return openssl::Certificate();
}

bool is_trusted(const Trust& trust, const X509* certificate) {
  const auto& all = trust.certificates().all;
  return std::any_of(all.begin(), all.end(),
                     [&](const openssl::Certificate& one) { return X509_cmp(one.get(), certificate) == 0; });
}

Path no_path(Status status, const X509* at, const std::string& why) {
  return {{status, why + " (" + openssl::name_of(at) + ")"}, {}};
}

}  // namespace

Result<bool> is_signed_by(X509* certificate, X509* issuer) {
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(&signature, &algorithm, certificate);
  return is_signed(openssl::der_of(certificate, i2d_X509), algorithm, X509_get0_tbs_sigalg(certificate), signature,
                   issuer);
}

Path find_path_ourselves(const Trust& trust, X509* signer, STACK_OF(X509) * others, std::int64_t seconds) {
  if (const auto defect = date_defect(signer, seconds)) return no_path(Status::failed, signer, *defect);
  if (const auto defect = extension_defect(signer)) return no_path(Status::failed, signer, *defect);
  Path path = {{Status::ok, {}}, {}};
  path.chain.push_back(openssl::share(signer));
  // Trusted by itself: it need be nobody's authority. So OpenSSL has it, too.
  if (is_self_issued(signer) && is_trusted(trust, signer)) {
    const auto itself = is_signed_by(signer, signer);
    if (!itself.ok()) return no_path(Status::not_checked, signer, itself.error().message);
    if (*itself) return path;
  }
  long below = 0;
  while (path.chain.size() < longest_chain) {
    X509* const last = path.chain.back().get();
    auto issuer = find_issuer(trust, last, others);
    if (!issuer.ok()) return no_path(Status::not_checked, last, issuer.error().message);
    if (!*issuer)
      return no_path(Status::failed, last, "no certificate of its issuer is there, or its signature is another's");
    if (const auto defect = authority_defect(issuer->get(), seconds, below))
      return no_path(Status::failed, issuer->get(), *defect);
    const bool is_root = is_self_issued(issuer->get());
    // A root signs itself, and whoever verifies has it.
    if (is_root) {
      const auto itself = is_signed_by(issuer->get(), issuer->get());
      if (!itself.ok()) return no_path(Status::not_checked, issuer->get(), itself.error().message);
      if (!*itself || !is_trusted(trust, issuer->get()))
        return no_path(Status::failed, issuer->get(), "the path ends at a certificate that isn't trusted");
    }
    if (last != issuer->get()) path.chain.push_back(issuer.take());
    if (is_root) return path;
    ++below;
  }
  return no_path(Status::failed, signer, "the path is too long");
}

Result<bool> is_signed_by(X509_CRL* list, X509* issuer) {
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(list, &signature, &algorithm);
  // X509_CRL has no accessor for the algorithm inside: it is the element before the issuer's name.
  const std::string whole = openssl::der_of(list, i2d_X509_CRL);
  const auto outer = der::only(whole, der::sequence_tag);
  const auto tbs = outer ? der::first(outer->content) : std::nullopt;
  const auto fields = tbs ? der::elements(tbs->content) : std::nullopt;
  if (!fields || fields->size() < 3) return false;
  const auto& inside = (*fields)[fields->front().tag == der::integer_tag ? 1 : 0];
  const auto stated = openssl::from_der<openssl::AlgorithmIdentifier>(d2i_X509_ALGOR, inside.whole);
  if (!stated) return false;
  return is_signed(whole, algorithm, stated.get(), signature, issuer);
}

}  // namespace exhibit::manifest
