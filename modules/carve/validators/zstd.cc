// Zstandard (RFC 8878): frames of blocks; a frame may carry a checksum over what comes out of it.

#include "carve/unpack.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t least_broken = 4096;  // bytes that must unpack before a broken one is believed
constexpr unsigned has_checksum = 4;          // RFC 8878, 3.1.1.1.1.5

Verdict validate(const Content& content, Memory&) {
  const Unpacked unpacked = unpack(content, Packing::zstd);
  if (!unpacked.holds) {
    if (unpacked.end < least_broken) return {};
    return Verdict::broken(unpacked.end, unpacked.end, unpacked.end, DoubtCause::missing_segment);
  }
  Verdict verdict = Verdict::whole(unpacked.end);
  const ByteSpan head = content.at(4, 1);
  // A length that comes out right says nothing of changed literals.
  if (head.empty() || (head[0] & has_checksum) == 0) verdict.tier = Tier::plausible;
  return verdict;
}

// The frame header's reserved bit is 0 (3.1.1.1.1.4).
bool glance(ByteSpan head) { return head.size() < 5 || (head[4] & 8) == 0; }

}  // namespace

extern const Validator zstd_validator;
const Validator zstd_validator = {"zstd", validate, glance};

}  // namespace exhibit::carve
