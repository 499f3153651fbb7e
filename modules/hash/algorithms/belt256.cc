#include "hash/algorithm.h"
#include "hash/belt.h"

namespace exhibit::hash {
namespace {

constexpr KnownAnswer known_answers[] = {
    // The empty message.
    {.message = "",
     .digest = "eb6ba8bde3821909b63e14764485530fd8e875a23834d41d6c100ac446828c7e",
     .source = "bee2 2.2.4"},
    // "abc"
    {.message = "616263",
     .digest = "2661a79795a9e80258d6bc1e5d11747247901268ec4cd19237aad051e322b0c2",
     .source = "bee2 2.2.4"},
    // The first bytes of the substitution H.
    {.message = "b194bac80a08f53b366d008e58",
     .digest = "abef9725d4c5a83597a367d14494cc2542f20f659ddfecc961a3ec550cba8c75",
     .source = "STB 34.101.31, table A.23-1"},
    {.message = "b194bac80a08f53b366d008e584a5de48504fa9d1bb6c7ac252e72c202fdce0d",
     .digest = "749e4c3653aece5e48db4761227742eb6dbe13f4a80f7beff1a9cf8d10ee7786",
     .source = "STB 34.101.31, table A.23-2"},
    {.message = "b194bac80a08f53b366d008e584a5de48504fa9d1bb6c7ac252e72c202fdce0d5be3d61217b96181fe6786ad716b890b",
     .digest = "9d02ee446fb6a29fe5c982d4b13af9d3e90861bc4cef27cf306bfb0b174a154a",
     .source = "STB 34.101.31, table A.23-3"},
};

}  // namespace

extern constinit const AlgorithmRow belt256_row = {
    .name = "belt256",
    .oid = "1.2.112.0.2.0.34.101.31.81",
    .digest_bytes = 32,
    .create = []() -> Result<std::unique_ptr<Hasher>> { return std::unique_ptr<Hasher>(std::make_unique<BeltHash>()); },
    .known_answers = known_answers,
    .create_chain = []() -> std::unique_ptr<ChainHasher> { return std::make_unique<BeltHash>(); }};

}  // namespace exhibit::hash
