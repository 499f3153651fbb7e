#pragma once
// Objects in two fragments: where the first breaks off and where the second begins, found by trying, and believed only
// if the whole then holds to its end (S. Garfinkel, "Carving contiguous and fragmented files with fast object
// validation", 2007: bifragment gap carving).

#include <optional>

#include "carve/signature.h"
#include "carve/space.h"

namespace exhibit::carve {

struct Joined {
  std::vector<Run> pieces;  // two, in the space's bytes
  Verdict verdict;          // of the whole
};

// `begin`: the object's first byte in the space. `verdict` and `memory`: what the validator said and kept of the
// content as it lies there. `block`: bytes; fragments begin and end at multiples of it, counted from `begin`. The
// effort is bounded by a count of tries and bytes, never by a clock.
std::optional<Joined> join(const Space& space, const Signature& signature, std::uint64_t begin, std::uint64_t block,
                           const Verdict& verdict, const Memory& memory);

}  // namespace exhibit::carve
