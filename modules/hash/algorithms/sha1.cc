#include "hash/algorithm.h"
#include "hash/openssl.h"

namespace exhibit::hash {
namespace {

constinit OpensslDigest digest("SHA1");

constexpr KnownAnswer known_answers[] = {
    // "abc"
    {.message = "616263",
     .digest = "a9993e364706816aba3e25717850c26c9cd0d89d",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
    // "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    {.message = "6162636462636465636465666465666765666768666768696768696a68696a6b696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f"
                "6d6e6f706e6f7071",
     .digest = "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
    // "a"
    {.message = "61",
     .repeated = 1000000,
     .digest = "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
};

}  // namespace

extern constinit const AlgorithmRow sha1_row = {.name = "sha1",
                                                .oid = "1.3.14.3.2.26",
                                                .digest_bytes = 20,
                                                .create = [] { return digest.create(); },
                                                .known_answers = known_answers};

}  // namespace exhibit::hash
