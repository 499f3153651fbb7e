#include "match/feature_match.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "match/features.h"

namespace exhibit::match {
namespace {

// What a place holds, as ASCII: a text in UTF-16 without its zeros. Empty where it can't be read or is too long for
// any feature.
std::string text_at(ByteSource& content, const MatchPlace& place) {
  std::array<std::byte, 512> bytes;
  if (place.length > bytes.size()) return {};
  std::string text;
  std::size_t got = 0;
  while (got < place.length) {
    const auto more = content.read_at(place.offset + got, std::span(bytes).first(place.length - got));
    if (!more.ok() || *more == 0) return {};
    for (std::size_t i = 0; i < *more; ++i) {
      if (bytes[i] != std::byte{0}) text += static_cast<char>(bytes[i]);
    }
    got += *more;
  }
  return text;
}

}  // namespace

std::optional<Match> verified(ByteSource& content, FeatureCandidate candidate, std::size_t most) {
  Match match = std::move(candidate.match);
  const Feature* feature = feature_named(*match.feature);
  std::set<std::string> values;
  std::erase_if(match.where, [&](const MatchPlace& place) {
    std::string text = text_at(content, place);
    if (!feature->holds(text)) return true;
    values.insert(std::move(text));
    return false;
  });
  if (values.size() < candidate.least) return std::nullopt;
  match.where_truncated = match.where.size() > most;
  if (match.where_truncated) match.where.resize(most);
  return match;
}

}  // namespace exhibit::match
