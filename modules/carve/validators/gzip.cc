// gzip (RFC 1952): members one behind the other, each DEFLATE with the CRC-32 and the length of what is in it.

#include <algorithm>

#include "carve/foreign_sector.h"
#include "carve/inflate.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t head_length = 10, trailer_length = 8;  // 2.3: bytes
constexpr std::uint64_t longest_name = 4096;                   // bytes
constexpr std::uint64_t most_plain = std::uint64_t{8} << 30;   // bytes: a bomb isn't inflated to its end
constexpr std::uint64_t least_sound = 1024;                    // bytes: as much is inflated by chance only rarely

// 2.3.1: XFL and OS as programs write them.
bool is_head(ByteSpan head) {
  constexpr std::uint8_t reserved_flags = 0xe0, highest_system = 13, unknown_system = 255;
  return head.size() >= head_length && starts_with(head, "\x1f\x8b\x08") && (head[3] & reserved_flags) == 0 &&
         (head[8] == 0 || head[8] == 2 || head[8] == 4) && (head[9] <= highest_system || head[9] == unknown_system);
}

bool skip_text(Reader& reader) {
  for (std::uint64_t i = 0; i < longest_name && reader.ok(); ++i) {
    const std::uint8_t byte = reader.u8();
    if (byte == 0) return reader.ok();
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return false;
}

// Where the packed data of the member at `position` begin.
std::optional<std::uint64_t> data_of(const Content& content, std::uint64_t position) {
  if (!is_head(content.at(position, head_length))) return std::nullopt;
  Reader reader(content, position + 3);
  const unsigned flags = reader.u8();
  reader.seek(position + head_length);
  if ((flags & 4) != 0) {
    const std::uint16_t extra = reader.le16();
    reader.skip(extra);
  }
  if ((flags & 8) != 0 && !skip_text(reader)) return std::nullopt;
  if ((flags & 16) != 0 && !skip_text(reader)) return std::nullopt;
  if ((flags & 2) != 0) {
    const std::uint32_t crc = crc32(content, position, reader.position() - position);
    if (reader.le16() != (crc & 0xffff)) return std::nullopt;
  }
  return reader.ok() ? std::optional(reader.position()) : std::nullopt;
}

struct State : Memory::State {
  std::uint64_t member = 0;  // where the member begins that is next, or that is gone through
  Checkpoint checkpoint;     // within its data
};

Verdict broken(const Content& content, const State& state, std::uint64_t data, std::uint64_t reached) {
  const std::uint64_t end = packed_end(content, state.member, reached);
  Verdict verdict = Verdict::broken(state.member, reached, end, DoubtCause::missing_segment);
  verdict.suspect = reached;
  if (state.member == 0 && reached < data + least_sound) verdict.tier = Tier::header_only;
  return verdict;
}

void keep(Memory& memory, State state, const std::deque<Checkpoint>& recent) {
  memory.keep(state.member, std::make_shared<State>(state));
  for (const Checkpoint& checkpoint : recent) {
    state.checkpoint = checkpoint;
    memory.keep(checkpoint.position, std::make_shared<State>(state));
  }
}

// Whether the trailer at `position` (2.3.1) says what the data came to.
bool agrees(const Content& content, std::uint64_t position, std::uint32_t crc, std::uint64_t length) {
  Reader reader(content, position);
  return reader.le32() == crc && reader.le32() == static_cast<std::uint32_t>(length) && reader.ok();
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  const auto* known = static_cast<const State*>(memory.latest());
  if (known != nullptr) state = *known;
  for (;;) {
    const auto data = data_of(content, state.member);
    if (!data) return state.member == 0 ? Verdict{} : Verdict::whole(state.member);
    const bool goes_on = state.checkpoint.inflate != nullptr;
    Inflate inflate = goes_on ? Inflate(*state.checkpoint.inflate) : Inflate(Inflate::Wrapping::none);
    if (!goes_on && content.seam() == 0) {
      const auto all = inflate_at_once(content, *data, packed_tried, Inflate::Wrapping::none);
      if (all && agrees(content, *data + all->consumed, all->crc, all->produced)) {
        state.member = *data + all->consumed + trailer_length;
        continue;
      }
    }
    std::deque<Checkpoint> recent;
    const auto status = inflate_remembering(inflate, content, goes_on ? state.checkpoint.position : *data,
                                            content.size(), most_plain, recent);
    const std::uint64_t data_end = *data + inflate.consumed();
    const bool holds = status == Inflate::Status::ended && agrees(content, data_end, inflate.crc(), inflate.produced());
    if (!holds) {
      if (known == nullptr) keep(memory, state, recent);
      const std::uint64_t reached = status == Inflate::Status::ended ? data_end + trailer_length : data_end;
      return broken(content, state, *data, std::min(reached, content.size()));
    }
    state.checkpoint = {};
    state.member = data_end + trailer_length;
  }
}

}  // namespace

extern const Validator gzip_validator;
const Validator gzip_validator = {"gzip", validate, is_head};

}  // namespace exhibit::carve
