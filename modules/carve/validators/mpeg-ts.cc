// MPEG transport streams (ISO/IEC 13818-1, 2.4): packets of 188 bytes, with four bytes before each on Blu-ray and in
// AVCHD or sixteen behind each; each stream's packets are counted. Nothing tells the end: it is where they stop.

#include <algorithm>
#include <array>

#include "carve/seam.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr std::uint64_t packet_length = 188;  // 2.4.3.2
constexpr std::uint8_t sync = 0x47;
constexpr std::uint64_t least_packets = 7;  // ExifTool's own sample has as many: a chain that is no chance
constexpr std::size_t pids = 8192;
constexpr unsigned null_pid = 8191;
constexpr unsigned proof_packets = 12;
constexpr std::uint64_t farthest_resync = std::uint64_t{1} << 20;
constexpr std::uint64_t bytes_between_states = std::uint64_t{64} << 10;

struct Layout {
  std::uint64_t stride = 0, before = 0;  // bytes from packet to packet, and before the sync byte of each
};
constexpr std::array<Layout, 3> layouts = {{{188, 0}, {192, 4}, {204, 0}}};

struct State : Memory::State {
  std::uint64_t position = 0;
  Layout layout;
  std::uint64_t packets = 0, steps = 0;       // steps: packets that were counted as they should be
  std::uint64_t jumps = 0, last_jump = 0;     // those that weren't, and where
  std::array<std::uint8_t, pids> counters{};  // the last one and 16; 0: none yet
  std::optional<unsigned> clock_pid;          // the stream whose clock is followed
  std::uint64_t clock = 0;                    // its last reading
};

bool has_sync(const Content& content, std::uint64_t offset) {
  const ByteSpan head = content.at(offset, 1);
  return !head.empty() && head[0] == sync;
}

std::optional<Layout> layout_of(const Content& content, std::uint64_t offset) {
  for (const Layout& layout : layouts) {
    bool is_it = true;
    for (unsigned i = 0; i < least_packets - 1 && is_it; ++i)
      is_it = has_sync(content, offset + layout.before + i * layout.stride);
    if (is_it) return layout;
  }
  return std::nullopt;
}

unsigned pid_of(ByteSpan head) { return (head[1] & 31U) << 8 | head[2]; }

// The programme clock reference of a packet, in ticks of 90 kHz (2.4.3.5); nothing: it has none.
std::optional<std::uint64_t> clock_of(ByteSpan head) {
  constexpr unsigned least_field = 7;
  const bool has_field = (head[3] & 0x20) != 0;
  if (!has_field || head[4] < least_field || (head[5] & 0x10) == 0) return std::nullopt;
  const std::uint64_t high = std::uint64_t{head[6]} << 24 | head[7] << 16 | head[8] << 8 | head[9];
  return high << 1 | head[10] >> 7;
}

// Takes in the packet whose sync byte is head[0]; false where it can't be one (2.4.3.3).
bool take(ByteSpan head, State& state) {
  const unsigned pid = pid_of(head), control = head[3] >> 4 & 3, counter = head[3] & 15;
  if (head[0] != sync || (head[1] & 0x80) != 0 || control == 0) return false;
  const bool has_field = (control & 2) != 0, has_payload = (control & 1) != 0;
  const unsigned field = has_field ? head[4] : 0;
  if (field > (has_payload ? 182U : 183U)) return false;
  const bool is_new = field > 0 && (head[5] & 0x80) != 0;  // the discontinuity indicator
  ++state.packets;
  if (pid == null_pid) return true;
  const auto clock = clock_of(head);
  if (clock && pid == state.clock_pid.value_or(pid)) {
    state.clock_pid = pid;
    state.clock = *clock;
  }
  std::uint8_t& known = state.counters[pid];
  const unsigned expected = (known + (has_payload ? 1U : 0U)) & 15;
  const bool is_repeated = counter == (known & 15U);  // a packet may be sent twice
  if (known != 0 && !is_new && counter != expected && !is_repeated) {
    ++state.jumps;
    state.last_jump = state.position;
  } else if (known != 0 && has_payload) {
    ++state.steps;
  }
  known = static_cast<std::uint8_t>(counter | 16U);
  return true;
}

// A recording's counters begin anew: from 0, or at any rate not from where those of another one stand.
bool may_be_first(ByteSpan head, const State& state) {
  const bool begins_unit = (head[1] & 0x40) != 0;
  const unsigned counter = head[3] & 15, known = state.counters[pid_of(head)];
  return begins_unit && (counter == 0 || known == 0 || counter != ((known + 1) & 15));
}

// Whether another recording begins at `offset`: with a table, and a clock that is behind this one's.
bool begins_another(const Content& content, std::uint64_t offset, const State& state) {
  constexpr unsigned looked_at = 64;  // packets: a recording's first picture isn't far
  constexpr unsigned tables = 32;     // the first PIDs (2.4.4.3; ETSI EN 300 468, 5.1.3)
  for (unsigned i = 0; i < looked_at && state.clock_pid; ++i) {
    const ByteSpan head = content.at(offset + state.layout.before + i * state.layout.stride, packet_length);
    if (head.size() < packet_length || head[0] != sync) return false;
    if (i == 0 && (pid_of(head) >= tables || !may_be_first(head, state))) return false;
    const auto clock = clock_of(head);
    if (clock && pid_of(head) == *state.clock_pid) return *clock < state.clock;
  }
  return false;
}

void follow(const Content& content, State& state, Memory* memory) {
  for (;;) {
    if (content.size() - std::min(content.size(), state.position) < state.layout.before + packet_length) return;
    if (begins_another(content, state.position, state)) return;
    const ByteSpan bytes = content.at(state.position, state.layout.before + packet_length);
    if (bytes.size() < state.layout.before + packet_length) return;
    if (!take(bytes.subspan(state.layout.before), state)) return;
    // The last packet may come without what is behind it.
    state.position = std::min(state.position + state.layout.stride, content.size());
    if (memory != nullptr && state.position >= memory->offset() + bytes_between_states)
      memory->keep(state.position, std::make_shared<State>(state));
  }
}

// Where, within reach, packets of this stream's programmes go on; 0: nowhere.
std::uint64_t resync(const Content& content, const State& state) {
  const std::uint64_t end = std::min(content.size(), state.position + farthest_resync);
  for (std::uint64_t at = state.position + 1; at < end; ++at) {
    ByteSpan bytes = content.at(at, 1);
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), end - at));
    const auto* const hit = std::find(bytes.begin(), bytes.end(), sync).base();
    at += static_cast<std::uint64_t>(hit - bytes.data());
    if (hit == bytes.data() + bytes.size()) {
      --at;
      continue;
    }
    State behind = state;
    bool is_it = true;
    for (unsigned i = 0; i < proof_packets && is_it; ++i) {
      const ByteSpan head = content.at(at + i * state.layout.stride, packet_length);
      const bool is_known = head.size() >= packet_length && state.counters[(head[1] & 31U) << 8 | head[2]] != 0;
      is_it = is_known && take(head, behind);
    }
    if (is_it) return begins_another(content, at - state.layout.before, state) ? 0 : at - state.layout.before;
  }
  return 0;
}

Verdict named(Verdict verdict, const State& state) {
  if (state.layout.before != 0) verdict.extension = "mts";
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) {
    state = *known;
  } else {
    const auto layout = layout_of(content, 0);
    if (!layout) return {};
    state.layout = *layout;
  }
  follow(content, state, &memory);
  // Packets that aren't counted, or only at random, are something else.
  if (state.packets < least_packets || state.jumps * 4 > state.steps) return {};
  const std::uint64_t seam = content.seam();
  if (seam == 0) {
    const bool is_another = begins_another(content, state.position, state);
    if (const std::uint64_t again = is_another ? 0 : resync(content, state)) {
      State behind = state;
      behind.position = again;
      follow(content, behind, nullptr);
      const std::uint64_t before = state.position - std::min(state.position, state.layout.stride);
      const std::uint64_t suspect = std::min(content.size(), state.position + state.layout.before + 1);
      Verdict verdict = Verdict::broken(before, suspect, behind.position, DoubtCause::missing_segment);
      verdict.doubts = {{before, again - before, DoubtCause::missing_segment}};
      return named(verdict, state);
    }
  } else if (state.position < seam + state.layout.stride * proof_packets || state.last_jump + 4096 > seam) {
    // The other part doesn't go on where this one stops.
    return named(Verdict::broken(state.position, state.position, state.position, DoubtCause::missing_segment), state);
  }
  Verdict verdict = Verdict::whole(state.position);
  verdict.tier = Tier::plausible;
  verdict.misfit = misfit_of_seam(content);
  return named(verdict, state);
}

bool glance(ByteSpan head) {
  return std::any_of(layouts.begin(), layouts.end(), [&](const Layout& layout) {
    for (std::uint64_t at = layout.before; at < head.size() && at < least_packets * layout.stride;
         at += layout.stride) {
      if (head[at] != sync) return false;
    }
    return true;
  });
}

}  // namespace

extern const Validator mpeg_ts_validator;
const Validator mpeg_ts_validator = {"mpeg-ts", validate, glance};

}  // namespace exhibit::carve
