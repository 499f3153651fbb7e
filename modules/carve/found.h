#pragma once
// An object that a validator believes in, before it is known what else lies there.

#include <exhibit/byte_source.h>
#include <exhibit/item.h>

#include <string>
#include <vector>

#include "carve/signature.h"

namespace exhibit::carve {

struct Found {
  std::uint32_t signature = 0;  // its index in signatures()
  Tier tier = Tier::none;
  std::string extension;
  std::vector<Extent> extents;  // in the volume's bytes, in content order
  std::uint64_t size = 0;       // bytes; the sum of the extents
  std::uint64_t sound = 0;      // as Verdict::sound
  std::vector<Doubt> doubts;    // within the content
  bool is_joined = false;       // a gap was left out: the extents are a result of a search
  // What was found out about the content while it was at hand; empty: nothing was, or the content was cut since.
  Digests digests;
  std::string type;
};

}  // namespace exhibit::carve
