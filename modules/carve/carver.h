#pragma once
// From a candidate to what lies there.

#include <optional>
#include <vector>

#include "carve/candidate_search.h"
#include "carve/found.h"
#include "carve/space.h"

namespace exhibit::carve {

class Carver {
 public:
  // `all` outlives the carver. `block`: the allocation unit of the volume's file system, in bytes; fragments begin at
  // its multiples.
  Carver(const std::vector<Signature>& all, std::uint64_t block) : all_(all), block_(block) { begin_space(); }

  // What candidates within objects found before may take in all, as Space::work(): real evidence has hardly any of it
  // (6 MiB at most in the corpora); without a bound, a row of heads that all claim the rest of the medium would take
  // the square of its length.
  static constexpr std::uint64_t most_overlap_work = std::uint64_t{64} << 20;

  // What looking for fragments may take in all, likewise: 5 GiB at most in the corpora.
  static constexpr std::uint64_t most_join_work = std::uint64_t{16} << 30;

  // Before the candidates of another space.
  void begin_space() {
    covered_.assign(all_.size(), 0);
    is_overlap_ = false;
  }

  // What lies at `candidate`, whose offset is in the space's bytes: nothing, an object, or an object in fragments
  // followed by what it would be without the search for them. Candidates of a space come in the order of their offsets:
  // of a format that is never a part of another object those within an object found before are passed over (each frame
  // of a piece of music looks like its beginning).
  std::vector<Found> carve(const Space& space, const Candidate& candidate);

  // Whether candidates were passed over because most_overlap_work was reached.
  bool has_left_out() const { return has_left_out_; }
  // Whether fragments weren't looked for because most_join_work was reached.
  bool has_left_apart() const { return has_left_apart_; }

 private:
  std::optional<Found> joined(const Space& space, std::uint32_t signature, std::uint64_t begin, const Verdict& verdict,
                              Memory& memory);
  bool is_passed_over(const Candidate& candidate, std::uint64_t begin);
  Found found(const Space& space, std::uint32_t signature, const std::vector<Run>& pieces,
              const Verdict& verdict) const;

  const std::vector<Signature>& all_;
  std::uint64_t block_;
  std::vector<std::uint64_t> covered_;  // by signature: up to where an object was found
  std::uint64_t overlap_work_ = 0;      // of candidates within such an object, in all spaces
  std::uint64_t work_before_ = 0;       // of the space, before the candidate at hand was looked at
  bool is_overlap_ = false;             // the candidate at hand is such a one
  std::uint64_t join_work_ = 0;
  bool has_left_out_ = false, has_left_apart_ = false;
};

}  // namespace exhibit::carve
