#pragma once
// A time-stamp authority with a key that OpenSSL has no algorithms for; for this module's own files.

#include <exhibit/result.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/openssl.h"
#include "manifest/signing_key.h"

namespace exhibit::manifest {

struct StampPolicy {
  std::string default_policy;         // dotted OID
  std::vector<std::string> policies;  // further ones that a question may ask for
  std::vector<std::string> digests;   // of imprints, by the names of suite.h
  std::int64_t accuracy_seconds = 0;  // 0: not told
};

// The answer (TimeStampResp, DER) to a question: RFC 3161 section 2.4.2 with the time of this machine's clock. The
// first certificate is the authority's. Error where the question can't be read or asks for what the policy hasn't.
Result<std::string> make_stamp(const SigningKey& key, const std::vector<openssl::Certificate>& certificates,
                               const StampPolicy& policy, std::string_view question);

}  // namespace exhibit::manifest
