#pragma once
// PDQ, Facebook's perceptual hash of a picture (ThreatExchange, pdq/: "The TMK+PDQF Video-Hashing Algorithm and the PDQ
// Image-Hashing Algorithm", 2019): 256 bits of which few change when a picture is recompressed or scaled. Pictures that
// merely look alike have near hashes too: a match is a lead for a person, never identity.
//
// Two programs need not give the same bits for one file: decoders round differently, and what comes before the hash
// (scaling, most of all) is the program's choice. So a hash is told with how it was made.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace exhibit::match {

// Brightness, row by row, 0 to 255.
struct Luma {
  std::size_t width = 0, height = 0;
  std::vector<float> values;
};

// ITU-R BT.601, as the reference weighs colours.
inline float luma_of(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return 0.299F * red + 0.587F * green + 0.114F * blue;
}

// What a hash is told to be made by; to be changed with whatever changes a bit.
inline constexpr const char* pdq_implementation = "exhibit/1";

using PdqBits = std::array<std::uint8_t, 32>;  // as the hex is written: the highest bit first

// The picture as it is, then turned and mirrored: a turned copy's own hash is near one of these.
inline constexpr std::size_t pdq_variants = 8;
inline constexpr std::array<const char*, pdq_variants> pdq_variant_names = {
    "original", "rotate-90", "rotate-180", "rotate-270", "flip-x", "flip-y", "flip-plus", "flip-minus"};

struct Pdq {
  std::array<PdqBits, pdq_variants> variants{};  // in the order of their names
  int quality = 0;                               // 0 to 100: how much there is in the picture to tell it by
};

inline constexpr std::size_t pdq_least_side = 5;  // pixels; smaller ones have the hash 0 and quality 0

// The hash of a picture of this size; takes its values apart.
Pdq pdq_of(Luma luma);

// How the reference's own program scales a picture of which a side is longer than this: to a square, each of whose
// pixels is the one that lies there in the picture.
inline constexpr std::size_t pdq_side = 512;
inline constexpr std::size_t nearest(std::size_t at, std::size_t from, std::size_t to) { return at * from / to; }

}  // namespace exhibit::match
