#pragma once
// Data that carries its own checksum: what a rule finds by its looks is a `feature` match only where the sum is right.

#include <span>
#include <string_view>

namespace exhibit::match {

struct Feature {
  const char* name;  // what a rule's meta `feature` says
  // Whether the text that a rule's string found holds such data with a right checksum.
  bool (*holds)(std::string_view text);
};

// luhn:        a payment card's number, 13 to 19 digits (ISO/IEC 7812-1:2017, annex B), the first run of them
// base58check: version, payload and four bytes of their double SHA-256, as Bitcoin's addresses and keys are written
// bech32:      a segregated witness address, bech32 (BIP 173) for version 0, bech32m (BIP 350) for the later ones
std::span<const Feature> features();

// nullptr: there is none of this name.
const Feature* feature_named(std::string_view name);

}  // namespace exhibit::match
