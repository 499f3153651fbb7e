#pragma once
// Making a CMS SignedData (RFC 5652) with one signer; for this module's own files. Signatures over a manifest and our
// own authority's time-stamp tokens are both this.

#include <exhibit/result.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/openssl.h"
#include "manifest/signing_key.h"

namespace exhibit::manifest {

struct ContentToSign {
  std::string_view bytes;
  const char* type;           // dotted OID
  bool encapsulated = false;  // whether `bytes` go into the message
  std::int64_t time = 0;      // signingTime, seconds since 1970
  bool name_in_mark = true;   // whether signingCertificateV2 holds issuer and number beside the digest
};

// DER, with the signed attributes contentType, signingTime, messageDigest and signingCertificateV2. The first of
// `certificates` is the signer's; all of them are included.
Result<std::string> make_signed_data(const SigningKey& key, const std::vector<openssl::Certificate>& certificates,
                                     const ContentToSign& content);

}  // namespace exhibit::manifest
