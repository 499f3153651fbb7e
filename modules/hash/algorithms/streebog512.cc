#include "hash/algorithm.h"
#include "hash/streebog.h"

namespace exhibit::hash {
namespace {

constexpr KnownAnswer known_answers[] = {
    {.message = "303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334353637"
                "383930313233343536373839303132",
     .digest = "1b54d01a4af5b9d5cc3d86d68d285462b19abc2475222f35c085122be4ba1ffa00ad30f8767b3a82384c6574f024c311"
               "e2a481332b08ef7f41797891c1646f48",
     .source = "RFC 6986, section 10.1"},
    {.message = "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece820"
                "ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb",
     .digest = "1e88e62226bfca6f9994f1f2d51569e0daf8475a3b0fe61a5300eee46d961376035fe83549ada2b8620fcd7c496ce5b3"
               "3f0cb9dddc2b6460143b03dabac9fb28",
     .source = "RFC 6986, section 10.2"},
    {.message = "",
     .digest = "8e945da209aa869f0455928529bcae4679e9873ab707b55315f56ceb98bef0a7362f715528356ee83cda5f2aac4c6ad2"
               "ba3a715c1bcd81cb8e9f90bf4c1c1a8a",
     .source = "gost-engine, etalon/dgst.result"},
    // Carries run through the whole checksum.
    {.message = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
                "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee1611111111111111111111111111111111111111111111111111111111111111"
                "1111111111111111111111111111111111111111111111111111111111111116",
     .digest = "8b06f41e59907d9636e892caf5942fcdfb71fa31169a5e70f0edb873664df41c2cce6e06dc6755d15a61cdeb92bd607c"
               "c4aaca6732bf3568a23a210dd520fd41",
     .source = "gost-engine, etalon/carry"},
};

}  // namespace

extern constinit const AlgorithmRow streebog512_row = {
    .name = "streebog512",
    .oid = "1.2.643.7.1.1.2.3",
    .digest_bytes = 64,
    .create = []() -> Result<std::unique_ptr<Hasher>> {
      return std::unique_ptr<Hasher>(std::make_unique<Streebog>(64));
    },
    .known_answers = known_answers,
    .create_chain = []() -> std::unique_ptr<ChainHasher> { return std::make_unique<Streebog>(64); }};

}  // namespace exhibit::hash
