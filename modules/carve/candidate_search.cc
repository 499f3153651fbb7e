#include "carve/candidate_search.h"

#include <algorithm>
#include <cstring>

namespace exhibit::carve {

namespace {

// An object or array and what may follow in it: a short file's block goes on with anything.
bool is_json_begin(ByteSpan block) {
  if (block.size() < 3 || (block[0] != '{' && block[0] != '[')) return false;
  const std::uint8_t next = block[1];
  const bool is_space = next == ' ' || next == '\n' || next == '\r' || next == '\t';
  return next == '"' || (is_space && block[2] >= 0x09 && block[2] < 0x7f) || (block[0] == '[' && next == '{');
}

}  // namespace

Result<CandidateSearch> CandidateSearch::compile(const std::vector<Signature>& all, const std::vector<bool>& wanted) {
  CandidateSearch search;
  search.all_ = &all;
  std::vector<match::SearchedLiteral> searched;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!wanted[i]) continue;
    if (all[i].is_text) search.text_ = static_cast<std::uint32_t>(i);
    for (const Pattern& pattern : all[i].patterns) {
      search.reach_ = std::max(search.reach_, pattern.offset);
      const Literal literal{static_cast<std::uint32_t>(i), pattern.offset, pattern.bytes.size(), pattern.is_anchor};
      const auto byte = [](char c) { return static_cast<std::uint8_t>(c); };
      if (!pattern.mask.empty()) {
        search.add_sync({literal,
                         {byte(pattern.bytes[0]), static_cast<std::uint8_t>(pattern.bytes[1] & pattern.mask[1]),
                          byte(pattern.mask[1])}});
        continue;
      }
      searched.push_back({pattern.bytes, false});
      search.literals_.push_back(literal);
    }
  }
  search.search_ = EXHIBIT_TRY(match::LiteralSearch::compile(searched, match::LiteralSearch::Report::each_place));
  return search;
}

void CandidateSearch::add_sync(const Sync& sync) {
  const auto known = std::find_if(syncs_.begin(), syncs_.end(),
                                  [&](const SyncGroup& group) { return group.pair.first == sync.pair.first; });
  if (known == syncs_.end()) return syncs_.push_back({sync.pair, {sync}});
  known->syncs.push_back(sync);
  Pair& all = known->pair;
  all.mask = static_cast<std::uint8_t>(all.mask & sync.pair.mask & ~(all.second ^ sync.pair.second));
  all.second = static_cast<std::uint8_t>(all.second & all.mask);
}

// The pattern lies at bytes[place].
void CandidateSearch::take(const Literal& literal, std::uint64_t place, ByteSpan bytes, std::uint64_t base,
                           const std::function<void(Candidate)>& found) const {
  if (literal.is_anchor) return found({literal.signature, base + place, true});
  if (base + place < literal.offset) return;  // it would begin before the medium
  const auto glance = (*all_)[literal.signature].validator->glance;
  // A beginning that lies before these bytes can't be looked at here.
  if (glance != nullptr && place >= literal.offset && !glance(bytes.subspan(place - literal.offset))) return;
  found({literal.signature, base + place - literal.offset, false});
}

bool CandidateSearch::search_beside(ByteSpan bytes, std::size_t owned, std::uint64_t base,
                                    const std::vector<Part>& unwanted, const std::function<void(Candidate)>& found) {
  owned = std::min(owned, bytes.size());
  std::size_t begin = 0;
  for (const Part& part : unwanted) {
    // A pattern may lie in what is unwanted where the object begins before.
    const std::size_t end = std::min<std::uint64_t>(part.begin + reach_, owned);
    const std::size_t next = std::min(part.end, owned) / text_block * text_block;
    if (next <= end) continue;
    if (end > begin && !search_part(bytes, {begin, end}, base, found)) return false;
    begin = std::max(begin, next);
  }
  return begin >= owned || search_part(bytes, {begin, owned}, base, found);
}

bool CandidateSearch::search_part(ByteSpan bytes, Part part, std::uint64_t base,
                                  const std::function<void(Candidate)>& found) {
  part.end = std::min(part.end, bytes.size());
  const std::size_t seen = std::min(bytes.size(), part.end + longest_pattern);
  const auto on_hit = [&](std::uint32_t index, std::uint64_t end) {
    const std::uint64_t place = part.begin + end - literals_[index].length;
    if (place < part.end) take(literals_[index], place, bytes, base, found);
  };
  if (!search_.search_places(std::as_bytes(bytes.subspan(part.begin, seen - part.begin)), on_hit)) return false;
  search_syncs(bytes, part, base, found);
  search_text(bytes, part, base, found);
  return true;
}

namespace {

constexpr std::size_t pair_lane = 64;  // bytes: a loop of fixed length and no branches is done with vectors

// Whether any of `pair_lane` bytes is `first` and followed by `second` under `mask`.
bool has_pair(const std::uint8_t* bytes, std::uint8_t first, std::uint8_t second, std::uint8_t mask) {
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < pair_lane; ++i) {
    const auto is_first = static_cast<std::uint8_t>(bytes[i] == first);
    const auto is_second = static_cast<std::uint8_t>((bytes[i + 1] & mask) == second);
    seen = static_cast<std::uint8_t>(seen | (is_first & is_second));
  }
  return seen != 0;
}

}  // namespace

void CandidateSearch::search_syncs(ByteSpan bytes, Part part, std::uint64_t base,
                                   const std::function<void(Candidate)>& found) const {
  const std::size_t end = std::min(part.end, bytes.size() - std::min<std::size_t>(bytes.size(), 1));
  for (const SyncGroup& group : syncs_) {
    const auto [first, second, mask] = group.pair;
    for (std::size_t at = part.begin; at < end; at += pair_lane) {
      const std::size_t length = std::min(pair_lane, end - at);
      if (length == pair_lane && !has_pair(bytes.data() + at, first, second, mask)) continue;
      for (std::size_t i = at; i < at + length; ++i) {
        if (bytes[i] != first) continue;
        for (const Sync& sync : group.syncs) {
          if (sync.pair.holds(bytes[i], bytes[i + 1])) take(sync.literal, i, bytes, base, found);
        }
      }
    }
  }
}

void CandidateSearch::search_text(ByteSpan bytes, Part part, std::uint64_t base,
                                  const std::function<void(Candidate)>& found) const {
  if (!text_) return;
  constexpr std::size_t allocation_unit = 4096;  // bytes: a file that follows text directly begins at one
  const auto block_at = [&](std::size_t at) { return bytes.subspan(at, std::min(text_block, bytes.size() - at)); };
  // Text that ends within the block doesn't go on in the next.
  const auto goes_on = [](ByteSpan block) { return block.back() != 0 || block[block.size() - 2] != 0; };
  // What lies before the first of all bytes isn't known: the validator looks.
  const ByteSpan first = part.begin > 0 ? block_at(part.begin - text_block) : ByteSpan{};
  bool before = !first.empty() && is_text_block(first) && goes_on(first);
  for (std::size_t at = part.begin; at < part.end; at += text_block) {
    const ByteSpan block = block_at(at);
    const bool is_text = is_text_block(block);
    if (is_text ? !before || (at % allocation_unit == 0 && is_json_begin(block)) : is_json_begin(block))
      found({*text_, base + at, false});
    before = is_text && goes_on(block);
  }
}

namespace {

// Whether none of `bytes` is a control that text doesn't have.
bool has_no_control(ByteSpan bytes) {
  constexpr std::size_t lane = 32;  // bytes: a loop of fixed length and no branches is done with vectors
  std::uint8_t bad = 0;
  const auto look = [&bad](std::uint8_t byte) {
    const auto is_low = static_cast<std::uint8_t>(byte < 0x20);
    const auto is_space = static_cast<std::uint8_t>(static_cast<std::uint8_t>(byte - 0x09) <= 0x0d - 0x09);
    const auto is_escape = static_cast<std::uint8_t>(byte == 0x1b);
    bad = static_cast<std::uint8_t>(bad | (is_low & ~(is_space | is_escape)));
  };
  while (bytes.size() >= lane && bad == 0) {
    const std::uint8_t* const from = bytes.data();
    for (std::size_t i = 0; i < lane; ++i) look(from[i]);
    bytes = bytes.subspan(lane);
  }
  if (bad == 0) std::for_each(bytes.begin(), bytes.end(), look);
  return bad == 0;
}

// Latin or Cyrillic letters in UTF-16: of each two bytes one is 0 or 4, the same one.
bool is_wide_text(ByteSpan head) {
  for (std::size_t odd = 0; odd < 2; ++odd) {
    bool is_wide = true;
    for (std::size_t i = 0; i + 1 < head.size(); i += 2) {
      const std::uint8_t high = head[i + odd], low = head[i + 1 - odd];
      is_wide &= (high == 0 && low >= 0x09) || high == 4 || (high == 0xfe && low == 0xff);
    }
    if (is_wide) return true;
  }
  return false;
}

}  // namespace

bool is_text_block(ByteSpan block) {
  constexpr std::size_t head = 32;  // bytes that decide for nearly every block of anything else
  if (block.size() < head || (block[0] == 0 && block[1] == 0)) return false;
  if (!has_no_control(block.first(head))) return is_wide_text(block.first(head));
  if (has_no_control(block)) return true;
  // A file's last block: text, then zeros.
  std::size_t end = block.size();
  while (block[end - 1] == 0) --end;
  return has_no_control(block.first(end));
}

}  // namespace exhibit::carve
