// True Audio (TTA1; Aleksander Djuric, "TTA Lossless Audio Codec, format description"): a header, a table of the
// frames' lengths and every frame carry a CRC-32.

#include <algorithm>

#include "carve/audio_tags.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t header_length = 18, checksum = 4;  // bytes
constexpr std::uint64_t most_frames = std::uint64_t{1} << 24;

struct State : Memory::State {
  std::uint64_t frame = 0, position = 0;
  std::uint64_t frames = 0;
};

bool sum_holds(const Content& content, std::uint64_t begin, std::uint64_t length) {
  if (begin + length + checksum > content.size()) return false;
  return Reader(content, begin + length).le32() == crc32(content, begin, length);
}

// The header and the table behind it.
bool begin(const Content& content, State& state) {
  Reader reader(content);
  if (!reader.take("TTA1")) return false;
  reader.le32();  // format and channels
  reader.le16();  // bits
  const std::uint64_t rate = reader.le32(), samples = reader.le32();
  const std::uint64_t frame_samples = rate * 256 / 245;
  if (!reader.ok() || frame_samples == 0 || samples == 0 || !sum_holds(content, 0, header_length)) return false;
  state.frames = (samples + frame_samples - 1) / frame_samples;
  const std::uint64_t table = header_length + checksum;
  if (state.frames > most_frames || !sum_holds(content, table, state.frames * 4)) return false;
  state.position = table + state.frames * 4 + checksum;
  return true;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else if (!begin(content, state)) {
    return {};
  }
  Reader table(content, header_length + checksum + state.frame * 4);
  for (; state.frame < state.frames; ++state.frame) {
    const std::uint64_t length = table.le32();
    if (length <= checksum || !sum_holds(content, state.position, length - checksum)) {
      const std::uint64_t suspect = std::min(content.size(), state.position + length);
      std::uint64_t end = state.position + length;  // where all frames end, the table's sum vouches for that
      for (std::uint64_t i = state.frame + 1; i < state.frames; ++i) end += table.le32();
      const bool ends_there = end <= content.size();
      if (ends_there) end += audio_tags_length(content, end);
      return Verdict::broken(state.position, suspect, ends_there ? end : state.position, DoubtCause::crc_error);
    }
    state.position += length;
    State next = state;
    ++next.frame;
    memory.keep(state.position, std::make_shared<State>(next));
  }
  return Verdict::whole(state.position + audio_tags_length(content, state.position));
}

}  // namespace

extern const Validator tta_validator;
const Validator tta_validator = {"tta", validate};

}  // namespace exhibit::carve
