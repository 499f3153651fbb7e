#pragma once
// Private keys, wherever they are: a file or a token; for this module's own files.

#include <exhibit/result.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/openssl.h"
#include "manifest/suite.h"

namespace exhibit::manifest {

class SigningKey {
 public:
  virtual ~SigningKey() = default;

  const Suite& suite() const { return suite_; }
  // What its signatures use.
  const Pairing& pairing() const { return suite_.pairings.front(); }

  // The signature value over a raw digest by pairing().digest.
  virtual Result<std::string> sign(std::string_view digest) const = 0;
  // Whether the certificate is of this key.
  virtual bool is_key_of(X509* certificate) const = 0;

 protected:
  explicit SigningKey(const Suite& suite) : suite_(suite) {}

 private:
  const Suite& suite_;
};

// The key in a PEM file (PKCS#8, or OpenSSL's older forms of ECDSA and RSA keys), or in a token: a URI `pkcs11:…`
// (RFC 7512) of a P-256 or RSA key with the query attributes module-path and pin-source (file:…); for the token's
// module, `environment` (NAME=VALUE). Refused: a key behind a passphrase, a key of no suite, one too short or on
// another curve.
Result<std::unique_ptr<SigningKey>> open_signing_key(const std::string& key,
                                                     const std::vector<std::string>& environment = {});

}  // namespace exhibit::manifest
