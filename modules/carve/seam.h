#pragma once
// Where nothing in a format tells which bytes lie at a trial's seam: what can be seen of the bytes themselves.

#include <cstdint>

#include "carve/foreign_sector.h"

namespace exhibit::carve {

// Verdict::misfit for a seam among bytes that nothing proves: 1 is the best. Both sides should be of a kind, neither
// should be empty, and what the trial leaves out should be of another kind.
inline std::uint32_t misfit_of_seam(const Content& content) {
  enum Kind { none, zero, text, packed, other };
  const auto kind_of = [](ByteSpan bytes) {
    if (bytes.size() < sector_bytes) return none;
    const ByteSpan one = bytes.first(sector_bytes);
    return is_zero_sector(one) ? zero : is_text_sector(one) ? text : is_varied_sector(one) ? packed : other;
  };
  const std::uint64_t seam = content.seam();
  if (seam < sector_bytes) return 1;
  const Kind before = kind_of(content.at(seam - sector_bytes, sector_bytes));
  const Kind after = kind_of(content.at(seam, sector_bytes));
  const Kind behind = kind_of(content.behind_first_piece(sector_bytes));
  const ByteSpan left_out = content.before_second_piece(sector_bytes);
  const Kind ahead = kind_of(left_out.size() > sector_bytes ? left_out.last(sector_bytes) : left_out);
  std::uint32_t misfit = 1;
  if (before == zero || after == zero) misfit += 8;
  if (before != after) misfit += 2;
  if (behind == before) misfit += 1;
  if (ahead == after) misfit += 1;
  return misfit;
}

}  // namespace exhibit::carve
