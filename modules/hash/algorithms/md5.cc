#include "hash/algorithm.h"
#include "hash/openssl.h"

namespace exhibit::hash {
namespace {

constinit OpensslDigest digest("MD5");

constexpr KnownAnswer known_answers[] = {
    {.message = "", .digest = "d41d8cd98f00b204e9800998ecf8427e", .source = "RFC 1321, appendix A.5"},
    // "a"
    {.message = "61", .digest = "0cc175b9c0f1b6a831c399e269772661", .source = "RFC 1321, appendix A.5"},
    // "abc"
    {.message = "616263", .digest = "900150983cd24fb0d6963f7d28e17f72", .source = "RFC 1321, appendix A.5"},
    // "message digest"
    {.message = "6d65737361676520646967657374",
     .digest = "f96b697d7cb7938d525a2f31aaf161d0",
     .source = "RFC 1321, appendix A.5"},
    // "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
    {.message = "313233343536373839303132333435363738393031323334353637383930313233343536373839303132333435363738"
                "3930313233343536373839303132333435363738393031323334353637383930",
     .digest = "57edf4a22be3c955ac49da2e2107b67a",
     .source = "RFC 1321, appendix A.5"},
};

}  // namespace

extern constinit const AlgorithmRow md5_row = {.name = "md5",
                                               .oid = "1.2.840.113549.2.5",
                                               .digest_bytes = 16,
                                               .create = [] { return digest.create(); },
                                               .known_answers = known_answers};

}  // namespace exhibit::hash
