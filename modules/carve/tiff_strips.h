#pragma once
// Whether a TIFF's strips or tiles are what their directory says (Adobe, TIFF 6.0): packed ones must give exactly the
// bytes of their rows.

#include <cstdint>

#include "carve/tiff_walk.h"
#include "carve/validator.h"

namespace exhibit::carve {

enum class Proof {
  holds,    // each part unpacks to its rows
  unknown,  // nothing in this compression could tell
  fails,
};

struct StripsProof {
  Proof proof = Proof::unknown;
  std::uint64_t bytes = 0;                   // proved
  std::uint64_t failed = 0, failed_end = 0;  // the part that doesn't hold
};

// `memory` spares what was proved before, where the directories lie before the pictures.
StripsProof prove_strips(const Content& content, Memory& memory, const TiffWalk& walk, std::size_t picture);

}  // namespace exhibit::carve
