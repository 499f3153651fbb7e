#pragma once
// What whoever verifies trusts and knows: certificates (--trust CA.pem) and revocation lists (--crl FILE).

#include <exhibit/result.h>

#include <filesystem>
#include <memory>
#include <string_view>

namespace exhibit::manifest {

struct TrustedCertificates;  // openssl.h's types, in trust_path.h

// Roots (self-signed) to which a signer's path must lead, and intermediate certificates and revocation lists beside
// them. Cheap to copy.
class Trust {
 public:
  static Result<Trust> from_pem(const std::filesystem::path& file);
  // Revocation lists, PEM or one in DER. Error where the file holds none, or a broken one.
  Result<void> add_revocation_lists(const std::filesystem::path& file);
  const TrustedCertificates& certificates() const { return *certificates_; }

 private:
  std::shared_ptr<TrustedCertificates> certificates_;
};

}  // namespace exhibit::manifest
