// FLAC (RFC 9639): metadata blocks, then frames, each with a CRC-16, until all samples that STREAMINFO counts are
// there.

#include <algorithm>

#include "carve/flac_frame.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::string_view signature = "fLaC";                       // 6
constexpr std::uint32_t stream_info_length = 34;                     // bytes (8.2)
constexpr unsigned stream_info = 0, invalid = 127;                   // block types (8.1)
constexpr std::uint64_t farthest_resync = std::uint64_t{256} << 10;  // bytes that may be overwritten in the midst
constexpr unsigned most_tries = 64;                                  // of frames' beginnings there
constexpr std::uint64_t bytes_between_states = std::uint64_t{32} << 10;

struct State : Memory::State {
  std::uint64_t position = 0;  // of the next frame
  FlacStream stream;
  std::uint64_t samples = 0, frames = 0;
};

bool read_stream_info(Reader& reader, FlacStream& stream) {
  stream.least_block = reader.be16();
  stream.most_block = reader.be16();
  reader.be24();  // the least and the most bytes of a frame
  reader.be24();
  const std::uint64_t packed = reader.be64();
  stream.rate = static_cast<std::uint32_t>(packed >> 44);
  stream.channels = static_cast<unsigned>(packed >> 41 & 7) + 1;
  stream.bits = static_cast<unsigned>(packed >> 36 & 31) + 1;
  stream.samples = packed & 0xfffffffff;
  reader.bytes(16);  // MD5 of the samples
  return reader.ok() && stream.least_block >= 16 && stream.most_block >= stream.least_block && stream.bits >= 4;
}

// The metadata. False: not FLAC. `blocks`: how many there are; the position is behind those that can be.
bool read_metadata(const Content& content, State& state, unsigned& blocks, bool& is_last) {
  Reader reader(content);
  if (!reader.take(signature)) return false;
  for (blocks = 0, is_last = false; !is_last; ++blocks) {
    const unsigned head = reader.u8(), type = head & 127;
    const std::uint32_t length = reader.be24();
    const bool is_known = reader.ok() && type != invalid && (type == stream_info) == (blocks == 0);
    if (blocks == 0) {
      if (!is_known || length != stream_info_length || !read_stream_info(reader, state.stream)) return false;
    } else if (!is_known || type > 6 || !reader.skip(length)) {  // 7 to 126 are reserved
      return true;
    }
    is_last = (head & 128) != 0;
    state.position = reader.position();
  }
  return true;
}

// The frame at the state's position, if it is the one that follows.
std::optional<FlacFrame> next_frame(const Content& content, const State& state) {
  const auto frame = read_flac_frame(content, state.position, state.stream);
  if (!frame || frame->number != (frame->is_varying ? state.samples : state.frames)) return std::nullopt;
  return frame;
}

bool is_complete(const State& state) { return state.stream.samples > 0 && state.samples >= state.stream.samples; }

// Goes on as far as frames hold. What lies at the place where they end.
std::optional<FlacFrame> follow(const Content& content, State& state, Memory* memory) {
  while (!is_complete(state)) {
    const auto frame = next_frame(content, state);
    if (!frame || !frame->holds) return frame;
    state.position = frame->end;
    state.samples += frame->samples;
    ++state.frames;
    if (memory != nullptr && state.position >= memory->offset() + bytes_between_states) {
      memory->keep(state.position, std::make_shared<State>(state));
    }
  }
  return std::nullopt;
}

// Where, within reach, a later frame of this stream holds; the state is then before it.
std::optional<std::uint64_t> resync(const Content& content, State& state) {
  // Not beyond where another file begins.
  const std::uint64_t limit = std::min(content.size(), state.position + farthest_resync);
  const std::uint64_t end = find(content, signature, state.position, limit);
  unsigned tried = 0;
  for (std::uint64_t at = state.position + 1; at < end && tried < most_tries; ++at) {
    at = find(content, "\xff", at, end);
    const auto header = at < end ? read_flac_header(content, at, state.stream) : std::nullopt;
    if (!header || header->number <= (header->is_varying ? state.samples : state.frames)) continue;
    ++tried;
    const auto frame = read_flac_frame(content, at, state.stream);
    if (!frame->holds) continue;
    state.position = at;
    state.frames = frame->number;
    state.samples = frame->is_varying ? frame->number : frame->number * state.stream.most_block;
    return at;
  }
  return std::nullopt;
}

Verdict broken(const Content& content, const State& state, const std::optional<FlacFrame>& frame) {
  State behind = state;
  // In a trial join nobody asks what comes behind.
  const auto again = content.seam() == 0 ? resync(content, behind) : std::nullopt;
  if (again) follow(content, behind, nullptr);
  // A frame that doesn't hold is doubted to its end; where none begins, from there on.
  const std::uint64_t suspect = frame ? frame->end : std::min(content.size(), state.position + 2);
  Verdict verdict = Verdict::broken(state.position, suspect, again ? behind.position : state.position,
                                    frame ? DoubtCause::crc_error : DoubtCause::missing_segment);
  if (again) verdict.doubts = {{state.position, *again - state.position, verdict.doubts[0].cause}};
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else {
    unsigned blocks = 0;
    bool is_last = false;
    if (!read_metadata(content, state, blocks, is_last)) return {};
    // Nothing but metadata: enough of it is more than a header over anything.
    if (!is_last) {
      const std::uint64_t suspect = std::min(content.size(), state.position + 4);
      return blocks > 1 ? Verdict::broken(state.position, suspect, state.position, DoubtCause::missing_segment)
                        : Verdict{};
    }
  }
  const auto frame = follow(content, state, &memory);
  if (is_complete(state)) return Verdict::whole(state.position);
  if (state.stream.samples == 0 && !frame) {  // the count was never written: the frames are all there is
    Verdict verdict = Verdict::whole(state.position);
    verdict.tier = Tier::plausible;
    return verdict;
  }
  return broken(content, state, frame);
}

}  // namespace

extern const Validator flac_validator;
const Validator flac_validator = {"flac", validate};

}  // namespace exhibit::carve
