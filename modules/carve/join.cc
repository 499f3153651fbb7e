#include "carve/join.h"

#include <algorithm>

namespace exhibit::carve {
namespace {

constexpr std::uint64_t sector = 512;  // bytes
// How far the second fragment may lie from the first's end (or, where it lies before it, from the first's begin).
constexpr std::uint64_t farthest = std::uint64_t{1} << 20;  // bytes
// Places at which the first fragment may end, the last that is possible first.
constexpr std::size_t most_cuts = 128;
// The effort for one object. A try costs what is validated anew, and no less than a block's look.
constexpr std::uint64_t most_work = std::uint64_t{256} << 20;  // bytes asked for
constexpr std::uint64_t least_work = 2048;                     // bytes

class Search {
 public:
  Search(const Space& space, const Signature& signature, std::uint64_t begin, std::uint64_t block,
         const Verdict& verdict, const Memory& memory)
      : space_(space), signature_(signature), begin_(begin), block_(block) {
    const std::uint64_t last = verdict.suspect > 0 ? verdict.suspect : verdict.length;
    for (std::uint64_t cut = last / block * block; cut >= block && cut + block > verdict.sound; cut -= block) {
      if (cuts_.size() == most_cuts) break;
      cuts_.push_back({cut, memory.before(cut)});
    }
  }

  std::optional<Joined> run(const std::vector<std::uint64_t>& gaps) {
    for (const std::uint64_t gap : gaps) {
      if (try_gap(gap)) return best_;
    }
    if (best_) return best_;
    if (!gaps.empty() && signature_.validator->gaps_are_final) return std::nullopt;
    for (std::uint64_t gap = block_; gap <= farthest && !is_spent(); gap += block_) {
      if (try_gap(gap)) return best_;
    }
    for (std::uint64_t back = block_; back <= std::min(farthest, begin_) && !is_spent(); back += block_) {
      for (const Cut& cut : cuts_) {
        if (attempt(cut, begin_ - back)) return best_;
      }
    }
    return best_;
  }

 private:
  struct Cut {
    std::uint64_t length = 0;  // of the first fragment
    Memory memory;
  };

  bool is_spent() const { return work_ >= most_work; }

  bool try_gap(std::uint64_t gap) {
    for (const Cut& cut : cuts_) {
      if (attempt(cut, begin_ + cut.length + gap)) return true;
    }
    return false;
  }

  // Whether the search is over: a join holds, and there is no question which.
  bool attempt(const Cut& cut, std::uint64_t second) {
    if (is_spent() || second >= space_.size() || cut.length >= signature_.maximum) return false;
    // A second fragment before the first ends where the first begins.
    const std::uint64_t end = second < begin_ ? begin_ : space_.size();
    const PieceContent content(
        space_, {{begin_, cut.length}, {second, std::min(end - second, signature_.maximum - cut.length)}});
    Memory memory = cut.memory;
    Verdict verdict = signature_.validator->validate(content, memory);
    work_ += std::max(least_work, content.asked());
    // A format that can't vouch for its body says how well the seam fits, and stays plausible.
    const bool is_whole = verdict.tier == Tier::validated ||
                          (verdict.tier == Tier::plausible && verdict.doubts.empty() && verdict.misfit > 0);
    const bool holds = is_whole && verdict.length > cut.length && verdict.length >= signature_.minimum &&
                       verdict.length <= content.size();
    if (!holds || (best_ && best_->verdict.misfit <= verdict.misfit)) return false;
    // Structure without checksums can't prove which bytes lie between its marks.
    if (signature_.strength != Strength::checksum) verdict.tier = Tier::plausible;
    const bool is_certain = verdict.misfit == 0;
    best_ = Joined{content.pieces(verdict.length), std::move(verdict)};
    return is_certain;
  }

  const Space& space_;
  const Signature& signature_;
  std::uint64_t begin_, block_;
  std::vector<Cut> cuts_;  // the longest first
  std::uint64_t work_ = 0;
  std::optional<Joined> best_;
};

}  // namespace

std::optional<Joined> join(const Space& space, const Signature& signature, std::uint64_t begin, std::uint64_t block,
                           const Verdict& verdict, const Memory& memory) {
  // A file begins at an allocation unit: what doesn't isn't a fragmented file.
  if (space.volume_offset(begin) % sector != 0) return std::nullopt;
  std::vector<std::uint64_t> gaps;
  if (signature.validator->gaps != nullptr) {
    const PieceContent content(space, {{begin, std::min(space.size() - begin, signature.maximum)}});
    gaps = signature.validator->gaps(content, verdict);
    std::erase_if(gaps, [&](std::uint64_t gap) { return gap == 0 || gap % block != 0; });
  }
  return Search(space, signature, begin, block, verdict, memory).run(gaps);
}

}  // namespace exhibit::carve
