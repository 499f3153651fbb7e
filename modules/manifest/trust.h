#pragma once
// The certificates that whoever verifies trusts: --trust CA.pem.

#include <exhibit/result.h>

#include <filesystem>
#include <memory>
#include <string_view>

namespace exhibit::manifest {

struct TrustedCertificates;  // openssl.h's types, in trust_path.h

// Roots (self-signed) to which a signer's path must lead, and intermediate certificates beside them. Cheap to copy.
class Trust {
 public:
  static Result<Trust> from_pem(const std::filesystem::path& file);
  const TrustedCertificates& certificates() const { return *certificates_; }

 private:
  std::shared_ptr<const TrustedCertificates> certificates_;
};

}  // namespace exhibit::manifest
