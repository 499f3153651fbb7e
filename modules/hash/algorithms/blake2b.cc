#include "hash/algorithm.h"
#include "hash/openssl.h"

namespace exhibit::hash {
namespace {

constinit OpensslDigest digest("BLAKE2B-512");

constexpr KnownAnswer known_answers[] = {
    // "abc"
    {.message = "616263",
     .digest = "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc95"
               "18d38aa8dbf1925ab92386edd4009923",
     .source = "RFC 7693, appendix A"},
};

}  // namespace

extern constinit const AlgorithmRow blake2b_row = {.name = "blake2b",
                                                   .oid = "1.3.6.1.4.1.1722.12.2.1.16",
                                                   .digest_bytes = 64,
                                                   .create = [] { return digest.create(); },
                                                   .known_answers = known_answers};

}  // namespace exhibit::hash
