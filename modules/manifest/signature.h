#pragma once
// Checking a detached signature, with its time-stamp, over exact bytes.

#include <exhibit/result.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "manifest/check.h"
#include "manifest/trust.h"

namespace exhibit::manifest {

// What a signature is claimed to be over: bytes at hand (borrowed), or a file that is read for it.
class Content {
 public:
  static Content of(std::string_view bytes) { return Content(bytes, {}); }
  static Content file(std::filesystem::path path) { return Content({}, std::move(path)); }

  // Raw; `algorithm` by a name of suite.h's digest_named(), say SHA2-256.
  Result<std::string> digest(const char* algorithm) const;

 private:
  Content(std::string_view bytes, std::filesystem::path path) : bytes_(bytes), path_(std::move(path)) {}
  std::string_view bytes_;
  std::filesystem::path path_;
};

struct SignatureRequest {
  std::string subject;                               // what the checks are about, say manifest.json.1.p7s
  std::string name = signature_check;                // of the check of the signature itself
  std::string_view signature;                        // DER, borrowed
  std::optional<std::string_view> timestamp_answer;  // the bytes of a .tsr, borrowed
  const Trust* trust = nullptr;                      // without it, paths are 'not checked'
  bool mention_no_timestamp = true;                  // a signature without time-stamp is a 'not checked'
};

// Adds the checks `request.name`, "time-stamp" (one for each token), "signer's certificate" (dates and key usage),
// "certificate path" and "revocation". The time at which certificates must be valid is the time-stamp's where there is
// one and it holds, else the signer's own.
void check_signature(const Content& content, const SignatureRequest& request, Checks& checks);

// `verify --content FILE --signature P7S [--timestamp TSR]`. A file that can't be read is an Error.
Result<Checks> check_signature_files(const std::filesystem::path& content, const std::filesystem::path& signature,
                                     const std::optional<std::filesystem::path>& timestamp_answer, const Trust* trust);

}  // namespace exhibit::manifest
