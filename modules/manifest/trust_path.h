#pragma once
// Certificate paths and revocation, for this module's own files.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "manifest/check.h"
#include "manifest/openssl.h"
#include "manifest/trust.h"

namespace exhibit::manifest {

struct TrustedCertificates {
  std::vector<openssl::Certificate> all;
  std::vector<openssl::RevocationList> revocation_lists;
};

struct Path {
  Answer answer;                            // not ok: `detail` says why
  std::vector<openssl::Certificate> chain;  // where it is ok: the signer's first, the root last
};

// Whether a path leads from `signer` over `others` to a trusted root, every certificate of it valid at `seconds`.
// `purpose`: an X509_PURPOSE_…. Revocation is another question. Not checked only where this machine can't verify one
// of the certificates' signatures.
Path find_path(const Trust& trust, X509* signer, STACK_OF(X509) * others, std::int64_t seconds, int purpose);

// find_path() by our own code, for certificates that OpenSSL has no algorithms for: dates, basicConstraints with
// pathLenConstraint, keyUsage, signatures. Refuses what it doesn't know: a critical extension of another kind, name
// constraints and policy constraints.
Path find_path_ourselves(const Trust& trust, X509* signer, STACK_OF(X509) * others, std::int64_t seconds);

// Whether `certificate`'s signature is that of the issuer's key, by the suites; its name isn't looked at. Error
// (unsupported) where this machine can't tell.
Result<bool> is_signed_by(X509* certificate, X509* issuer);
Result<bool> is_signed_by(X509_CRL* list, X509* issuer);

// Whether a certificate of the path (but the root) was revoked at `seconds`, by the lists that `trust` holds.
// `vouched`: a time-stamp says that the signature existed then; without one, a certificate that was revoked later fails
// too, since whoever stole its key could have written any time. Not checked: no list, or none for a part of the path.
Answer check_revocation(const Trust& trust, const std::vector<openssl::Certificate>& chain, std::int64_t seconds,
                        bool vouched);

// Why `certificate` may not make signatures at `seconds`, apart from its path: its dates, its key usage.
std::optional<std::string> certificate_defect(X509* certificate, std::int64_t seconds, bool for_time_stamps);
// The dates alone, of any certificate.
std::optional<std::string> date_defect(const X509* certificate, std::int64_t seconds);

// 2024-05-01T12:00:00Z
std::string time_text(std::int64_t seconds);

}  // namespace exhibit::manifest
