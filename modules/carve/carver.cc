#include "carve/carver.h"

#include <utility>

#include "carve/join.h"

namespace exhibit::carve {
namespace {

// From the space's byte `begin` on, no more than an object of the signature may have.
PieceContent content_from(const Space& space, std::uint64_t begin, const Signature& signature) {
  return {space, {{begin, std::min(space.size() - begin, signature.maximum)}}};
}

}  // namespace

Found Carver::found(const Space& space, std::uint32_t signature, const std::vector<Run>& pieces,
                    const Verdict& verdict) const {
  Found found;
  found.signature = signature;
  found.tier = verdict.tier;
  found.extension = verdict.extension.empty() ? all_[signature].extension : verdict.extension;
  found.size = verdict.length;
  found.sound = std::min(verdict.sound, verdict.length);
  found.doubts = verdict.doubts;
  found.is_joined = pieces.size() > 1;
  for (const Run& piece : pieces) {
    for (const Extent& extent : space.extents(piece.offset, piece.length)) found.extents.push_back(extent);
  }
  return found;
}

std::optional<Found> Carver::joined(const Space& space, std::uint32_t signature, std::uint64_t begin,
                                    const Verdict& verdict, Memory& memory) {
  if (join_work_ > most_join_work) {
    has_left_apart_ = true;
    return std::nullopt;
  }
  const std::uint64_t before = space.work();
  const auto joined = join(space, all_[signature], begin, block_, verdict, memory);
  join_work_ += space.work() - before;
  if (!joined) return std::nullopt;
  return found(space, signature, joined->pieces, joined->verdict);
}

// Because of what was found before it.
bool Carver::is_passed_over(const Candidate& candidate, std::uint64_t begin) {
  if (begin >= covered_[candidate.signature]) return false;
  if (!candidate.is_anchor && !all_[candidate.signature].is_nested) return true;
  is_overlap_ = overlap_work_ <= most_overlap_work;
  has_left_out_ |= !is_overlap_;
  return !is_overlap_;
}

std::vector<Found> Carver::carve(const Space& space, const Candidate& candidate) {
  const Signature& signature = all_[candidate.signature];
  // What was done since the last candidate was done for it, by the caller too.
  if (std::exchange(is_overlap_, false)) overlap_work_ += space.work() - work_before_;
  std::uint64_t begin = candidate.offset;
  if (candidate.is_anchor) {
    const PieceContent before(space, {{0, space.size()}});
    if (signature.validator->begin_of == nullptr) return {};
    const auto begins = signature.validator->begin_of(before, candidate.offset);
    if (!begins) return {};
    begin = *begins;
  }
  work_before_ = space.work();
  if (begin >= space.size() || is_passed_over(candidate, begin)) return {};
  const PieceContent content = content_from(space, begin, signature);
  Memory memory;
  const Verdict verdict = signature.validator->validate(content, memory);
  std::vector<Found> all;
  // What holds to its end without a doubt needs no other end, even if nothing vouches for its body.
  const bool is_whole = verdict.tier == Tier::validated || (verdict.tier == Tier::plausible && verdict.doubts.empty());
  if (!is_whole && verdict.tier != Tier::none && signature.is_joined) {
    if (auto whole = joined(space, candidate.signature, begin, verdict, memory)) all.push_back(std::move(*whole));
  }
  const bool is_long_enough = verdict.length >= signature.minimum && verdict.length <= content.size();
  if (verdict.tier != Tier::none && is_long_enough) {
    all.push_back(found(space, candidate.signature, content.pieces(verdict.length), verdict));
    std::uint64_t& covered = covered_[candidate.signature];
    if (verdict.tier >= Tier::plausible) covered = std::max(covered, begin + verdict.length);
  }
  return all;
}

}  // namespace exhibit::carve
