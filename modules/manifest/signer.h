#pragma once
// Who signs: detached CMS over given bytes.

#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace exhibit::manifest {

class Signer {
 public:
  virtual ~Signer() = default;

  // A detached CMS SignedData (DER) over `content` with the signed attributes contentType, messageDigest, signingTime
  // and signingCertificateV2 (CAdES-BES), the certificates included. `time`: seconds since 1970.
  virtual Result<std::string> sign(std::string_view content, std::int64_t time) const = 0;

  // The certificate's subject (RFC 2253), for a ledger's `credential` and for messages.
  virtual std::string name() const = 0;
};

// A private key, in a PEM file or a token (`pkcs11:…`, see signing_key.h), and its certificate. `environment`: what the
// token's module gets of it, NAME=VALUE. `certificates`: PEM files; the first certificate of the first file
// is the signer's, all others go along as the chain. Refused: a key behind a passphrase, a key that isn't the
// certificate's, a key of no suite or too short for one (suite.h), a certificate whose key usage isn't signing.
Result<std::unique_ptr<Signer>> open_signer(const std::string& key,
                                            const std::vector<std::filesystem::path>& certificates,
                                            const std::vector<std::string>& environment = {});

}  // namespace exhibit::manifest
