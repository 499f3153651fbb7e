#pragma once
// RFC 3161 time-stamps over signatures: asking an authority, and putting its token into the signature (CAdES-T).

#include <exhibit/result.h>

#include <string>
#include <string_view>

namespace exhibit::manifest {

// Asks for a time-stamp over the signature value of `signature` (CMS, DER) and returns the answer (TimeStampResp, DER):
// what a .tsr file holds. `authority`: an http:// address, or a configuration file of `openssl ts`, which makes this
// process the authority. The answer is checked against the question: granted, same imprint, same nonce, sound token.
// https isn't spoken: the answer is signed itself, and only a digest is sent.
Result<std::string> ask_timestamp(const std::string& authority, std::string_view signature);

// `signature` with the answer's token as its unsigned attribute id-aa-timeStampToken; the signature stays the same.
Result<std::string> with_timestamp(std::string_view signature, std::string_view answer);

}  // namespace exhibit::manifest
