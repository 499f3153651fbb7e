// bzip2 (bzip2 1.0.8, as libbz2 reads it): each block has a CRC-32, and the whole a combined one.

#include "carve/unpack.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

// So much of a stream must unpack before it is believed to be a broken one.
constexpr std::uint64_t least_broken = 4096;  // bytes

Verdict validate(const Content& content, Memory&) {
  const Unpacked unpacked = unpack(content, Packing::bzip2);
  if (unpacked.holds) return Verdict::whole(unpacked.end);
  if (unpacked.end < least_broken) return {};
  return Verdict::broken(unpacked.end, unpacked.end, unpacked.end, DoubtCause::missing_segment);
}

}  // namespace

extern const Validator bzip2_validator;
const Validator bzip2_validator = {"bzip2", validate};

}  // namespace exhibit::carve
