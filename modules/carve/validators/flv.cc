// Flash Video (Adobe, "Flash Video File Format Specification 10.1", annex E): tags, behind each of which its length is
// told once more. Nothing counts them: they end where, behind a whole one, no other begins.

#include <algorithm>

#include "carve/seam.h"
#include "carve/validator.h"
#include "carve/video_units.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view signature = "FLV\x01";
constexpr std::uint64_t header_length = 9, tag_header = 11, back_pointer = 4;  // bytes (E.2, E.4.1)
constexpr unsigned audio = 8, video = 9, script = 18;                          // kinds of tags
constexpr unsigned encrypted = 0x20, reserved = 0xc0;                          // of a tag's first byte
constexpr unsigned h263 = 2, avc = 7;                                          // a video tag's codec (E.4.3.1)
constexpr std::uint64_t least_tags = 3;
constexpr unsigned proof_tags = 3;
constexpr std::uint64_t farthest_resync = std::uint64_t{1} << 20;

struct State : Memory::State {
  std::uint64_t position = 0;  // of the next tag
  std::uint64_t tags = 0;
};

// A tag's picture (E.4.3): units of AVC, each with its length in four bytes (ISO/IEC 14496-15, 5.3.3.2), or Sorenson's
// variety of H.263, whose start code is a one behind sixteen zeros (E.4.3.1, H263VIDEOPACKET).
bool is_picture(const Content& content, std::uint64_t data, std::uint64_t end) {
  constexpr UnitFormat units{4, false};
  Reader packet(content, data);
  const unsigned codec = packet.u8() & 15;
  if (codec == avc) return packet.u8() != 1 || has_units(content, data + 5, end, units);
  if (codec == h263) return packet.be32() >> 15 == 1 && !has_foreign_sector(content, data + 1, end);
  return true;
}

// Bytes of the tag at `offset` with the length behind it; 0: none.
std::uint64_t tag_length(const Content& content, std::uint64_t offset) {
  Reader reader(content, offset);
  const unsigned kind = reader.u8();
  const std::uint64_t length = reader.be24();
  reader.be32();  // time
  const std::uint32_t stream = reader.be24();
  const unsigned type = kind & 0x1f;
  if (!reader.ok() || (kind & reserved) != 0 || (type != audio && type != video && type != script) || stream != 0) {
    return 0;
  }
  const std::uint64_t data = offset + tag_header;
  if (length > content.size() - std::min(content.size(), data)) return 0;
  Reader behind(content, data + length);
  const std::uint32_t told = behind.be32();
  if (!behind.ok() || told != tag_header + length) return 0;
  const bool is_open = (kind & encrypted) == 0 && length > 5;
  if (type == video && is_open && !is_picture(content, data, data + length)) return 0;
  return tag_header + length + back_pointer;
}

// Where, within reach, some tags follow each other again; 0: nowhere.
std::uint64_t resync(const Content& content, std::uint64_t from) {
  // Not beyond where another file begins.
  const std::uint64_t end = find(content, signature, from, std::min(content.size(), from + farthest_resync));
  for (std::uint64_t at = from + 1; at < end; ++at) {
    const unsigned kind = content.at(at, 1)[0];
    if (kind != audio && kind != video) continue;
    std::uint64_t next = at;
    for (unsigned i = 0; i < proof_tags; ++i) {
      const std::uint64_t length = tag_length(content, next);
      if (length == 0) break;
      next += length;
      if (i + 1 == proof_tags) return at;
    }
  }
  return 0;
}

// Whether what lies at `offset` could be a tag whose rest is foreign; where it would end.
std::uint64_t end_of_broken_tag(const Content& content, std::uint64_t offset) {
  Reader reader(content, offset);
  const unsigned kind = reader.u8();
  const std::uint64_t length = reader.be24();
  reader.be32();
  const bool is_tag = (kind == audio || kind == video || kind == script) && reader.be24() == 0 && reader.ok();
  return is_tag ? std::min(content.size(), offset + tag_header + length + back_pointer) : 0;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else {
    Reader reader(content);
    if (!reader.take(signature) || (reader.u8() & ~5U) != 0 || reader.be32() != header_length || reader.be32() != 0) {
      return {};
    }
    state.position = header_length + back_pointer;
  }
  while (const std::uint64_t length = tag_length(content, state.position)) {
    state.position += length;
    ++state.tags;
    if (state.position >= memory.offset() + (std::uint64_t{32} << 10)) {
      memory.keep(state.position, std::make_shared<State>(state));
    }
  }
  if (state.tags == 0) return {};
  const std::uint64_t broken_end = end_of_broken_tag(content, state.position);
  std::uint64_t behind = content.seam() == 0 ? resync(content, state.position) : 0;
  if (behind == 0 && broken_end == 0) {
    Verdict verdict = Verdict::whole(state.position);
    verdict.misfit = misfit_of_seam(content);
    if (state.tags < least_tags) verdict.tier = Tier::plausible;
    return verdict;
  }
  const std::uint64_t suspect = broken_end != 0 ? broken_end : std::min(content.size(), state.position + tag_header);
  Verdict verdict = Verdict::broken(state.position, suspect, state.position, DoubtCause::missing_segment);
  if (behind != 0) {
    verdict.doubts = {{state.position, behind - state.position, DoubtCause::missing_segment}};
    while (const std::uint64_t length = tag_length(content, behind)) behind += length;
    verdict.length = behind;
  }
  return verdict;
}

}  // namespace

extern const Validator flv_validator;
const Validator flv_validator = {"flv", validate};

}  // namespace exhibit::carve
