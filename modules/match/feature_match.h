#pragma once
// A rule with the meta `feature` only says where data may be: here its checksum decides. The strings that hold the data
// are those whose names begin with `$data`; the others of the rule (words that must stand beside it) are no places.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <cstdint>
#include <optional>

namespace exhibit::match {

inline constexpr const char* data_string_prefix = "$data";
// So many places of one rule in one content are looked at.
inline constexpr std::size_t max_feature_candidates = 10'000;

struct FeatureCandidate {
  Match match;              // `feature` is set and known; `where`: all candidates, sorted
  std::uint64_t least = 1;  // so many different values must be right
};

// The match with the places whose checksum is right, at most `most` of them; nothing where too few are.
std::optional<Match> verified(ByteSource& content, FeatureCandidate candidate, std::size_t most);

}  // namespace exhibit::match
