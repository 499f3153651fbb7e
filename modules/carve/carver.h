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
  Carver(const std::vector<Signature>& all, std::uint64_t block) : all_(all), block_(block) {}

  // What lies at `candidate`, whose offset is in the space's bytes: nothing, an object, or an object in fragments
  // followed by what it would be without the search for them. Depends on nothing but the space's bytes.
  std::vector<Found> carve(const Space& space, const Candidate& candidate) const;

 private:
  Found found(const Space& space, std::uint32_t signature, const std::vector<Run>& pieces,
              const Verdict& verdict) const;

  const std::vector<Signature>& all_;
  std::uint64_t block_;
};

}  // namespace exhibit::carve
