#pragma once
// Who made a detached signature, for telling two signers apart. Nothing here says that the signature holds.

#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::manifest {

struct SigningCertificate {
  std::string subject;                       // RFC 2253, as Signer::name() gives it
  std::string issuer;                        // DER
  std::string key_sha256;                    // of the SubjectPublicKeyInfo, lower-case hex
  std::string suite;                         // of the key, by name (suite.h); empty for one of no suite
  std::optional<std::int64_t> signing_time;  // the signer's own word, seconds since 1970
};

// Error (corrupt) for what isn't exactly one SignedData with exactly one signer, and for one without its certificate.
Result<SigningCertificate> signing_certificate(std::string_view der);

// Of each signature beside a manifest, in order of number. Error where one can't be read.
Result<std::vector<SigningCertificate>> signers_of(const std::filesystem::path& manifest_file);

// Whether both are one credential: the same key, or the same name from the same issuer.
bool is_same_credential(const SigningCertificate& a, const SigningCertificate& b);

}  // namespace exhibit::manifest
