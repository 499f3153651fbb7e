// LZ4 frames (lz4_Frame_format.md 1.6.3): a header with a byte of its XXH32, blocks with their lengths, and an XXH32 of
// what is in them, if the writer wanted it.

#include "carve/unpack.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view magic("\x04\x22\x4d\x18", 4);
constexpr std::uint64_t least_broken = 4096;  // bytes that must unpack before a broken one is believed
constexpr unsigned has_checksum = 0x04, has_block_checksums = 0x10;

// FLG: the version is 01, a reserved bit 0. BD: reserved bits 0, the blocks' size 4 to 7.
bool glance(ByteSpan head) {
  return head.size() >= 7 && starts_with(head, magic) && (head[4] & 0xc2) == 0x40 && (head[5] & 0x8f) == 0 &&
         (head[5] >> 4) >= 4;
}

Verdict validate(const Content& content, Memory&) {
  if (!glance(content.at(0, 7))) return {};
  const unsigned flags = content.at(0, 7)[4];
  const Unpacked unpacked = unpack(content, Packing::lz4);
  if (!unpacked.holds) {
    if (unpacked.end < least_broken) return {};
    return Verdict::broken(unpacked.end, unpacked.end, unpacked.end, DoubtCause::missing_segment);
  }
  Verdict verdict = Verdict::whole(unpacked.end);
  if ((flags & (has_checksum | has_block_checksums)) == 0) verdict.tier = Tier::plausible;
  return verdict;
}

}  // namespace

extern const Validator lz4_validator;
const Validator lz4_validator = {"lz4", validate, glance};

}  // namespace exhibit::carve
