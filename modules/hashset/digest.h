#pragma once
// Digests as bytes, and those that say nothing of a content because too many have it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hashset/format.h"

namespace exhibit::hashset {

using RawDigest = std::array<std::uint8_t, longest_digest>;  // the first facts(algorithm).bytes count

// False where `hex`, lower- or upper-case, isn't exactly a digest of the algorithm.
bool decode_digest(std::string_view hex, Algorithm algorithm, RawDigest& raw);

// Of no bytes at all: a set that holds it would match every empty file. PDQ's zero is of a picture with nothing in it.
bool is_of_empty_content(Algorithm algorithm, const RawDigest& raw);

// Of blocks of one value that every medium is full of: "512 bytes of 0x00" to "1048576 bytes of 0xff" by powers of two.
// Empty where it's none of them. The first question about an algorithm digests 4 MiB.
std::string trivial_content(Algorithm algorithm, const RawDigest& raw);

}  // namespace exhibit::hashset
