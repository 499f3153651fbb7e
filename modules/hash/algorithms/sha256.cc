#include "hash/algorithm.h"
#include "hash/openssl.h"

namespace exhibit::hash {
namespace {

constinit OpensslDigest digest("SHA2-256");

constexpr KnownAnswer known_answers[] = {
    // "abc"
    {.message = "616263",
     .digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
    // "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    {.message = "6162636462636465636465666465666765666768666768696768696a68696a6b696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f"
                "6d6e6f706e6f7071",
     .digest = "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
    // "a"
    {.message = "61",
     .repeated = 1000000,
     .digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
};

}  // namespace

extern constinit const AlgorithmRow sha256_row = {.name = "sha256",
                                                  .oid = "2.16.840.1.101.3.4.2.1",
                                                  .digest_bytes = 32,
                                                  .create = [] { return digest.create(); },
                                                  .known_answers = known_answers};

}  // namespace exhibit::hash
