#pragma once
// RFC 3161 time-stamps over signatures: asking an authority, and putting its token into the signature (CAdES-T).

#include <exhibit/result.h>

#include <string>
#include <string_view>

namespace exhibit::manifest {

// Digests of an imprint by our names: sha256, streebog256, streebog512, belt256, bash256, bash384,
// bash512.
inline constexpr const char* default_imprint_digest = "sha256";

// Asks for a time-stamp over the signature value of `signature` (CMS, DER) and returns the answer (TimeStampResp, DER):
// what a .tsr file holds. `authority`: an http:// address, or a configuration file of `openssl ts`, which makes this
// process the authority. The answer is checked against the question: granted, same imprint, same nonce, sound token.
// https isn't spoken: the answer is signed itself, and only a digest is sent.
Result<std::string> ask_timestamp(const std::string& authority, std::string_view signature,
                                  const std::string& imprint_digest = default_imprint_digest);

// The question alone (TimeStampReq, DER), for a machine with a network. It has no nonce: the signature value that its
// imprint is of is new itself, and who takes the answer back needn't have kept the question.
Result<std::string> timestamp_question(std::string_view signature,
                                       const std::string& imprint_digest = default_imprint_digest);

// Whether an answer grants a sound token over the signature value of `signature`; else an Error that says why not.
Result<void> check_timestamp_answer(std::string_view answer, std::string_view signature);

// `signature` with the answer's token as one more unsigned attribute id-aa-timeStampToken; the signature stays the
// same.
Result<std::string> with_timestamp(std::string_view signature, std::string_view answer);

}  // namespace exhibit::manifest
