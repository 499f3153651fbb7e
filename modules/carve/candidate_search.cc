#include "carve/candidate_search.h"

#include <algorithm>

namespace exhibit::carve {

Result<CandidateSearch> CandidateSearch::compile(const std::vector<Signature>& all, const std::vector<bool>& wanted) {
  CandidateSearch search;
  search.all_ = &all;
  std::vector<match::SearchedLiteral> searched;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!wanted[i]) continue;
    if (all[i].is_text) search.text_ = static_cast<std::uint32_t>(i);
    for (const Pattern& pattern : all[i].patterns) {
      searched.push_back({pattern.bytes, false});
      search.literals_.push_back(
          {static_cast<std::uint32_t>(i), pattern.offset, pattern.bytes.size(), pattern.is_anchor});
    }
  }
  search.search_ = EXHIBIT_TRY(match::LiteralSearch::compile(searched, match::LiteralSearch::Report::each_place));
  return search;
}

bool CandidateSearch::search(ByteSpan bytes, std::size_t owned, std::uint64_t base,
                             const std::function<void(Candidate)>& found) {
  const auto on_hit = [&](std::uint32_t index, std::uint64_t end) {
    const Literal& literal = literals_[index];
    const std::uint64_t place = end - literal.length;
    if (place >= owned) return;
    if (literal.is_anchor) return found({literal.signature, base + place, true});
    if (base + place < literal.offset) return;  // it would begin before the medium
    const auto glance = (*all_)[literal.signature].validator->glance;
    // A beginning that lies before these bytes can't be looked at here.
    if (glance != nullptr && place >= literal.offset && !glance(bytes.subspan(place - literal.offset))) return;
    found({literal.signature, base + place - literal.offset, false});
  };
  if (!search_.search_places(std::as_bytes(bytes.first(std::min(bytes.size(), owned + longest_pattern))), on_hit))
    return false;
  if (!text_) return true;
  bool before = false;  // what lies before these bytes isn't known: the validator looks
  for (std::size_t at = 0; at < std::min(owned, bytes.size()); at += text_block) {
    const bool is_text = is_text_block(bytes.subspan(at, std::min(text_block, bytes.size() - at)));
    if (is_text && !before) found({*text_, base + at, false});
    before = is_text;
  }
  return true;
}

bool is_text_block(ByteSpan block) {
  for (const std::uint8_t byte : block) {
    if (byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte != 0x1b)) return false;
  }
  return true;
}

}  // namespace exhibit::carve
