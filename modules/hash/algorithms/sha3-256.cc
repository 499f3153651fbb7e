#include "hash/algorithm.h"
#include "hash/openssl.h"

namespace exhibit::hash {
namespace {

constinit OpensslDigest digest("SHA3-256");

constexpr KnownAnswer known_answers[] = {
    {.message = "",
     .digest = "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
     .source = "FIPS 202 examples (NIST CSRC)"},
    {.message = "a3",
     .repeated = 200,
     .digest = "79f38adec5c20307a98ef76e8324afbfd46cfd81b22e3973c65fa1bd9de31787",
     .source = "FIPS 202 examples (NIST CSRC)"},
};

}  // namespace

extern constinit const AlgorithmRow sha3_256_row = {.name = "sha3-256",
                                                    .oid = "2.16.840.1.101.3.4.2.8",
                                                    .digest_bytes = 32,
                                                    .create = [] { return digest.create(); },
                                                    .known_answers = known_answers};

}  // namespace exhibit::hash
