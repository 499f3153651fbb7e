#include "hash/algorithm.h"
#include "hash/streebog.h"

namespace exhibit::hash {
namespace {

constexpr KnownAnswer known_answers[] = {
    {.message = "303132333435363738393031323334353637383930313233343536373839303132333435363738393031323334353637"
                "383930313233343536373839303132",
     .digest = "9d151eefd8590b89daa6ba6cb74af9275dd051026bb149a452fd84e5e57b5500",
     .source = "RFC 6986, section 10.1"},
    {.message = "d1e520e2e5f2f0e82c20d1f2f0e8e1eee6e820e2edf3f6e82c20e2e5fef2fa20f120eceef0ff20f1f2f0e5ebe0ece820"
                "ede020f5f0e0e1f0fbff20efebfaeafb20c8e3eef0e5e2fb",
     .digest = "9dd2fe4e90409e5da87f53976d7405b0c0cac628fc669a741d50063c557e8f50",
     .source = "RFC 6986, section 10.2"},
    {.message = "",
     .digest = "3f539a213e97c802cc229d474c6aa32a825a360b2a933a949fd925208d9ce1bb",
     .source = "gost-engine, etalon/dgst.result"},
    // Carries run through the whole checksum.
    {.message = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
                "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee1611111111111111111111111111111111111111111111111111111111111111"
                "1111111111111111111111111111111111111111111111111111111111111116",
     .digest = "81bb632fa31fcc38b4c379a662dbc58b9bed83f50d3a1b2ce7271ab02d25babb",
     .source = "gost-engine, etalon/carry"},
};

}  // namespace

extern constinit const AlgorithmRow streebog256_row = {
    .name = "streebog256",
    .oid = "1.2.643.7.1.1.2.2",
    .digest_bytes = 32,
    .create = []() -> Result<std::unique_ptr<Hasher>> {
      return std::unique_ptr<Hasher>(std::make_unique<Streebog>(32));
    },
    .known_answers = known_answers,
    .create_chain = []() -> std::unique_ptr<ChainHasher> { return std::make_unique<Streebog>(32); }};

}  // namespace exhibit::hash
