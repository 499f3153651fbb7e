// gzip (RFC 1952): members, each with the CRC-32 and the length of what comes out of it.

#include "carve/unpack.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

// So much of a stream must unpack before it is believed to be a broken one.
constexpr std::uint64_t least_broken = 4096;  // bytes

Verdict validate(const Content& content, Memory&) {
  const Unpacked unpacked = unpack(content, Packing::gzip);
  if (unpacked.holds) return Verdict::whole(unpacked.end);
  if (unpacked.end < least_broken) return {};
  return Verdict::broken(unpacked.end, unpacked.end, unpacked.end, DoubtCause::missing_segment);
}

// RFC 1952, 2.3.1: no reserved flag, a known XFL, a known system.
bool glance(ByteSpan head) {
  constexpr unsigned reserved = 0xe0, last_system = 13, unknown_system = 255;
  if (head.size() < 10) return true;
  const bool known_effort = head[8] == 0 || head[8] == 2 || head[8] == 4;
  return (head[3] & reserved) == 0 && known_effort && (head[9] <= last_system || head[9] == unknown_system);
}

}  // namespace

extern const Validator gzip_validator;
const Validator gzip_validator = {"gzip", validate, glance};

}  // namespace exhibit::carve
