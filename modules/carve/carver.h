#pragma once
// From a candidate to what lies there.

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

  // Before the candidates of another space.
  void begin_space() { covered_.assign(all_.size(), 0); }

  // What lies at `candidate`, whose offset is in the space's bytes: nothing, an object, or an object in fragments
  // followed by what it would be without the search for them. Candidates of a space come in the order of their offsets:
  // of a format that is never a part of another object those within an object found before are passed over (each frame
  // of a piece of music looks like its beginning).
  std::vector<Found> carve(const Space& space, const Candidate& candidate);

 private:
  Found found(const Space& space, std::uint32_t signature, const std::vector<Run>& pieces,
              const Verdict& verdict) const;

  const std::vector<Signature>& all_;
  std::uint64_t block_;
  std::vector<std::uint64_t> covered_;  // by signature: up to where an object was found
};

}  // namespace exhibit::carve
