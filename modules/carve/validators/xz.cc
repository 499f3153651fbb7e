// xz (The .xz File Format 1.1.0): checksums over every header, each block, the index and the footer.

#include "carve/unpack.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

// So much of a stream must unpack before it is believed to be a broken one.
constexpr std::uint64_t least_broken = 4096;  // bytes

Verdict validate(const Content& content, Memory&) {
  const Unpacked unpacked = unpack(content, Packing::xz);
  if (unpacked.holds) {
    Verdict verdict = Verdict::whole(unpacked.end);
    const ByteSpan head = content.at(0, 8);
    // 2.1.1.2: without a check nothing vouches for what comes out.
    if ((head[7] & 0x0f) == 0) verdict.tier = Tier::plausible;
    return verdict;
  }
  if (unpacked.end < least_broken) return {};
  return Verdict::broken(unpacked.end, unpacked.end, unpacked.end, DoubtCause::missing_segment);
}

}  // namespace

extern const Validator xz_validator;
const Validator xz_validator = {"xz", validate};

}  // namespace exhibit::carve
