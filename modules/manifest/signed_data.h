#pragma once
// One CMS SignedData (RFC 5652) with one signer, taken apart and checked; for this module's own files. Signatures
// over a manifest and time-stamp tokens are both this.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "manifest/check.h"
#include "manifest/openssl.h"
#include "manifest/suite.h"

namespace exhibit::manifest {

struct SignedData {
  openssl::Cms cms;
  openssl::Certificates others;        // all certificates that it carries, the signer's among them; may be null
  CMS_SignerInfo* signer = nullptr;    // of cms
  X509* certificate = nullptr;         // the signer's, of `others`; nullptr where it isn't there
  std::string content_type;            // dotted OID
  std::optional<std::string> content;  // what it encapsulates; absent for a detached signature

  std::string signature() const;                     // the signature value
  std::optional<std::int64_t> signing_time() const;  // what the signer says, seconds since 1970
};

// Error (corrupt) for what isn't exactly one SignedData with exactly one signer.
Result<SignedData> parse_signed_data(std::string_view der);

// The raw digest of the content, by a name that digest_named() gives.
using ContentDigest = std::function<Result<std::string>(const char* algorithm)>;

// Signed attributes (contentType, messageDigest, the certificate's mark), algorithms, key and signature. The
// certificate's dates and path are not looked at. ok: `detail` names signer and algorithms.
Answer check_signed_data(SignedData& data, const ContentDigest& content, Office office);

// RFC 5652 section 5.4, RFC 5035, RFC 3161: the OIDs that both sides use.
inline constexpr const char* data_type = "1.2.840.113549.1.7.1";
inline constexpr const char* stamp_info_type = "1.2.840.113549.1.9.16.1.4";

}  // namespace exhibit::manifest
