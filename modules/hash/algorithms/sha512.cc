#include "hash/sha512.h"

#include "hash/algorithm.h"
#include "hash/openssl.h"

namespace exhibit::hash {
namespace {

constinit OpensslDigest digest("SHA2-512");

constexpr KnownAnswer known_answers[] = {
    // "abc"
    {.message = "616263",
     .digest = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
               "454d4423643ce80e2a9ac94fa54ca49f",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
    {.message = "61626364656667686263646566676869636465666768696a6465666768696a6b65666768696a6b6c666768696a6b6c6d"
                "6768696a6b6c6d6e68696a6b6c6d6e6f696a6b6c6d6e6f706a6b6c6d6e6f70716b6c6d6e6f7071726c6d6e6f70717273"
                "6d6e6f70717273746e6f707172737475",
     .digest = "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433a"
               "c7d329eeb6dd26545e96e55b874be909",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
    // "a"
    {.message = "61",
     .repeated = 1000000,
     .digest = "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31b"
               "eb009c5c2c49aa2e4eadb217ad8cc09b",
     .source = "FIPS 180-4 examples (NIST CSRC)"},
};

}  // namespace

extern constinit const AlgorithmRow sha512_row = {
    .name = "sha512",
    .oid = "2.16.840.1.101.3.4.2.3",
    .digest_bytes = 64,
    .create = [] { return digest.create(); },
    .known_answers = known_answers,
    .create_chain = []() -> std::unique_ptr<ChainHasher> { return std::make_unique<Sha512>(); }};

}  // namespace exhibit::hash
