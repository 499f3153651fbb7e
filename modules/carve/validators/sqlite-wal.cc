// SQLite's write-ahead logs (sqlite.org/fileformat2.html, 4.1 to 4.3). Each frame's checksum goes on from the one
// before. A log that was begun anew keeps the frames of older generations behind its own: they belong to the file.

#include <algorithm>
#include <array>

#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint32_t magic = 0x377f0682;  // its last bit: checksums are of big-endian words
constexpr std::uint32_t version = 3007000;
constexpr std::uint64_t header_length = 32, frame_header = 24;  // bytes
constexpr std::uint64_t kept_every = 64 << 10;                  // bytes

struct Sum {
  std::uint32_t first = 0, second = 0;
  bool operator==(const Sum&) const = default;
};

std::uint32_t word(ByteSpan bytes, std::size_t at, bool is_big) {
  const auto byte = [&](std::size_t i) { return std::uint32_t{bytes[at + i]}; };
  return is_big ? byte(0) << 24 | byte(1) << 16 | byte(2) << 8 | byte(3)
                : byte(3) << 24 | byte(2) << 16 | byte(1) << 8 | byte(0);
}

// 4.2.
Sum add(Sum sum, ByteSpan bytes, bool is_big) {
  for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sum.first += word(bytes, at, is_big) + sum.second;
    sum.second += word(bytes, at + 4, is_big) + sum.first;
  }
  return sum;
}

struct State : Memory::State {
  bool is_big = false;
  std::uint64_t page_size = 0;
  std::uint64_t position = 0;  // of the next frame
  std::uint64_t frames = 0;
  Sum sum;  // of what lies before
  std::array<std::uint8_t, 8> salt{};
  bool is_first_of_generation = false;  // its sum goes on from a frame that was overwritten
};

bool begin(const Content& content, State& state) {
  Reader reader(content);
  const std::uint32_t found = reader.be32(), format = reader.be32(), page_size = reader.be32();
  reader.skip(4);
  const ByteSpan salt = reader.bytes(8);
  if (!reader.ok() || (found & ~1u) != magic || format != version) return false;
  if (page_size < 512 || page_size > 65536 || (page_size & (page_size - 1)) != 0) return false;
  state.is_big = (found & 1) != 0;
  state.page_size = page_size;
  std::copy(salt.begin(), salt.end(), state.salt.begin());
  state.sum = add({}, content.at(0, header_length).first(24), state.is_big);
  state.position = header_length;
  return Sum{reader.be32(), reader.be32()} == state.sum && reader.ok();
}

enum class Frame { sound, of_older_generation, none };

// The frame at the state's position, if it goes on with what lies before; moves behind it.
Frame next(const Content& content, State& state) {
  const ByteSpan found = content.at(state.position, frame_header + state.page_size);
  if (found.size() < frame_header + state.page_size) return Frame::none;
  const ByteSpan frame = found.first(frame_header + state.page_size);
  const Sum told{word(frame, 16, true), word(frame, 20, true)};
  const bool same_salt = std::equal(state.salt.begin(), state.salt.end(), frame.begin() + 8);
  const Sum sum = add(add(state.sum, frame.first(8), state.is_big), frame.subspan(frame_header), state.is_big);
  if (word(frame, 0, true) == 0) return Frame::none;
  Frame result = Frame::sound;
  if (!same_salt || sum != told) {
    // Salt-1 counts up with each generation (4.4): an older one has a smaller one.
    if (same_salt || word(frame, 8, true) >= word(ByteSpan(state.salt), 0, true)) return Frame::none;
    result = Frame::of_older_generation;
    std::copy_n(frame.begin() + 8, 8, state.salt.begin());
  }
  state.sum = told;
  state.position += frame.size();
  ++state.frames;
  return result;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else if (!begin(content, state)) {
    return {};
  }
  std::uint64_t kept = state.position;
  for (;;) {
    const State before = state;
    const Frame frame = next(content, state);
    if (frame == Frame::of_older_generation) {
      // Nothing proves the first frame of an older generation but the ones that go on from it.
      State ahead = state;
      if (next(content, ahead) != Frame::sound) state = before;
      if (state.position == before.position) break;
      state = ahead;
    } else if (frame == Frame::none) {
      break;
    }
    if (state.position - kept >= kept_every) memory.keep(kept = state.position, std::make_shared<State>(state));
  }
  if (state.frames == 0) {  // a log that was begun and never filled, or whose frames are lost
    Verdict verdict = Verdict::broken(header_length, header_length, header_length, DoubtCause::missing_segment);
    return verdict;
  }
  return Verdict::whole(state.position);
}

}  // namespace

extern const Validator sqlite_wal_validator;
const Validator sqlite_wal_validator = {"sqlite-wal", validate};

}  // namespace exhibit::carve
