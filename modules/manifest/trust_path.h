#pragma once
// Certificate paths, for this module's own files.

#include <cstdint>
#include <optional>
#include <string>

#include "manifest/openssl.h"
#include "manifest/trust.h"

namespace exhibit::manifest {

struct TrustedCertificates {
  std::vector<openssl::Certificate> all;
};

// Whether a path leads from `signer` over `others` to a trusted root, every certificate of it valid at `seconds`;
// else why not. `purpose`: an X509_PURPOSE_…. No revocation list is looked at.
std::optional<std::string> path_defect(const Trust& trust, X509* signer, STACK_OF(X509) * others, std::int64_t seconds,
                                       int purpose);

// Why `certificate` may not make signatures at `seconds`, apart from its path: its dates, its key usage.
std::optional<std::string> certificate_defect(X509* certificate, std::int64_t seconds, bool for_time_stamps);

// 2024-05-01T12:00:00Z
std::string time_text(std::int64_t seconds);

}  // namespace exhibit::manifest
