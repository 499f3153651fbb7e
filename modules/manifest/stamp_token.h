#pragma once
// Time-stamp tokens taken apart and checked; for this module's own files.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/check.h"
#include "manifest/signed_data.h"
#include "manifest/trust.h"

namespace exhibit::manifest {

// The token (DER, as it stands) of a TimeStampResp that grants one. Error (corrupt) for anything else.
Result<std::string> token_of_answer(std::string_view answer);

// The tokens (DER) in the unsigned attributes of a signature.
std::vector<std::string> tokens_in(const SignedData& signature);

// Something that a token may be over, in words and bytes.
struct Stamped {
  const char* what;
  std::string_view bytes;
};

struct StampAnswer {
  Answer answer;
  std::optional<std::int64_t> time;  // only where the answer is ok
  Answer revocation;  // of the authority's certificate path; where the answer is ok and `trust` was given
};

// Signature, imprint (over one of `stamped`), certificate, and with `trust` the certificate's path at the token's time.
StampAnswer check_token(std::string_view token, const std::vector<Stamped>& stamped, const Trust* trust);

// The TSTInfo of a token; nullptr where it has none.
openssl::StampInfo stamp_info(const SignedData& token);

}  // namespace exhibit::manifest
