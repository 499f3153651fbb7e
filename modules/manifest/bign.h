#pragma once
// The arithmetic of bign-curve256v1 with belt-hash (STB 34.101.45, security level 128); for this module's own files.
// All numbers are little-endian bytes, as the standard writes them.

#include <exhibit/result.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace exhibit::manifest::bign {

// STB 34.101.45, annex D.
inline constexpr const char* key_oid = "1.2.112.0.2.0.34.101.45.2.1";       // bign-pubkey
inline constexpr const char* curve_oid = "1.2.112.0.2.0.34.101.45.3.1";     // bign-curve256v1
inline constexpr const char* signature_oid = "1.2.112.0.2.0.34.101.45.12";  // bign-with-hbelt
inline constexpr const char* hash_oid = "1.2.112.0.2.0.34.101.31.81";       // belt-hash, STB 34.101.31

inline constexpr std::size_t secret_bytes = 32;
inline constexpr std::size_t public_bytes = 64;  // x, then y
inline constexpr std::size_t digest_bytes = 32;
inline constexpr std::size_t signature_bytes = 48;  // S0 of 16, then S1 of 32

// ECParameters (X9.62, by the standard's annex D) of the curve written out: what a key file may hold in place of
// curve_oid.
std::string curve_parameters();

// Whether these are the coordinates of a point of the curve.
bool is_point(std::string_view public_key);

// Algorithm 7.1.4 (verification) over a belt-hash digest. False for whatever isn't of the right length, on the curve
// and within its bounds.
bool verify(std::string_view public_key, std::string_view digest, std::string_view signature);

// Algorithm 7.1.3 (signing) with the one-time secret of algorithm 6.3.3: a function of secret, digest and `t`, so that
// no weak random number can betray the key; `t` may be empty. The secret's time and addresses tell nothing of it.
Result<std::string> sign(std::string_view secret, std::string_view digest, std::string_view t);

// The same with a given one-time secret, for the standard's examples.
Result<std::string> sign_with(std::string_view secret, std::string_view digest, std::string_view one_time);

// Algorithm 6.3.3.
Result<std::string> one_time_secret(std::string_view secret, std::string_view digest, std::string_view t);

// Error where the secret isn't between 0 and the order of the curve.
Result<std::string> public_key_of(std::string_view secret);

}  // namespace exhibit::manifest::bign
