// MPEG programme streams (ISO/IEC 11172-1, 2.4; 13818-1, 2.5): packs and packets, each telling its length, up to the
// end code, which programs for DVDs leave out.

#include <algorithm>
#include <optional>

#include "carve/seam.h"
#include "carve/validator.h"

namespace exhibit::carve {
namespace {

constexpr unsigned end_code = 0xb9, pack = 0xba, system_header = 0xbb, map = 0xbc, padding = 0xbe;  // 13818-1, 2.5.4
constexpr unsigned first_stream = 0xbd;
constexpr std::uint64_t least_packs = 4;
constexpr std::uint64_t dvd_sector = 2048;
constexpr std::uint64_t farthest_resync = std::uint64_t{256} << 10;

constexpr unsigned navigation = 0xbf;               // private stream 2: DVD-Video's packs that lead a reader
constexpr std::uint64_t longest_step = 10 * 90000;  // ticks of the clock between two packs

struct State : Memory::State {
  std::uint64_t position = 0, before = 0, packs = 0, packets = 0;
  std::uint64_t clock = 0, most_step = 0;  // of the last pack; the most between two
  std::uint32_t block = 0;                 // the place that the last pack with `navigation` tells
  bool has_navigation = false, is_first_version = false;
};

// The system clock reference of the pack at `offset`, in ticks of 90 kHz (11172-1, 2.4.4.2; 13818-1, 2.5.3.4).
std::uint64_t clock_of(const Content& content, std::uint64_t offset, bool is_first_version) {
  Reader reader(content, offset + 4);
  const std::uint64_t a = reader.u8(), b = reader.be16(), c = reader.be16();
  const std::uint64_t first_bits = is_first_version ? a >> 1 & 7 : a >> 3 & 7;
  if (is_first_version) return first_bits << 30 | b >> 1 << 15 | c >> 1;
  // Three bits, a marker, fifteen, a marker, fifteen.
  const std::uint64_t all = a << 32 | b << 16 | c;  // 40 bits, the last three of which are a marker and two others
  return first_bits << 30 | (all >> 19 & 0x7fff) << 15 | (all >> 3 & 0x7fff);
}

// Bytes of what begins at `offset` with a start code; 0: nothing does.
std::uint64_t unit_length(const Content& content, std::uint64_t offset, unsigned& code) {
  const ByteSpan head = content.at(offset, 14);
  code = 0;
  if (head.size() < 4 || head[0] != 0 || head[1] != 0 || head[2] != 1) return 0;
  code = head[3];
  if (code == end_code) return 4;
  if (code == pack) {
    if (head.size() < 12) return 0;
    if ((head[4] & 0xf1) == 0x21) {  // 11172-1, 2.4.3.2: marker bits
      return (head[6] & 1) != 0 && (head[8] & 1) != 0 && (head[9] & 0x80) != 0 && (head[11] & 1) != 0 ? 12 : 0;
    }
    if (head.size() < 14 || (head[4] & 0xc4) != 0x44 || (head[6] & 4) == 0 || (head[8] & 4) == 0 ||
        (head[9] & 1) == 0 || (head[12] & 3) != 3) {
      return 0;
    }
    return 14 + std::uint64_t{head[13] & 7U};
  }
  if (code < system_header || head.size() < 6) return 0;
  const std::uint64_t length = static_cast<std::uint64_t>(head[4]) << 8 | head[5];
  if (code == system_header && (length < 6 || head.size() < 7 || (head[6] & 0x80) == 0)) return 0;
  return length == 0 ? 0 : 6 + length;
}

enum class Step { next, end, none };

// The place, in sectors from the first, that a pack of DVD-Video with `navigation` tells: in the packet behind the
// system header, which always are as long. Nothing: it is no such pack.
std::optional<std::uint32_t> block_of(const Content& content, std::uint64_t pack_begin) {
  constexpr std::uint64_t packet = 38, place = packet + 7;
  if (Reader(content, pack_begin + packet).be32() != (0x100 | navigation)) return std::nullopt;
  return Reader(content, pack_begin + place).be32();
}

// Whether the clock of the pack at the state's position goes on from the one before.
bool take_clock(const Content& content, State& state) {
  const ByteSpan head = content.at(state.position + 4, 1);
  state.is_first_version = !head.empty() && (head[0] & 0xf0) == 0x20;
  const std::uint64_t clock = clock_of(content, state.position, state.is_first_version);
  const bool is_first = state.packs == 0 || state.clock == 0;
  const std::uint64_t step = clock - state.clock;
  if (!is_first && !state.has_navigation) {
    if (clock < state.clock || step > longest_step) return false;
    // Where a trial join leaves something out, the clock may not jump.
    const std::uint64_t seam = content.seam();
    const bool is_at_seam = seam != 0 && state.before < seam && seam <= state.position;
    if (is_at_seam && step > state.most_step) return false;
    state.most_step = std::max(state.most_step, step);
  }
  // A DVD's clock begins anew where it likes; if the places don't go on either it is another file.
  if (const auto block = block_of(content, state.position)) {
    if (!is_first && state.has_navigation && clock < state.clock && *block <= state.block) return false;
    state.block = *block;
  }
  state.clock = clock;
  return true;
}

Step take(const Content& content, State& state) {
  unsigned code = 0;
  const std::uint64_t length = unit_length(content, state.position, code);
  if (length == 0 || length > content.size() - state.position) return Step::none;
  if (state.position == 0 && code != pack) return Step::none;
  if (code == pack && state.packs > 0 && state.packets == 0) return Step::none;
  if (code == pack && !take_clock(content, state)) return Step::none;
  state.has_navigation |= code == navigation;
  state.packs += code == pack ? 1 : 0;
  state.packets += code >= first_stream && code != padding ? 1 : 0;
  state.before = state.position;
  state.position += length;
  return code == end_code ? Step::end : Step::next;
}

// Where, within reach, packs go on; 0: nowhere.
std::uint64_t resync(const Content& content, const State& state) {
  using namespace std::string_view_literals;
  const std::uint64_t end = std::min(content.size(), state.position + farthest_resync);
  for (std::uint64_t at = state.position; at < end; ++at) {
    at = find(content, "\x00\x00\x01\xba"sv, at, end);
    State behind;
    behind.position = at;
    behind.packets = 1;
    Step step = Step::next;
    for (unsigned i = 0; i < 8 && step == Step::next && at < end; ++i) step = take(content, behind);
    if (at < end && step != Step::none) return at;
  }
  return 0;
}

Verdict broken(const Content& content, const State& state) {
  unsigned code = 0;
  const std::uint64_t length = unit_length(content, state.position, code);
  const std::uint64_t suspect = std::min(content.size(), state.position + std::max<std::uint64_t>(length, 6));
  Verdict verdict = Verdict::broken(state.before, suspect, state.position, DoubtCause::missing_segment);
  const std::uint64_t again = content.seam() == 0 ? resync(content, state) : 0;
  if (again == 0) return verdict;
  State behind = state;
  behind.position = again;
  while (take(content, behind) == Step::next) {
  }
  verdict.length = behind.position;
  verdict.doubts = {{state.before, again - state.before, DoubtCause::missing_segment}};
  return verdict;
}

Verdict validate(const Content& content, Memory& memory) {
  State state;
  if (const auto* known = static_cast<const State*>(memory.latest())) state = *known;
  for (std::uint64_t kept = memory.offset();;) {
    const Step step = take(content, state);
    if (state.position == 0) return {};
    if (step == Step::end) {
      if (state.packs == 0 || state.packets == 0) return {};
      Verdict verdict = Verdict::whole(state.position);
      verdict.misfit = misfit_of_seam(content);
      return verdict;
    }
    if (step == Step::none) break;
    if (state.position >= kept + (std::uint64_t{64} << 10)) {
      kept = state.position;
      memory.keep(kept, std::make_shared<State>(state));
    }
  }
  if (state.packs < least_packs || state.packets < least_packs) return {};
  const bool may_end = state.position % dvd_sector == 0;  // a DVD's part has no end code
  unsigned code = 0;
  const bool is_another = unit_length(content, state.position, code) != 0 && code == pack;
  const bool goes_on = content.seam() == 0 && !is_another && resync(content, state) != 0;
  if (!may_end || goes_on) return broken(content, state);
  Verdict verdict = Verdict::whole(state.position, state.has_navigation ? "vob" : "mpg");
  verdict.tier = Tier::plausible;
  verdict.misfit = misfit_of_seam(content);
  return verdict;
}

bool glance(ByteSpan head) { return head.size() < 16 || (head[4] & 0xf1) == 0x21 || (head[4] & 0xc4) == 0x44; }

}  // namespace

extern const Validator mpeg_ps_validator;
const Validator mpeg_ps_validator = {"mpeg-ps", validate, glance};

}  // namespace exhibit::carve
